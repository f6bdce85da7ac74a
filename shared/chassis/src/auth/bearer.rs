//! Decides whose a bearer token is: signed by a key of the issuer, meant for us, and valid now.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use sampan_core::{Reason, SharedClock};
use serde::Deserialize;
use serde_json::Value;

use super::keys::Keys;
use super::ring_verifier::{self, ALGORITHMS};
use crate::status::Problem;

/// Longest token that is looked at.
const LONGEST: usize = 16 * 1024;

/// What tokens must say.
#[derive(Debug, Clone)]
pub struct BearerOptions {
    /// Who they must be meant for; one of these.
    pub audiences: Vec<String>,
    /// Who must have made them; empty accepts whoever holds a key of the set.
    pub issuer: Option<String>,
    /// The claim that names the caller.
    pub subject_claim: String,
    /// How far the issuer's clock may be off.
    pub leeway: Duration,
}

impl Default for BearerOptions {
    fn default() -> Self {
        Self { audiences: Vec::new(), issuer: None, subject_claim: "sub".to_owned(), leeway: Duration::from_secs(30) }
    }
}

/// Reads bearer tokens.
#[derive(Debug)]
pub struct Bearer {
    keys: Keys,
    options: BearerOptions,
    validation: Validation,
    clock: SharedClock,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    nbf: Option<i64>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl Bearer {
    /// Reads tokens by `keys`.
    pub fn new(keys: Keys, options: BearerOptions, clock: SharedClock) -> Self {
        ring_verifier::install();
        // Times are compared below, by our clock.
        let mut validation =
            Validation { algorithms: ALGORITHMS.to_vec(), validate_exp: false, ..Validation::default() };
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.set_audience(&options.audiences);
        if let Some(issuer) = &options.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        Self { keys, options, validation, clock }
    }

    /// Returns the subject of a token.
    ///
    /// # Errors
    /// A problem with the reason [`Reason::TokenRefused`] that says what is wrong with it, never its text.
    pub async fn subject(&self, token: &str) -> Result<String, Problem> {
        if token.len() > LONGEST {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("it is no JSON web token"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(refused("its algorithm is not accepted"));
        }
        let key = self.keys.find(header.kid.as_deref()).await;
        let key = key.ok_or_else(|| refused("it is signed by a key that the issuer does not publish"))?;
        if key.common.key_algorithm.is_some_and(|of| of.to_string() != format!("{:?}", header.alg)) {
            return Err(refused("its algorithm is not that of the key"));
        }
        let key = DecodingKey::from_jwk(&key).map_err(|_| refused("its key cannot be used"))?;
        let mut validation = self.validation.clone();
        // The library wants algorithms of one family; the verifier compares that of the key.
        validation.algorithms.retain(|known| known.family() == key.family());
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| refused(words(&error)))?.claims;
        self.check_times(&claims, self.clock.now())?;
        let subject = claims.rest.get(&self.options.subject_claim).and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.len() > 255 || subject.chars().any(char::is_control) {
            return Err(refused(&format!("its claim `{}` names nobody", self.options.subject_claim)));
        }
        Ok(subject.to_owned())
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), Problem> {
        let leeway = i64::try_from(self.options.leeway.as_secs()).unwrap_or(i64::MAX);
        let now = now.as_second();
        if claims.exp.saturating_add(leeway) <= now {
            return Err(refused("it has expired"));
        }
        if claims.nbf.is_some_and(|from| from.saturating_sub(leeway) > now) {
            return Err(refused("it is not valid yet; compare the clocks of this server and of the issuer"));
        }
        Ok(())
    }
}

fn refused(why: &str) -> Problem {
    Problem::new(Reason::TokenRefused, format!("the bearer token is not accepted: {why}"))
}

fn words(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAudience => "it is meant for another audience",
        ErrorKind::InvalidIssuer => "another issuer made it",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of the claims exp, aud and iss",
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => "its algorithm is not that of the key",
        _ => "it cannot be read",
    }
}
