//! Leases: the right to work on a lane or on an operation, for a time, with a fence.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Lane, OperationId};

use crate::error::Error;

/// The right to make decisions about one lane's cloud limits.
///
/// The fence grows with every grant of the lane, so a write that carries an older one is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneLease {
    /// The lane.
    pub lane: Lane,
    /// Who holds it: one string per process and task.
    pub owner: String,
    /// Grows with every grant.
    pub fence: u64,
    /// When it runs out, the store's clock.
    pub expires: Timestamp,
}

/// The right to run the steps of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkLease {
    /// The operation.
    pub operation: OperationId,
    /// Who holds it.
    pub owner: String,
    /// Grows with every claim of the operation.
    pub fence: u64,
    /// When it runs out, the store's clock.
    pub expires: Timestamp,
}

/// Mutual exclusion per lane.
#[async_trait]
pub trait LaneLocks: Send + Sync {
    /// Takes the lane for `ttl`, unless somebody else holds it. The owner of the live lease gets a fresh grant.
    ///
    /// # Errors
    /// [`Error::LaneHeld`] when another owner holds it; nothing changes then.
    async fn lock_lane(&self, lane: &Lane, owner: &str, ttl: Duration) -> Result<LaneLease, Error>;

    /// Prolongs a live lease to `ttl` from now, with the same fence.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when it ran out or was granted anew.
    async fn renew_lane(&self, lease: &LaneLease, ttl: Duration) -> Result<LaneLease, Error>;

    /// Gives the lane back, and makes the first in line for it due ([`Next::InLine`](crate::Next::InLine)). Only its
    /// owner can; a lease that is lost already is no error.
    async fn unlock_lane(&self, lease: &LaneLease) -> Result<(), Error>;
}
