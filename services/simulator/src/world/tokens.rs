//! Decides what a client token is worth: the same call again gets the first result, another call is refused.

use std::collections::HashMap;

/// What a caller sent so that a repeated call has no second effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// The token.
    pub text: String,
    /// Everything else that the call asked for, in one text.
    pub fingerprint: String,
}

/// Results by account, action and token. They are kept until a reset: the vendor tells no lifetime.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    results: HashMap<(String, &'static str, String), (String, String)>,
}

/// What is known of a token.
pub(super) enum Replay {
    /// Never seen, or there is none.
    New,
    /// The same call was accepted; this is its result.
    Same(String),
    /// Another call was accepted with it.
    Other,
}

impl Tokens {
    pub(super) fn look(&self, account: &str, action: &'static str, token: Option<&ClientToken>) -> Replay {
        let Some(token) = token else { return Replay::New };
        match self.results.get(&(account.to_owned(), action, token.text.clone())) {
            None => Replay::New,
            Some((fingerprint, result)) if *fingerprint == token.fingerprint => Replay::Same(result.clone()),
            Some(_) => Replay::Other,
        }
    }

    pub(super) fn keep(&mut self, account: &str, action: &'static str, token: Option<&ClientToken>, result: &str) {
        if let Some(token) = token {
            let key = (account.to_owned(), action, token.text.clone());
            self.results.insert(key, (token.fingerprint.clone(), result.to_owned()));
        }
    }
}
