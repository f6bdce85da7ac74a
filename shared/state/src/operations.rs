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
    /// The lease goes back; the operation is due at the given time (a past one means at once), or earlier when a
    /// cancel or a free unit called for it while it was leased. One that this commit puts into the waiting list is
    /// due at its earliest start.
    DueAt(Timestamp),
    /// The lease goes back, and the operation stands in line for its lane, which it has found held: it is due when the
    /// lane is given back and it is the first in line. One with an open intent stands before those without; of equals,
    /// who waits longest is first. If nobody gives the lane back, the first is due when the lease of the lane runs
    /// out, and the others one after another a little later. The next commit of any other kind leaves the line.
    InLine {
        /// Since when it waits; it may be claimed and put back with the same time.
        since: Timestamp,
        /// When it is due at the latest, whoever is before it.
        at_latest: Option<Timestamp>,
    },
    /// The operation has ended: lease, due queue and waiting list forget it, a reservation goes back, and what is
    /// committed stays counted. Goes with a final state, and a final state goes with it.
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
    /// waiting list that the operation's age gives it. One that is being cancelled, or ends, takes no place.
    SpentElsewhere {
        /// Whether the operation waits for the reset; otherwise it only gives up its units.
        requeue: bool,
    },
}

/// One atomic write of a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// The record as it is to be kept. The store sets `revision`, `updated` and `quota`, and keeps its own `cancel`
    /// and what identifies the operation: `id`, `kind`, `lane`, `caller`, `request_id`, `request_digest`, `created`.
    /// While a cancel stands, `Running` and `WaitingForQuota` are kept as `Cancelling`.
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

    /// Lists operations, newest first. A record that cannot be read is left out, and logged.
    async fn list(&self, query: &ListQuery) -> Result<ListPage, Error>;

    /// Claims at most `limit` due operations of `kinds`, longest due first, each for `ttl`.
    ///
    /// An operation whose lease ran out is due at that time. May return none. One whose record cannot be read is
    /// logged, skipped, and tried again a minute later; the others are claimed all the same.
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
    /// Nothing changes with any of them:
    /// - [`Error::LeaseLost`] when the work lease or the lane lease is stale: granted anew, given back, or run out,
    ///   even if nobody took it since.
    /// - [`Error::Invalid`] when the record is of another operation, `next` does not go with its state, or `units`
    ///   come without a rule.
    /// - [`Error::QuotaSpent`] when [`UnitsChange::Commit`] finds the reservation lapsed.
    async fn commit(&self, lease: &WorkLease, commit: Commit) -> Result<(Operation, Option<WorkLease>), Error>;

    /// Asks for a cancel: keeps the request in the record and makes the operation due at once.
    ///
    /// An operation in the state `WaitingForQuota` ends as cancelled right here with its open targets, and spends
    /// nothing, unless it has committed units or an unsettled intent. Every other one becomes `Cancelling` and leaves
    /// the waiting list; a worker that has it at that moment keeps it, and it is due again when given back. Asking
    /// again changes nothing but may turn `remove_result` on. The time of the request is the store's.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Ended`] when it has ended.
    async fn request_cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error>;

    /// Puts an ended operation back to work: `change` becomes the record (state `Running`), if its revision is
    /// still the one in the store.
    ///
    /// It is due at once, its cancel and `finished` are cleared. What it had committed stays counted and is its own
    /// no more: a new mutating call needs a new unit. Identity is kept as by [`commit`](Self::commit).
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the record changed in between or has not ended; [`Error::NotFound`].
    async fn reopen(&self, change: Operation) -> Result<Operation, Error>;

    /// Waits until the operation's revision is above `after`, and returns the newest record.
    ///
    /// Level-triggered: revisions in between are skipped. An ended operation returns at once whatever `after` is.
    /// A move in the waiting list is no change: it shows when the record is read.
    ///
    /// # Cancellation
    /// Dropping the future leaves nothing behind.
    async fn changed(&self, id: OperationId, after: u64) -> Result<Operation, Error>;

    /// Waits until an operation of `kinds` may be due, or `at_most` has passed. Early returns are allowed.
    ///
    /// `at_most` runs on the machine's clock. A jump of the store's clock is noticed within half a second or so.
    async fn wait_due(&self, kinds: &[String], at_most: Duration);
}
