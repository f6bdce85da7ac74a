//! Decides how operations are read, claimed and waited for.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use jiff::Timestamp;
use sampan_core::OperationId;
use tokio::time::{Instant, timeout};

use super::call::Call;
use super::scripts::{GET, RENEW};
use super::{Inner, Redis};
use crate::error::Error;
use crate::lease::WorkLease;
use crate::operation::{CancelRequest, Operation};
use crate::operations::{Claim, Commit, ListPage, ListQuery, Operations};
use crate::record::{instant, micros_up};

/// Scripts keep times exactly below 2^53 microseconds: until the year 2255.
const LAST_US: i64 = (1 << 53) - 1;
/// A lease of a hundred years is for ever.
const LONGEST_TTL_US: u128 = 100 * 366 * 86_400 * 1_000_000;
/// The clock may jump without telling anybody, so no wait for a due operation sleeps longer than this.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// Returns a due time as scripts take it.
pub(super) fn due_us(at: Timestamp) -> i64 {
    micros_up(at).clamp(0, LAST_US)
}

/// Returns the length of a lease as scripts take it, rounded up.
pub(super) fn ttl_us(ttl: Duration) -> i64 {
    let micros = ttl.as_nanos().div_ceil(1000).min(LONGEST_TTL_US);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

#[async_trait]
impl Operations for Redis {
    async fn get(&self, id: OperationId) -> Result<Operation, Error> {
        self.inner.get(id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, Error> {
        self.inner.list(query).await
    }

    async fn claim(&self, kinds: &[String], owner: &str, limit: u32, ttl: Duration) -> Result<Vec<Claim>, Error> {
        self.inner.claim(kinds, owner, limit, ttl).await
    }

    async fn renew(&self, lease: &WorkLease, ttl: Duration) -> Result<WorkLease, Error> {
        let WorkLease { operation: id, owner, fence, .. } = lease;
        let shard = self.inner.shard_of(*id).await?;
        let call = Call::new(&RENEW, shard).number(id).arg(owner).number(fence).number(ttl_us(ttl));
        let mut reply = self.inner.run(call).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(WorkLease { expires: instant(reply.number()?), ..lease.clone() }),
            "missing" => Err(Error::NotFound(*id)),
            _ => Err(Error::LeaseLost(id.name())),
        }
    }

    async fn commit(&self, lease: &WorkLease, commit: Commit) -> Result<(Operation, Option<WorkLease>), Error> {
        self.inner.commit(lease, commit).await
    }

    async fn request_cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error> {
        self.inner.cancel(id, request).await
    }

    async fn reopen(&self, change: Operation) -> Result<Operation, Error> {
        self.inner.reopen(change).await
    }

    async fn changed(&self, id: OperationId, after: u64) -> Result<Operation, Error> {
        let mut watcher = self.inner.news.watch(id);
        loop {
            let operation = self.inner.get(id).await?;
            if operation.revision > after || operation.state.is_final() {
                return Ok(operation);
            }
            watcher.changed().await;
        }
    }

    async fn wait_due(&self, kinds: &[String], at_most: Duration) {
        let mut work = self.inner.news.watch_due();
        let started = Instant::now();
        loop {
            let left = at_most.saturating_sub(started.elapsed()).min(LONGEST_SLEEP);
            if left.is_zero() {
                return;
            }
            let sleep = match timeout(left, self.inner.until_due(kinds)).await {
                Ok(Ok(Some(wait))) if wait.is_zero() => return,
                Ok(Ok(Some(wait))) => left.min(wait),
                Ok(Ok(None)) => left,
                // A store that cannot be read has nothing due; the claim says what is wrong.
                Ok(Err(_)) | Err(_) => left.min(at_most.saturating_sub(started.elapsed())),
            };
            // Either the time is up or there is news; both are looked at above.
            drop(timeout(sleep, work.changed()).await);
        }
    }
}

impl Inner {
    async fn get(&self, id: OperationId) -> Result<Operation, Error> {
        let shard = self.shard_of(id).await?;
        let mut reply = self.run(Call::new(&GET, shard).number(id)).await?;
        match reply.text()?.as_str() {
            "ok" => reply.found()?.operation(),
            _ => Err(Error::NotFound(id)),
        }
    }

    /// Returns how long it is until something is due; `None` when nothing ever is.
    async fn until_due(&self, kinds: &[String]) -> Result<Option<Duration>, Error> {
        let looks = self.groups().into_iter().map(|shards| self.next_due(shards, kinds));
        let due =
            try_join_all(looks).await?.into_iter().filter_map(|(now, due)| due.map(|due| due.saturating_sub(now)));
        Ok(due.min().map(|wait| Duration::from_micros(u64::try_from(wait).unwrap_or(0))))
    }
}
