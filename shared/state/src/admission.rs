//! Admission: the one decision that turns a request into an operation.

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::quota_day::QuotaRule;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::operation::Operation;

/// What becomes of a start when the day's units do not suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnSpent {
    /// It is refused.
    #[default]
    Refuse,
    /// It takes its place at the end of the lane's waiting list.
    Queue,
}

/// Units that an operation needs of its lane's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaRequest {
    /// Mutating calls, 1 or more.
    pub units: u32,
    /// Limit and day of the lane.
    pub rule: QuotaRule,
    /// What happens when they are not there.
    pub on_spent: OnSpent,
}

/// A start that asks to be admitted.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// The record as it is to be kept; the store sets `version`, `created`, `updated`, `revision` (1), `quota`,
    /// `cancel` (none), and `state` to `Running` or `WaitingForQuota`.
    pub operation: Operation,
    /// Units of quota; `None` when the operation needs none.
    pub quota: Option<QuotaRequest>,
    /// When its first step is due; `None` means at once. One that waits for quota is not due before its earliest
    /// start either.
    pub first_due: Option<Timestamp>,
}

/// What became of a start.
#[derive(Debug, Clone, PartialEq)]
pub enum Admitted {
    /// A new operation.
    New(Operation),
    /// The operation that the same request started before.
    Existing(Operation),
}

/// The one decision that turns a request into an operation.
#[async_trait]
pub trait Admission: Send + Sync {
    /// Decides on a start in one atomic write: request id seen before, quota reserved or place in the waiting
    /// list taken, record kept, due queue entered.
    ///
    /// Idempotent under the operation's id: a repeat after a lost answer returns the operation as
    /// [`Admitted::New`] again and counts nothing twice. Nobody overtakes the waiting list: units that earlier
    /// waiters will take count as used.
    ///
    /// # Errors
    /// - [`Error::RequestIdReused`] when the request id (scoped by `caller`) belongs to another request digest.
    /// - [`Error::QuotaSpent`] with [`OnSpent::Refuse`]; also with [`OnSpent::Queue`] when it needs more units than a
    ///   whole day has, for it would hold up the lane for ever. Nothing is held and nothing is kept then.
    /// - [`Error::Invalid`] when 0 units are asked for, or the operation's id belongs to another caller or digest.
    async fn admit(&self, start: NewOperation) -> Result<Admitted, Error>;
}
