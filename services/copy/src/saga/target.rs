//! What is known of one destination: kept as the facts of its target, so that any process can go on with it.

use jiff::Timestamp;
use sampan_core::{ImageId, Region};
use sampan_ops::{StepContext, StepError};
use sampan_state::operation::{Failure, Operation, Target, TargetState};
use sampan_state::result::Leftover;
use serde::{Deserialize, Serialize};

use crate::spec::Route;

/// Id of the copy in the ids of a target.
const IMAGE: &str = "image";
/// Ids of its snapshots, separated by commas.
const SNAPSHOTS: &str = "snapshots";

/// The copy of one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Work {
    /// Name of the copy.
    pub(super) name: String,
    /// How its content travels, where that differs from the plan.
    pub(super) route: Option<Route>,
    /// Calls for the image of this destination that came to an end, accepted or refused.
    pub(super) calls: u32,
    /// When the call for the image was accepted.
    pub(super) called: Option<Timestamp>,
    /// The copy, once it is known.
    pub(super) image: Option<ImageId>,
    /// Images of that name that were there before: never taken for the copy.
    pub(super) before: Vec<String>,
    /// Whether the copy has been seen in its destination.
    pub(super) seen: bool,
    /// Looks in a row that did not find it.
    pub(super) misses: u32,
    /// Whether it is usable. Where all or nothing was asked for, it is held back as running until all are.
    pub(super) is_usable: bool,
    /// Snapshots behind it.
    pub(super) snapshots: Vec<String>,
    /// Capacity of its disks in GiB.
    pub(super) disk_gib: Vec<u64>,
    /// The disks on the way by snapshots.
    pub(super) disks: Vec<DiskWork>,
    /// How far its share is.
    pub(super) share: Option<ShareWork>,
    /// What earlier attempts left that could not be removed.
    pub(super) leftovers: Vec<Leftover>,
    /// Images that were removed; lists may show them a while longer.
    pub(super) removed: Vec<ImageId>,
}

/// The copy of one disk's snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct DiskWork {
    /// Snapshot in the source region.
    pub(super) source: String,
    /// Device without `/dev/`; `None` for the system disk.
    pub(super) device: Option<String>,
    /// Capacity in GiB.
    pub(super) size_gib: u64,
    /// Calls for this disk that came to an end.
    pub(super) calls: u32,
    /// The copy of the snapshot, once it is known.
    pub(super) copy: Option<String>,
    /// Whether that copy is finished.
    pub(super) is_ready: bool,
    /// Percent done.
    pub(super) percent: u8,
    /// Whether it has been seen.
    pub(super) seen: bool,
    /// Looks in a row that did not find it.
    pub(super) misses: u32,
}

/// The share of one copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ShareWork {
    /// Operation of the share service; empty until it is started.
    pub(super) operation: String,
    /// Whether nothing is left to do.
    pub(super) is_done: bool,
    /// Accounts that have the copy.
    pub(super) accounts: Vec<String>,
    /// What went wrong, or is still to come.
    pub(super) problem: String,
    /// Questions to the share service that got no answer.
    pub(super) failures: u32,
}

impl Work {
    /// Returns the work of a target.
    pub(super) fn of(target: &Target) -> Self {
        Self::deserialize(&target.facts).unwrap_or_default()
    }

    /// Writes it into the target, with the ids that callers see.
    pub(super) fn keep(&self, target: &mut Target) -> Result<(), StepError> {
        target.facts = serde_json::to_value(self).map_err(|error| StepError::Record(error.to_string()))?;
        match &self.image {
            Some(image) => target.cloud_ids.insert(IMAGE.to_owned(), image.to_string()),
            None => target.cloud_ids.remove(IMAGE),
        };
        let copies = self.disks.iter().filter_map(|disk| disk.copy.clone());
        let snapshots = if self.snapshots.is_empty() { copies.collect() } else { self.snapshots.clone() };
        match snapshots.is_empty() {
            false => target.cloud_ids.insert(SNAPSHOTS.to_owned(), snapshots.join(",")),
            true => target.cloud_ids.remove(SNAPSHOTS),
        };
        Ok(())
    }

    /// Returns whether the cloud holds, or may hold, something that was made for this destination.
    pub(super) fn has_made(&self) -> bool {
        self.image.is_some() || self.called.is_some() || self.disks.iter().any(|disk| disk.copy.is_some())
    }

    /// Returns whether a copy of the image or a creation runs.
    pub(super) fn is_copying(&self) -> bool {
        self.called.is_some() && !self.is_usable
    }

    /// Forgets what was made, after its removal.
    pub(super) fn forget(&mut self) {
        let (removed, leftovers) = (std::mem::take(&mut self.removed), std::mem::take(&mut self.leftovers));
        let disks = std::mem::take(&mut self.disks).into_iter().map(|disk| DiskWork {
            source: disk.source,
            device: disk.device,
            size_gib: disk.size_gib,
            calls: disk.calls,
            ..DiskWork::default()
        });
        let removed = removed.into_iter().chain(self.image.take()).collect();
        let (name, route, calls) = (std::mem::take(&mut self.name), self.route, self.calls);
        *self = Self { name, route, calls, disks: disks.collect(), removed, leftovers, ..Self::default() };
    }
}

/// Returns the region of a target.
pub(super) fn region(target: &Target) -> Result<Region, StepError> {
    target.id.parse().map_err(|_| StepError::Record(format!("target {} is no region", target.id)))
}

/// Reads and writes the work of the target at `index`.
pub(super) fn update<T>(
    context: &mut StepContext,
    index: usize,
    change: impl FnOnce(&mut Target, &mut Work) -> T,
) -> Result<T, StepError> {
    let missing = || StepError::Record(format!("there is no target {index}"));
    let target = context.targets().get_mut(index).ok_or_else(missing)?;
    let mut work = Work::of(target);
    let answer = change(target, &mut work);
    work.keep(target)?;
    Ok(answer)
}

/// Ends the target at `index` badly.
pub(super) fn fail(context: &mut StepContext, index: usize, failure: Failure) {
    let now = context.now();
    if let Some(target) = context.targets().get_mut(index) {
        target.state = TargetState::Failed;
        target.failure = Some(failure);
        target.finished = Some(now);
    }
}

/// Returns the targets that were not begun, by index.
pub(super) fn pending(context: &StepContext) -> Vec<usize> {
    let targets = context.operation().targets.iter().enumerate();
    targets.filter(|(_, target)| target.state == TargetState::Pending).map(|(index, _)| index).collect()
}

/// Returns the targets that run, by index.
pub(super) fn running(context: &StepContext) -> Vec<usize> {
    let targets = context.operation().targets.iter().enumerate();
    targets.filter(|(_, target)| target.state == TargetState::Running).map(|(index, _)| index).collect()
}

/// Returns whether any target has failed.
pub(super) fn any_failed(context: &StepContext) -> bool {
    context.operation().targets.iter().any(|target| target.state == TargetState::Failed)
}

/// Names what the chosen targets have at the cloud: `image img-1 in ap-shanghai, …`; empty when there is nothing.
pub(super) fn named(operation: &Operation, choose: impl Fn(&Target) -> bool) -> String {
    let mut things = Vec::new();
    for target in operation.targets.iter().filter(|target| choose(target)) {
        let work = Work::of(target);
        match (&work.image, work.called) {
            (Some(image), _) => things.push(format!("image {image} in {}", target.id)),
            (None, Some(_)) => things.push(format!("an image named {} in {}", work.name, target.id)),
            (None, None) => {
                let copies = work.disks.iter().filter_map(|disk| disk.copy.as_ref());
                things.extend(copies.map(|copy| format!("snapshot {copy} in {}", target.id)));
            }
        }
    }
    things.join(", ")
}
