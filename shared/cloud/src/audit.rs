//! Decides what an audit record holds, and what a place that keeps records promises.
//!
//! The layer that records cloud calls is `stack::audit`; refused requests are recorded by the edge; the file and the
//! collector that keep records are in the chassis. A record never holds a credential, a signed address or a body.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Cloud, Region, SharedClock};
use serde::Serialize;

use crate::error::CallClass;

tokio::task_local! {
    static CURRENT: Arc<CallContext>;
}

/// For whom and why calls are made: set around the work of a step, read by whatever is called in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CallContext {
    /// Name of the operation, such as `operations/0192…`; `None` outside of operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Who asked for it; empty when callers are not told apart.
    pub caller: String,
    /// Kind of the operation; empty outside of operations.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Step, `cancel`, or `undo` and the step; empty outside of operations.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// Units of the lane's day that the work counts as; 0 when it is not counted.
    pub units: u32,
}

impl CallContext {
    /// Runs `work` with this context. Calls of tasks that `work` spawns have none.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(Arc::new(self), work)
    }

    /// Returns the context that the current task works in; an empty one when none is set.
    pub fn current() -> Arc<Self> {
        CURRENT.try_with(Arc::clone).unwrap_or_default()
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRecord {
    /// When it was made.
    pub time: Timestamp,
    /// The same in all records of one call.
    pub id: String,
    /// For whom and why.
    #[serde(flatten)]
    pub context: CallContext,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum AuditEvent {
    /// A call that changes something is about to be made. Without an outcome of the same id after it, the process
    /// ended in between, and the call may have taken effect.
    Call(CloudCall),
    /// A call has ended, with all its attempts.
    Outcome(CallOutcome),
    /// A request of a caller was refused.
    Refused(Refusal),
}

impl AuditEvent {
    /// Returns the word of the phase.
    pub fn phase(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Outcome(_) => "outcome",
            Self::Refused(_) => "refused",
        }
    }
}

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudCall {
    /// The cloud.
    pub cloud: Cloud,
    /// The configured name of the account.
    pub account: String,
    /// Region that the call is about.
    pub region: Region,
    /// The vendor's name of the action.
    pub action: &'static str,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallOutcome {
    /// Where it went.
    #[serde(flatten)]
    pub call: CloudCall,
    /// The word for it.
    pub outcome: OutcomeWord,
    /// Reason under which a failure is told to callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The vendor's code of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The vendor's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_request_id: Option<String>,
    /// Attempts made.
    pub attempts: u32,
}

/// The effect of a call, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// The cloud accepted it.
    Ok,
    /// It surely had no effect.
    Failed,
    /// It may have had an effect.
    Unknown,
    /// It was not made, because its record could not be written.
    NotMade,
}

impl OutcomeWord {
    /// Returns the word for a failure of class `class`.
    pub fn of(class: CallClass) -> Self {
        match class {
            CallClass::UnknownOutcome => Self::Unknown,
            CallClass::Transient
            | CallClass::Throttled
            | CallClass::Busy
            | CallClass::Quota
            | CallClass::Caller
            | CallClass::NotFound
            | CallClass::Permission
            | CallClass::Credentials => Self::Failed,
        }
    }
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Full name of the method, such as `/sampan.export.v1.ExportService/ExportImage`.
    pub method: String,
    /// Id of the call, as its answer and the log lines name it.
    pub request_id: String,
    /// Address of the caller's connection; `None` within the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Status, such as `PERMISSION_DENIED`.
    pub code: String,
    /// Reason of the ErrorInfo.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What the caller was told.
    pub message: String,
    /// Facts of the ErrorInfo.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Why a record is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit record cannot be written: {0}")]
pub struct AuditError(pub String);

/// A place that keeps records.
#[async_trait]
pub trait AuditLog: Send + Sync + fmt::Debug {
    /// Keeps a record for good, before what it tells of is done.
    ///
    /// # Errors
    /// [`AuditError`] when it is not surely kept; then nothing of it may be done.
    ///
    /// # Cancellation
    /// The record may be kept.
    async fn announce(&self, record: &AuditRecord) -> Result<(), AuditError>;

    /// Keeps a record of what has been done, without waiting. What cannot be kept is told in the log.
    fn note(&self, record: &AuditRecord);

    /// Returns whether the last record could not be kept.
    fn is_failing(&self) -> bool {
        false
    }
}

/// Records the calls of one account.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    /// The configured name of the account.
    pub account: Arc<str>,
    /// Where the records are kept.
    pub log: Arc<dyn AuditLog>,
    /// The clock of the records.
    pub clock: SharedClock,
}
