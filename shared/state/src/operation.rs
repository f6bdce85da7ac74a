//! The record of one durable operation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use sampan_core::{Lane, OperationId, RequestId, Violation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admission::OnSpent;
use crate::json::Json;

/// Version of the record; a reader refuses a higher one.
pub const RECORD_VERSION: u32 = 1;

/// What an operation does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Waits for a unit of its lane's quota.
    WaitingForQuota,
    /// Its steps run, or wait for the cloud.
    Running,
    /// A cancel was asked for and is being carried out.
    Cancelling,
    /// Every target succeeded.
    Succeeded,
    /// Some targets succeeded, the others failed.
    PartiallySucceeded,
    /// No target succeeded.
    Failed,
    /// Was cancelled.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::WaitingForQuota,
        Self::Running,
        Self::Cancelling,
        Self::Succeeded,
        Self::PartiallySucceeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Returns whether nothing changes any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::WaitingForQuota | Self::Running | Self::Cancelling => false,
            Self::Succeeded | Self::PartiallySucceeded | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// What one target does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TargetState {
    /// Not begun.
    Pending,
    /// Runs.
    Running,
    /// Done and proven.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Was cancelled.
    Cancelled,
}

impl TargetState {
    /// Returns whether nothing changes any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// Why an operation or a target failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Word of a [`sampan_core::Reason`].
    pub reason: String,
    /// What happened, without secrets.
    pub message: String,
    /// The vendor's code, if the cloud said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_code: Option<String>,
    /// The vendor's request id, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_request_id: Option<String>,
    /// Rules that are broken, when that is the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

/// One disk, region or account that the operation works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Identity within the operation: device of a disk (`xvda`), region, or account number.
    pub id: String,
    /// What a person calls it, such as `system disk, 50 GiB`.
    pub label: String,
    /// What it does now.
    pub state: TargetState,
    /// Percent done, 0 to 100; `None` where the cloud does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Ids at the cloud by kind, such as `task`, `object`, `image`, `snapshot`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cloud_ids: BTreeMap<String, String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Times that it was begun.
    pub attempts: u32,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When its state or percent last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_progress: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Facts of the kind, such as the proven object.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub facts: Value,
}

/// Where the operation stands with its lane's quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum QuotaHold {
    /// It needs no unit (any more).
    None,
    /// It stands in the waiting list.
    Waiting {
        /// Place in the list, 0 for the next; filled in when the record is read.
        #[serde(default)]
        position: u32,
        /// When it can start at the earliest; filled in when the record is read.
        #[serde(default)]
        earliest_start: Option<Timestamp>,
    },
    /// Units are held for the given day.
    Reserved {
        /// The day.
        day: Date,
        /// Units.
        units: u32,
    },
    /// Units are used for good.
    Committed {
        /// The day.
        day: Date,
        /// Units.
        units: u32,
    },
    /// The held units were given back.
    Released,
}

/// A mutating cloud call that is about to be made, or whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The step that makes it.
    pub step: String,
    /// The vendor's name of the action.
    pub action: String,
    /// Token that the call carries, where the action takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The vendor's clock before the call, or the store's where the vendor's is not known: effects are not older.
    pub since: Timestamp,
    /// When it was written, the store's clock.
    pub written: Timestamp,
    /// What the step needs to recognise the effect.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

/// How far the saga is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Index of the step that is next.
    pub next_step: u32,
    /// Name of that step; empty when none is left.
    pub step_name: String,
    /// Outputs of the steps that are done, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// What the current step keeps between its polls.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub scratch: Value,
    /// Times that the current step was begun without being done.
    pub step_attempts: u32,
    /// Times that the current step failed in a way worth repeating, in a row.
    pub step_failures: u32,
    /// When the current step was begun first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_started: Option<Timestamp>,
    /// A mutating call of the current step that is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Steps that are being undone, after a cancel or a failure: index of the next one to undo, plus one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_from: Option<u32>,
    /// The units count as used, but the announced call surely had no effect and will be repeated: they go back
    /// should the operation end before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub units_unused: bool,
    /// A cancel came too late: the steps go on although one was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_too_late: bool,
    /// Since when the cloud has shown nothing new although it was expected to; the stall alarm counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_since: Option<Timestamp>,
}

/// A cancel that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Whether what the operation made is to be removed, even if it arrives later.
    pub remove_result: bool,
}

/// A word to the caller that does not stop the operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable word.
    pub code: String,
    /// What the caller should know.
    pub message: String,
}

/// The record of one durable operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Version of the record's form.
    pub version: u32,
    /// Identity.
    pub id: OperationId,
    /// Which saga continues it, such as `export`.
    pub kind: String,
    /// Lane of its mutating calls.
    pub lane: Lane,
    /// Who started it; empty when callers are not told apart.
    pub caller: String,
    /// The caller's own labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The checked request, as its saga reads it.
    pub request: Json,
    /// SHA-256 of the start, lower-case hex: tells an equal request from another.
    pub request_digest: String,
    /// What it does now.
    pub state: State,
    /// What it works on; empty until the plan is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Where it stands with the quota.
    pub quota: QuotaHold,
    /// Units of its lane's day that its mutating calls need; 0 when it makes none.
    #[serde(default)]
    pub units: u32,
    /// What becomes of it when the units are not there.
    #[serde(default)]
    pub on_spent: OnSpent,
    /// How far its saga is.
    pub journal: Journal,
    /// Percent done over all targets; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// What the caller should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// A cancel that was asked for; only the store sets it, and a commit never takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelRequest>,
    /// Result of its kind, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// When it was admitted.
    pub created: Timestamp,
    /// When its first step began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When a target's state or percent last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_progress: Option<Timestamp>,
    /// When the record last changed.
    pub updated: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// When Sampan stops waiting for the cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Since when it is suspected of having stalled; a later progress clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalled_since: Option<Timestamp>,
    /// The call that started it, as a `traceparent`, where that call is traced: what links its runs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// Grows by one with every change.
    pub revision: u64,
}

impl Operation {
    /// Returns the image that the request names, as requests of every kind do.
    pub fn image(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct OfImage {
            image: String,
        }
        self.request.read::<OfImage>().map(|request| request.image).ok()
    }
}
