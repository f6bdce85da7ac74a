//! Operations: reading, claiming, committing, cancelling, watching.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Cloud, OperationId};

use crate::error::Error;
use crate::lease::{LaneLease, WorkLease};
use crate::operation::{CancelRequest, Operation, State};

/// Which operations to list. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Kinds.
    pub kinds: Vec<String>,
    /// States.
    pub states: Vec<State>,
    /// Cloud of the lane.
    pub cloud: Option<Cloud>,
    /// Account of the lane.
    pub account: Option<String>,
    /// Region of the lane.
    pub region: Option<String>,
    /// Starter.
    pub caller: Option<String>,
    /// Labels that must all be there with that value.
    pub labels: Vec<(String, String)>,
    /// Operations per page, 1 to 1000.
    pub page_size: u32,
    /// Only operations older than this one: the last of the page before.
    pub before: Option<OperationId>,
}

/// A page of operations, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage {
    /// The operations.
    pub operations: Vec<Operation>,
    /// Whether older ones match too.
    pub more: bool,
}

/// An operation that is due, and the right to work on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The record as it is now.
    pub operation: Operation,
    /// The right to work on it.
    pub lease: WorkLease,
}

/// What comes after a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The worker goes on at once and keeps the lease, prolonged by the given time.
    Keep(Duration),
    /// The lease goes back; the operation is due at the given time (a past one means at once).
    DueAt(Timestamp),
    /// The operation has ended: lease, due queue and waiting list forget it.
    Ended,
}

/// What a commit does to the operation's units, in the same atomic write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitsChange {
    /// Nothing.
    Leave,
    /// As [`QuotaLedger::commit_units`](crate::quota::QuotaLedger::commit_units): use for good; refused when lapsed.
    Commit,
    /// As [`QuotaLedger::release_units`](crate::quota::QuotaLedger::release_units).
    Release,
    /// The cloud says that the day is spent: release the units, mark the lane spent, and take the place in the
    /// waiting list that the operation's age gives it.
    SpentElsewhere {
        /// Whether the operation waits for the reset; otherwise it only gives up its units.
        requeue: bool,
    },
}

/// One atomic write of a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// The record as it is to be kept. The store sets `revision`, `updated` and `quota`, and keeps its own `cancel`.
    pub operation: Operation,
    /// What comes next.
    pub next: Next,
    /// What happens to the units.
    pub units: UnitsChange,
    /// Rule of the lane; needed when `units` is not [`UnitsChange::Leave`].
    pub rule: Option<QuotaRule>,
    /// Lane lease whose fence must still be the newest, for a write that precedes a mutating call.
    pub lane: Option<LaneLease>,
}

/// Operations and their due queue.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Reads one operation, its place in the waiting list filled in.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn get(&self, id: OperationId) -> Result<Operation, Error>;

    /// Lists operations, newest first.
    async fn list(&self, query: &ListQuery) -> Result<ListPage, Error>;

    /// Claims at most `limit` due operations of `kinds`, longest due first, each for `ttl`.
    ///
    /// An operation whose lease ran out is due at that time. May return none.
    async fn claim(&self, kinds: &[String], owner: &str, limit: u32, ttl: Duration) -> Result<Vec<Claim>, Error>;

    /// Prolongs a live work lease to `ttl` from now.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    async fn renew(&self, lease: &WorkLease, ttl: Duration) -> Result<WorkLease, Error>;

    /// Writes the outcome of a step: fence check, record, due queue, units, lease, watchers, in one atomic write.
    ///
    /// Returns the record as kept, and the lease when it was kept.
    ///
    /// # Errors
    /// - [`Error::LeaseLost`] when the work lease or the lane lease is stale; nothing changes.
    /// - [`Error::QuotaSpent`] when [`UnitsChange::Commit`] finds the reservation lapsed; nothing changes.
    async fn commit(&self, lease: &WorkLease, commit: Commit) -> Result<(Operation, Option<WorkLease>), Error>;

    /// Asks for a cancel: keeps the request in the record and makes the operation due at once.
    ///
    /// An operation that waits for quota ends as cancelled right here, and spends nothing. Asking again
    /// changes nothing but may turn `remove_result` on.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Ended`] when it has ended.
    async fn request_cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error>;

    /// Puts an ended operation back to work: `change` becomes the record (state `Running`), if its revision is
    /// still the one in the store.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the record changed in between; [`Error::NotFound`].
    async fn reopen(&self, change: Operation) -> Result<Operation, Error>;

    /// Waits until the operation's revision is above `after`, and returns the newest record.
    ///
    /// Level-triggered: revisions in between are skipped. An ended operation returns at once whatever `after` is.
    ///
    /// # Cancellation
    /// Dropping the future leaves nothing behind.
    async fn changed(&self, id: OperationId, after: u64) -> Result<Operation, Error>;

    /// Waits until an operation of `kinds` may be due, or `at_most` has passed. Early returns are allowed.
    async fn wait_due(&self, kinds: &[String], at_most: Duration);
}
