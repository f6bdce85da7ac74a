//! Decides when credentials are fetched anew; where they come from is decided by the vendor package's providers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqsign_core::{Context, OsEnv, ProvideCredentialDyn, SigningCredential};
use sampan_core::SharedClock;
use tokio::sync::Mutex;
use tracing::warn;

use super::redact::scrub;
use super::sign::SignError;
use super::transport::Transport;

/// Credentials are fetched anew this long before they end: the window of the vendors' own clients.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// Refused credentials are fetched anew at most this often, so that a wrong key does not become a flood.
const RENEWAL: SignedDuration = SignedDuration::from_secs(30);

/// Returns what `reqsign` providers reach the outside through: our transport and the process environment. Files
/// cannot be read until the vendor package adds its reader.
pub fn credential_context(transport: &Transport) -> Context {
    Context::new().with_http_send(transport.clone()).with_env(OsEnv)
}

/// The credentials of one account, fetched when needed and kept until shortly before they end.
pub struct CredentialCache<C: SigningCredential> {
    context: Context,
    provider: Arc<dyn ProvideCredentialDyn<Credential = C>>,
    clock: SharedClock,
    // Held across the fetch on purpose: concurrent calls wait for one fetch instead of each making their own.
    kept: Mutex<Option<Kept<C>>>,
}

struct Kept<C> {
    credential: C,
    fetched: Timestamp,
    refused: bool,
}

impl<C: SigningCredential> CredentialCache<C> {
    /// Makes an empty cache; nothing is fetched before the first call.
    pub fn new(context: Context, provider: Arc<dyn ProvideCredentialDyn<Credential = C>>, clock: SharedClock) -> Self {
        Self { context, provider, clock, kept: Mutex::new(None) }
    }

    /// Returns credentials that are good for five minutes at least, or as good as the provider has them.
    ///
    /// # Errors
    /// [`SignError::Credentials`] when no provider has any, or the fetch failed and the old ones have ended;
    /// [`SignError::Unavailable`] when it failed in a way that may pass.
    pub async fn get(&self) -> Result<C, SignError> {
        self.get_for(Duration::ZERO).await
    }

    /// Returns credentials that are good for `lifetime`, as far as the provider has such: for signatures that are
    /// used later than they are made.
    ///
    /// # Errors
    /// As [`CredentialCache::get`].
    pub async fn get_for(&self, lifetime: Duration) -> Result<C, SignError> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let wanted = SignedDuration::try_from(lifetime).unwrap_or(MARGIN).max(MARGIN);
        if let Some(old) = kept.as_ref()
            && !old.refused
            // One that was fetched a moment ago and is short-lived will not get longer by asking again.
            && (lasts(&old.credential, now, wanted) || (now.duration_since(old.fetched) < RENEWAL && lasts(&old.credential, now, SignedDuration::ZERO)))
        {
            return Ok(old.credential.clone());
        }
        let problem = match self.provider.provide_credential_dyn(&self.context).await {
            Ok(Some(credential)) => {
                *kept = Some(Kept { credential: credential.clone(), fetched: now, refused: false });
                return Ok(credential);
            }
            Ok(None) => SignError::Credentials("no source has any".to_owned()),
            Err(error) if error.is_retryable() => SignError::Unavailable(scrub(&error.to_string())),
            Err(error) => SignError::Credentials(scrub(&error.to_string())),
        };
        match kept.as_ref() {
            Some(old) if !old.refused && lasts(&old.credential, now, SignedDuration::ZERO) => {
                warn!(%problem, "credentials could not be renewed; those in use are still good");
                Ok(old.credential.clone())
            }
            Some(_) | None => Err(problem),
        }
    }

    /// Marks the kept credentials as refused, so that the next call fetches others.
    ///
    /// Returns whether it will: `false` when they were fetched within the last 30 seconds.
    pub async fn renew(&self) -> bool {
        let now = self.clock.now();
        match self.kept.lock().await.as_mut() {
            Some(old) if now.duration_since(old.fetched) >= RENEWAL => {
                old.refused = true;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// Returns whether `credential` is usable at `now` plus `span`.
fn lasts<C: SigningCredential>(credential: &C, now: Timestamp, span: SignedDuration) -> bool {
    let then = now.checked_add(span).unwrap_or(now);
    reqsign_core::time::Timestamp::from_millisecond(then.as_millisecond()).is_ok_and(|at| credential.is_valid_at(at))
}

impl<C: SigningCredential> fmt::Debug for CredentialCache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Providers of others show parts of their keys.
        f.debug_struct("CredentialCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sampan_core::Clock as _;
    use sampan_core::clock::ManualClock;

    use super::*;

    #[derive(Debug, Clone)]
    struct Ticket {
        number: u32,
        ends: Timestamp,
    }

    impl SigningCredential for Ticket {
        fn is_valid(&self) -> bool {
            true
        }

        fn is_valid_at(&self, at: reqsign_core::time::Timestamp) -> bool {
            at.as_second() < self.ends.as_second()
        }
    }

    /// Hands out tickets that last an hour; after `tickets` of them it fails.
    #[derive(Debug)]
    struct Booth {
        sold: AtomicU32,
        tickets: u32,
        clock: Arc<ManualClock>,
    }

    impl reqsign_core::ProvideCredential for Booth {
        type Credential = Ticket;

        async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Ticket>> {
            let number = self.sold.fetch_add(1, Ordering::SeqCst) + 1;
            if number > self.tickets {
                return Err(reqsign_core::Error::unexpected("booth for AKIDz8krbsJ5yKBZQpn74 is closed"));
            }
            Ok(Some(Ticket { number, ends: self.clock.now() + SignedDuration::from_hours(1) }))
        }
    }

    fn cache(tickets: u32) -> (CredentialCache<Ticket>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new("2023-11-14T22:13:20Z".parse().unwrap()));
        let booth = Booth { sold: AtomicU32::new(0), tickets, clock: Arc::clone(&clock) };
        (CredentialCache::new(Context::new(), Arc::new(booth), clock.clone()), clock)
    }

    #[tokio::test]
    async fn credentials_are_kept_until_five_minutes_before_their_end() {
        let (cache, clock) = cache(9);
        assert_eq!(cache.get().await.unwrap().number, 1);
        clock.advance(SignedDuration::from_mins(54));
        assert_eq!(cache.get().await.unwrap().number, 1);
        clock.advance(SignedDuration::from_mins(2));
        assert_eq!(cache.get().await.unwrap().number, 2);
    }

    #[tokio::test]
    async fn a_failed_fetch_leaves_those_in_use_until_they_end() {
        let (cache, clock) = cache(1);
        cache.get().await.unwrap();
        clock.advance(SignedDuration::from_mins(58));
        assert_eq!(cache.get().await.unwrap().number, 1);
        clock.advance(SignedDuration::from_mins(3));
        let error = cache.get().await.unwrap_err().to_string();
        assert!(error.contains("closed") && !error.contains("AKIDz8"), "{error}");
    }

    #[tokio::test]
    async fn refused_credentials_are_replaced_but_not_more_often_than_every_half_minute() {
        let (cache, clock) = cache(9);
        cache.get().await.unwrap();
        assert!(!cache.renew().await);
        clock.advance(SignedDuration::from_secs(30));
        assert!(cache.renew().await);
        assert_eq!(cache.get().await.unwrap().number, 2);
        assert!(!cache.renew().await);
    }
}
