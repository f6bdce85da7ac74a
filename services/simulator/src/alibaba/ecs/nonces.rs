//! Remembers the nonces of signed calls, so that a recorded call cannot be sent twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Nonces of each key, until their calls are too old to be accepted anyway.
#[derive(Debug, Default)]
pub(super) struct Nonces(Mutex<HashMap<(String, String), Timestamp>>);

impl Nonces {
    /// Returns whether the key has not used `nonce` yet, and remembers it until `forget_at`.
    pub(super) fn is_fresh(&self, access_key_id: &str, nonce: &str, now: Timestamp, forget_at: Timestamp) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, forget_at| *forget_at >= now);
        used.insert((access_key_id.to_owned(), nonce.to_owned()), forget_at).is_none()
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn a_nonce_counts_once_for_each_key_until_its_call_is_too_old() {
        let nonces = Nonces::default();
        let now: Timestamp = "2024-01-02T03:04:05Z".parse().expect("a time");
        let later = now + 15.minutes();
        assert!(nonces.is_fresh("a", "1", now, later));
        assert!(!nonces.is_fresh("a", "1", later, later));
        assert!(nonces.is_fresh("b", "1", later, later));
        assert!(nonces.is_fresh("a", "1", later + 1.second(), later + 15.minutes()));
    }
}
