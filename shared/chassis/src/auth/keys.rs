//! Keeps the public keys of an issuer: from a file or from a URL, read again from time to time, and at once when a
//! token names a key that is not known yet.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use sampan_cloud::stack::Transport;
use tokio::time::Instant;

/// How long keys are good for before they are read again.
const READ_EVERY: Duration = Duration::from_secs(300);
/// Shortest time between two readings: a stream of forged key ids must not become a stream of requests.
const REST: Duration = Duration::from_secs(10);
/// How long a URL may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file that holds a JWK set.
    File(PathBuf),
    /// A URL that answers with a JWK set.
    Url(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// Keys that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the keys of {origin} cannot be used: {message}")]
pub struct Error {
    /// Where they should be.
    pub origin: Source,
    /// What is wrong with them.
    pub message: String,
}

/// The keys of an issuer.
#[derive(Debug)]
pub struct Keys {
    source: Source,
    transport: Transport,
    known: RwLock<Known>,
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Arc<Vec<Jwk>>,
    read: Option<Instant>,
    tried: Option<Instant>,
}

impl Keys {
    /// Reads the keys for the first time.
    ///
    /// # Errors
    /// [`Error`] when a file cannot be used. A URL that does not answer is tried again with the first token, so that
    /// a start does not depend on another service.
    pub async fn open(source: Source, transport: Transport) -> Result<Self, Error> {
        let keys = Self { source, transport, known: RwLock::default(), reading: tokio::sync::Mutex::default() };
        match (keys.read().await, &keys.source) {
            (Err(error), Source::File(_)) => return Err(error),
            (Err(error), Source::Url(_)) => tracing::warn!(%error, "keys of the issuer are not there yet"),
            (Ok(()), _) => {}
        }
        Ok(keys)
    }

    /// Returns the key of that id; without an id, the only key there is.
    pub async fn find(&self, id: Option<&str>) -> Option<Jwk> {
        if self.is_due(READ_EVERY) {
            self.refresh().await;
        }
        if let Some(key) = self.known_key(id) {
            return Some(key);
        }
        // A new key of the issuer arrives with its first token.
        self.refresh().await;
        self.known_key(id)
    }

    fn known_key(&self, id: Option<&str>) -> Option<Jwk> {
        let keys = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).keys);
        match id {
            Some(id) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(id)).cloned(),
            None => <&[Jwk; 1]>::try_from(keys.as_slice()).ok().map(|[key]| key.clone()),
        }
    }

    fn is_due(&self, every: Duration) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.read.is_none_or(|read| read.elapsed() >= every)
    }

    fn rests(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.tried.is_some_and(|tried| tried.elapsed() < REST)
    }

    async fn refresh(&self) {
        let _one = self.reading.lock().await;
        if self.rests() {
            return;
        }
        if let Err(error) = self.read().await {
            tracing::warn!(%error, "keys of the issuer could not be read again; the old ones stay");
        }
    }

    async fn read(&self) -> Result<(), Error> {
        self.known.write().unwrap_or_else(PoisonError::into_inner).tried = Some(Instant::now());
        let wrong = |message: String| Error { origin: self.source.clone(), message };
        let text = match &self.source {
            Source::File(path) => {
                tokio::fs::read(path).await.map(Bytes::from).map_err(|error| wrong(error.to_string()))?
            }
            Source::Url(url) => self.fetch(url).await.map_err(wrong)?,
        };
        let set: JwkSet = serde_json::from_slice(&text).map_err(|error| wrong(format!("no JWK set: {error}")))?;
        let for_signatures =
            |key: &Jwk| key.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
        let keys: Vec<_> = set.keys.into_iter().filter(for_signatures).collect();
        if keys.is_empty() {
            return Err(wrong("it holds no key for signatures".to_owned()));
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.keys = Arc::new(keys);
        known.read = Some(Instant::now());
        Ok(())
    }

    async fn fetch(&self, url: &str) -> Result<Bytes, String> {
        let request = http::Request::get(url).body(Bytes::new()).map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(PATIENCE, self.transport.send(request)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?;
        let answer = answer.map_err(|fault| fault.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answers with status {}", answer.status().as_u16()));
        }
        Ok(answer.into_body())
    }
}
