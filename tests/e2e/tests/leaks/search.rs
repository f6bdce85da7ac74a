//! Decides what a secret looks like in what was written: the secret itself, its parts, and the beginnings of signatures.

use std::fs;
use std::path::Path;

/// What stands before a signature or a credential: what follows is one, unless it is masked.
const BEGINNINGS: [&str; 12] = [
    "q-signature=",
    "x-oss-signature=",
    "Signature=",
    "signature=",
    "security-token=",
    "Security-Token=",
    "Credential=",
    "credential=",
    "Bearer ",
    "PRIVATE KEY-----",
    "TC3-HMAC-SHA256 ",
    "ACS3-HMAC-SHA256 ",
];
const MASK: &str = "***";
/// Shortest part of a secret that is looked for by itself.
const SHORTEST: usize = 12;

/// What must not be written.
#[derive(Debug, Default)]
pub(crate) struct Search {
    secrets: Vec<String>,
}

impl Search {
    /// Looks for a secret.
    pub(crate) fn forbid(&mut self, secret: &str) {
        assert!(secret.len() >= SHORTEST, "`{secret}` could stand anywhere");
        self.secrets.push(secret.to_owned());
    }

    /// Looks for a token, and for its signature alone.
    pub(crate) fn forbid_token(&mut self, token: &str) {
        self.forbid(token);
        if let Some((_, signature)) = token.rsplit_once('.') {
            self.forbid(signature);
        }
    }

    /// Looks for a link, and for its signature alone.
    pub(crate) fn forbid_link(&mut self, url: &str) {
        self.forbid(url);
        let signature = url.split(['?', '&']).find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.to_ascii_lowercase().ends_with("signature").then_some(value)
        });
        self.forbid(signature.unwrap_or_else(|| panic!("a link without a signature: {url}")));
    }

    /// Returns every place at which something was written that must not be.
    pub(crate) fn in_all(&self, written: &[(String, String)]) -> Vec<String> {
        let of = |(name, text): &(String, String)| -> Vec<String> {
            self.found(text).into_iter().map(|found| format!("{name}: {found}")).collect()
        };
        written.iter().flat_map(of).collect()
    }

    fn found(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for secret in &self.secrets {
            found.extend(text.find(secret.as_str()).map(|at| around(text, at)));
        }
        for beginning in BEGINNINGS {
            for (at, _) in text.match_indices(beginning) {
                let rest = &text[at + beginning.len()..];
                if !rest.starts_with(MASK) && !rest.starts_with(['<', '`', '"', '\\', ' ']) {
                    found.push(around(text, at));
                }
            }
        }
        found
    }
}

fn around(text: &str, at: usize) -> String {
    let from = text[..at].char_indices().rev().nth(80).map_or(0, |(index, _)| index);
    text[from..].chars().take(200).collect()
}

/// Adds every file under `folder` whose name does not begin with one of `given`.
pub(crate) fn files(folder: &Path, given: &[&str], to: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, given, to);
        } else if !given.iter().any(|given| name.starts_with(given)) {
            let bytes = fs::read(&path).unwrap();
            to.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

#[test]
fn the_search_finds_secrets_their_parts_and_signatures_and_passes_what_is_masked() {
    let mut search = Search::default();
    search.forbid("hush-hush-hush");
    search.forbid_token("head.body.signature-of-it");
    search.forbid_link("https://b.example/k?a=1&x-oss-signature=0123456789abcdef");
    let found = |text: &str| search.in_all(&[("log".to_owned(), text.to_owned())]).len();
    assert_eq!(found("key=hush-hush-hush"), 1);
    assert_eq!(found("only signature-of-it"), 1);
    assert_eq!(found("sig 0123456789abcdef"), 1);
    assert_eq!(found("/k?q-signature=1f"), 2, "under both of its names");
    assert_eq!(found("Authorization: Bearer eyJ"), 1);
    assert_eq!(found("q-signature=*** Signature=*** Bearer ***"), 0);
}
