//! The Redis backend: one store for any number of processes; a single server, Sentinel, or a cluster.
//!
//! Every decision is one Lua script over one shard ([`keys`], `scripts/`), so it is atomic wherever the store lies, and
//! takes one trip. Time is Redis's own. Every script is idempotent, so [`call`] repeats it when the answer was lost.
//!
//! An operation lies in its lane's shard, but calls that bring only its id do not know the lane. A process remembers
//! the shards of operations that it has seen; for another one it asks all shards at once. So a call by id takes one trip
//! as a rule, and two for an operation that is new to the process. An index by id would lie in another slot than the
//! record: not written with it on a cluster, so it would need repair, and the lookup would cost the same trip.

mod admission;
mod call;
mod claims;
mod commit;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod keys;
mod lanes;
mod link;
mod list;
mod locate;
mod news;
mod open;
mod operations;
mod quota;
mod record;
mod reply;
mod scripts;
#[cfg(test)]
mod tests;
mod tls;
mod url;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join_all;
use jiff::Timestamp;
use sampan_core::clock::SharedClock;
use tokio::task::JoinSet;

use self::call::Call;
use self::keys::{Prefix, Shard};
use self::link::Link;
use self::locate::Known;
use self::news::News;
pub use self::open::OpenError;
use self::url::Confirm;
pub use self::url::RedisUrl;
use crate::Health;
use crate::error::Error;
use crate::record::instant;

/// Whose clock a store follows.
#[derive(Debug, Clone)]
pub enum Time {
    /// That of the Redis server, the same for every process.
    Server,
    /// One that is given: for demos and tests, which cross midnight when they like. Every process of the store must
    /// have the same.
    Given(SharedClock),
}

impl Time {
    /// Returns the time as scripts take it; empty for Redis's own.
    fn argument(&self) -> String {
        match self {
            Self::Server => String::new(),
            Self::Given(clock) => clock.now().as_microsecond().to_string(),
        }
    }
}

/// What the calls and the listener of a store share.
struct Inner {
    name: String,
    link: Link,
    prefix: Prefix,
    time: Time,
    confirm: Option<Confirm>,
    known: Known,
    news: News,
}

/// The store on Redis.
pub struct Redis {
    inner: Arc<Inner>,
    // Ends its task when the store is dropped.
    _listener: JoinSet<()>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("store", &self.inner.name).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects, checks that the servers may carry a store, and makes it when there is none under the prefix.
    ///
    /// # Errors
    /// One [`OpenError`] per cause.
    pub async fn open(url: &RedisUrl, time: Time) -> Result<Arc<Self>, OpenError> {
        let prefix = Prefix::new(&url.prefix);
        let link = Link::new(url, tls::certificates(url)?).await.map_err(|error| OpenError::of(url, &error))?;
        open::check(&link, url, &prefix).await?;
        let inner = Arc::new(Inner {
            name: url.to_string(),
            link,
            prefix,
            time,
            confirm: url.confirm,
            known: Known::default(),
            news: News::new(),
        });
        let mut listener = JoinSet::new();
        let shared = Arc::clone(&inner);
        listener.spawn(async move { news::listen(&shared).await });
        Ok(Arc::new(Self { inner, _listener: listener }))
    }
}

impl Inner {
    /// Returns the groups of shards that one call may look into.
    fn groups(&self) -> Vec<Vec<Shard>> {
        if self.link.is_cluster() {
            Shard::all().map(|shard| vec![shard]).collect()
        } else {
            vec![Shard::all().collect()]
        }
    }
}

#[async_trait]
impl Health for Redis {
    async fn now(&self) -> Result<Timestamp, Error> {
        if let Time::Given(clock) = &self.inner.time {
            return Ok(instant(clock.now().as_microsecond()));
        }
        let Some(shard) = Shard::all().next() else { return Err(Error::Unavailable("no shard".to_owned())) };
        Ok(instant(self.inner.run(Call::new(&scripts::NOW, shard)).await?.number()?))
    }

    async fn check(&self) -> Result<(), Error> {
        // Of a cluster, every node that carries a shard must work.
        let some = if self.inner.link.is_cluster() { usize::MAX } else { 1 };
        let checks = Shard::all().take(some).map(|shard| self.inner.run(Call::new(&scripts::CHECK, shard)));
        try_join_all(checks).await.map(drop)
    }
}
