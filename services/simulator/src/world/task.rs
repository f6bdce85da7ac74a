//! Decides how an export runs: what its progress is at a moment, and when which object is there.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use sampan_core::{Cloud, ImageFormat};
use serde::Serialize;

use super::fault::FaultKind;
use crate::content::Content;

/// Condition of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Under way.
    Running,
    /// Every object is written.
    Finished,
    /// Given up by the cloud; objects of finished disks stay.
    Failed,
    /// Cancelled by the account; objects of finished disks stay.
    Cancelled,
}

/// One export as its account sees it at a moment.
#[derive(Debug, Clone, Serialize)]
pub struct Task {
    /// The cloud that runs it.
    pub cloud: Cloud,
    /// The account that started it.
    pub account: String,
    /// Region code.
    pub region: String,
    /// Alibaba's task id, `t-` and 20 characters; given on Tencent too, where nobody sees it.
    pub id: String,
    /// Tencent's task number.
    pub number: u64,
    /// The vendor action that started it.
    pub action: String,
    /// Images that it exports; one on Alibaba.
    pub image_ids: Vec<String>,
    /// Bucket that it writes to.
    pub bucket: String,
    /// Format of the objects.
    pub format: ImageFormat,
    /// Condition.
    pub status: TaskStatus,
    /// Whole percents, 0 to 100; 100 only when finished.
    pub progress: u8,
    /// Time of the start, on the world's clock.
    pub created_at: Timestamp,
    /// Time of the end, on the world's clock; `None` while running.
    pub finished_at: Option<Timestamp>,
    /// The objects, one a disk, in the order of the disks.
    pub objects: Vec<TaskObject>,
}

/// One object of an export.
#[derive(Debug, Clone, Serialize)]
pub struct TaskObject {
    /// Key, without a leading slash.
    pub key: String,
    /// Image that the disk belongs to.
    pub image_id: String,
    /// Device path of the disk.
    pub device: String,
    /// Snapshot of the disk.
    pub snapshot_id: String,
    /// True when the object is in the bucket.
    pub written: bool,
}

/// How an object's bytes are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packaging {
    /// The disk file as it is.
    Plain,
    /// A gzip of a tar with the disk file as its one, sparse member of this name's stem.
    TarGz,
}

/// An object in the making: what must end before its task can.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    /// Filled once, by the one who makes the object.
    pub(super) result: OnceLock<Result<Prepared, String>>,
    /// Whole percents that are made.
    pub(super) percent: AtomicU8,
}

impl Preparation {
    fn percent(&self) -> u32 {
        if self.result.get().is_some() { 100 } else { u32::from(self.percent.load(Ordering::Relaxed)) }
    }
}

/// An object's bytes with the sums that buckets tell.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) content: Content,
    pub(super) crc64: u64,
    pub(super) etag: String,
}

/// What the world keeps of a task.
#[derive(Debug)]
pub(super) struct TaskRecord {
    pub(super) view: Task,
    pub(super) plans: Vec<ObjectPlan>,
    pub(super) duration: SignedDuration,
    pub(super) spoiled: Option<Spoiled>,
}

/// When an object is due, and its bytes.
#[derive(Debug)]
pub(super) struct ObjectPlan {
    pub(super) due_at: Timestamp,
    pub(super) preparation: Arc<Preparation>,
}

/// A task that was ordered to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoiled {
    /// Fails at half of its time.
    Fails,
    /// Stays at half of its progress.
    Stalls,
    /// Leaves nothing behind at half of its time; an export fails instead.
    Vanishes,
}

impl Spoiled {
    pub(super) fn by(kind: FaultKind) -> Option<Self> {
        match kind {
            FaultKind::FailTask => Some(Self::Fails),
            FaultKind::StallTask => Some(Self::Stalls),
            FaultKind::VanishTask => Some(Self::Vanishes),
            // Goes wrong in how it looks alone.
            FaultKind::LateTask => None,
            // The others are orders for calls, never taken for a task.
            FaultKind::Throttle
            | FaultKind::ServerError
            | FaultKind::Slow
            | FaultKind::Reset
            | FaultKind::AnswerLost => None,
        }
    }
}

/// An object that has become due.
pub(super) struct Due {
    pub(super) index: usize,
    pub(super) at: Timestamp,
    pub(super) prepared: Prepared,
}

impl TaskRecord {
    fn half_time(&self) -> Timestamp {
        self.view.created_at.checked_add(self.duration / 2).unwrap_or(self.view.created_at)
    }

    /// Brings the task to `now` and returns the objects that have become due, in order.
    pub(super) fn settle(&mut self, now: Timestamp) -> Vec<Due> {
        if self.view.status != TaskStatus::Running {
            return Vec::new();
        }
        let horizon = if self.spoiled.is_some() { now.min(self.half_time()) } else { now };
        let mut due = Vec::new();
        for (index, (plan, object)) in self.plans.iter().zip(&mut self.view.objects).enumerate() {
            if object.written || plan.due_at > horizon {
                continue;
            }
            match plan.preparation.result.get() {
                Some(Ok(prepared)) => {
                    object.written = true;
                    due.push(Due { index, at: plan.due_at, prepared: prepared.clone() });
                }
                Some(Err(_)) => {
                    self.view.status = TaskStatus::Failed;
                    self.view.finished_at = Some(now);
                    return due;
                }
                // Still packed in the background: the task goes on for as long as that takes.
                None => {}
            }
        }
        self.view.progress = self.progress_at(horizon);
        if self.view.objects.iter().all(|object| object.written) {
            self.view.status = TaskStatus::Finished;
            self.view.progress = 100;
            self.view.finished_at = due.last().map(|last| last.at).or(Some(now));
        } else if matches!(self.spoiled, Some(Spoiled::Fails | Spoiled::Vanishes)) && now >= self.half_time() {
            self.view.status = TaskStatus::Failed;
            self.view.finished_at = Some(self.half_time());
        }
        due
    }

    /// Follows the clock, and the packing where that is slower; never goes back.
    fn progress_at(&self, at: Timestamp) -> u8 {
        let passed = at.duration_since(self.view.created_at).as_secs_f64();
        let whole = self.duration.as_secs_f64().max(0.001);
        // The cast saturates, and the clamp keeps 100 for finished tasks.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=99")]
        let by_clock = (passed / whole * 100.0).clamp(0.0, 99.0) as u8;
        let packed: u32 = self.plans.iter().map(|plan| plan.preparation.percent()).sum();
        let by_packing = packed / u32::try_from(self.plans.len()).unwrap_or(u32::MAX).max(1);
        by_clock.min(u8::try_from(by_packing).unwrap_or(u8::MAX)).max(self.view.progress)
    }
}
