//! Decides which calls and tasks go wrong on demand.

use std::time::Duration;

use sampan_core::Cloud;
use serde::{Deserialize, Serialize};

/// Actions of the buckets, the same names for both clouds.
const BUCKET_ACTIONS: [&str; 6] = ["HeadBucket", "HeadObject", "GetObject", "ListObjects", "PutObject", "DeleteObject"];
/// Actions of CVM (and the snapshot look-up of CBS).
const TENCENT_ACTIONS: [&str; 9] = [
    "ExportImages",
    "SyncImages",
    "CreateImage",
    "DeleteImages",
    "ModifyImageSharePermission",
    "DescribeImageSharePermission",
    "DescribeImages",
    "DescribeImageQuota",
    "DescribeSnapshots",
];
/// Actions of ECS.
const ALIBABA_ACTIONS: [&str; 15] = [
    "ExportImage",
    "CopyImage",
    "CancelCopyImage",
    "CreateImage",
    "CopySnapshot",
    "DeleteImage",
    "DeleteSnapshot",
    "ModifyImageSharePermission",
    "DescribeImageSharePermission",
    "DescribeImages",
    "DescribeTasks",
    "DescribeTaskAttribute",
    "CancelTask",
    "DescribeSnapshots",
    "DescribeRegions",
];

/// Returns whether `cloud` has the action; `None` asks for either cloud.
pub fn is_action(cloud: Option<Cloud>, action: &str) -> bool {
    let of = |cloud| match cloud {
        Cloud::Tencent => TENCENT_ACTIONS.contains(&action),
        Cloud::Alibaba => ALIBABA_ACTIONS.contains(&action),
    };
    BUCKET_ACTIONS.contains(&action) || cloud.map_or_else(|| Cloud::ALL.into_iter().any(of), of)
}

/// Actions whose work goes on after their answer.
const TASK_ACTIONS: [&str; 6] =
    ["ExportImages", "ExportImage", "SyncImages", "CopyImage", "CreateImage", "CopySnapshot"];

/// Returns whether an action starts work that can fail or stall later.
pub fn starts_task(action: &str) -> bool {
    TASK_ACTIONS.contains(&action)
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Refused because of too many requests.
    Throttle,
    /// The vendor's internal error.
    ServerError,
    /// Served after a pause.
    Slow,
    /// Connection cut before the effect; a body is cut in its middle.
    Reset,
    /// Effect done, connection cut.
    AnswerLost,
    /// The next task of the action fails half-way.
    FailTask,
    /// The next task of the action stops half-way and never ends.
    StallTask,
    /// What the next copy or image of the action makes is gone half-way, without a trace.
    VanishTask,
    /// The image that the next copy makes is not shown for the pause, though it is there.
    LateTask,
}

impl FaultKind {
    /// Returns whether it befalls the work after the answer, not the call.
    pub fn is_of_tasks(self) -> bool {
        matches!(self, Self::FailTask | Self::StallTask | Self::VanishTask | Self::LateTask)
    }
}

/// An order to let calls or tasks go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// One cloud only, or both.
    pub cloud: Option<Cloud>,
    /// Vendor action or bucket action.
    pub action: String,
    /// One region only: the caller's for calls, the destination for tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many calls (or tasks) are left.
    pub times: u32,
    /// Pause before the call is served, refused or cut; for [`FaultKind::LateTask`] how long nothing shows.
    #[serde(rename = "delay_ms", serialize_with = "as_millis")]
    pub delay: Duration,
}

fn as_millis<S: serde::Serializer>(delay: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

/// What a vendor module does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Serve it.
    Serve,
    /// Serve it, record [`Outcome::Lost`](super::Outcome::Lost) if it was accepted, answer with
    /// [`listen::cut`](crate::listen::cut).
    ServeAndLose,
    /// Refuse it with the vendor's throttling code.
    Throttle,
    /// Refuse it with the vendor's internal error.
    ServerError,
    /// Do nothing, record [`Outcome::Reset`](super::Outcome::Reset), answer with [`listen::cut`](crate::listen::cut);
    /// for `GetObject` cut in the middle of the body with [`Content::cut_body`](crate::content::Content::cut_body).
    Cut,
}

/// The orders that are not used up, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults {
    orders: Vec<Fault>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.orders.push(fault);
    }

    pub(super) fn list(&self) -> Vec<Fault> {
        self.orders.clone()
    }

    /// Uses up one call's worth of the oldest order for a call (or task, when `for_task`).
    pub(super) fn take(&mut self, cloud: Cloud, action: &str, region: &str, for_task: bool) -> Option<Fault> {
        let index = self.orders.iter().position(|fault| {
            fault.kind.is_of_tasks() == for_task
                && fault.action == action
                && fault.cloud.is_none_or(|wanted| wanted == cloud)
                && fault.region.as_deref().is_none_or(|wanted| wanted == region)
        })?;
        let fault = self.orders.get_mut(index)?;
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        if fault.times == 0 {
            self.orders.remove(index);
        }
        Some(taken)
    }
}

impl Fault {
    pub(super) fn verdict(&self) -> Verdict {
        match self.kind {
            FaultKind::Throttle => Verdict::Throttle,
            FaultKind::ServerError => Verdict::ServerError,
            FaultKind::Slow => Verdict::Serve,
            FaultKind::Reset => Verdict::Cut,
            FaultKind::AnswerLost => Verdict::ServeAndLose,
            // Never taken for a call: see `Faults::take`.
            FaultKind::FailTask | FaultKind::StallTask | FaultKind::VanishTask | FaultKind::LateTask => Verdict::Serve,
        }
    }
}
