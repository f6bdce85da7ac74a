//! Decides which call is next: for all destinations, for one, for a snapshot, or none yet.

use sampan_core::Region;
use sampan_ops::{StepContext, StepError};
use sampan_state::operation::TargetState;
use serde::{Deserialize, Serialize};

use super::target::{self, Work};
use super::{Job, Planned};
use crate::spec::Route;

/// A call that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wanted {
    /// A copy of the image to these targets.
    Image(Vec<usize>),
    /// A copy of one disk's snapshot.
    Snapshot {
        /// The target.
        index: usize,
        /// The disk.
        disk: usize,
    },
    /// The making of the image from its snapshots.
    Create(usize),
}

impl Wanted {
    /// Returns the targets that the call serves.
    pub(super) fn indices(&self) -> Vec<usize> {
        match self {
            Self::Image(indices) => indices.clone(),
            Self::Snapshot { index, .. } | Self::Create(index) => vec![*index],
        }
    }
}

/// What is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// A call.
    Call(Wanted),
    /// Nothing, until something that runs has ended.
    Wait,
    /// Nothing any more: every target has been called for, or has ended.
    Nothing,
}

pub(super) fn next(job: Job<'_>, planned: &Planned, context: &StepContext) -> Result<Next, StepError> {
    let traits = job.account.copies.copy_traits();
    let targets = &context.operation().targets;
    let works: Vec<Work> = targets.iter().map(Work::of).collect();
    let is_open = |index: &usize| !targets[*index].state.is_final() && works[*index].called.is_none();
    let open: Vec<usize> = (0..targets.len()).filter(is_open).collect();
    if open.is_empty() {
        return Ok(Next::Nothing);
    }
    let by_image = |index: &usize| works[*index].route.unwrap_or(planned.route) == Route::Image;
    let by_image: Vec<usize> = open.iter().copied().filter(by_image).collect();
    if traits.fans_out && !by_image.is_empty() {
        return Ok(Next::Call(Wanted::Image(by_image)));
    }
    for index in open.iter().filter(|index| !by_image.contains(index)) {
        if let Some(wanted) = by_snapshots(*index, &works[*index]) {
            return Ok(Next::Call(wanted));
        }
    }
    let copying = works.iter().zip(targets).any(|(work, target)| {
        work.is_copying() && target.state == TargetState::Running && work.route.unwrap_or(planned.route) == Route::Image
    });
    match by_image.first() {
        Some(first) if !(traits.one_at_a_time && copying) => Ok(Next::Call(Wanted::Image(vec![*first]))),
        Some(_) | None => Ok(Next::Wait),
    }
}

/// One disk after the other: the cloud copies the snapshots of a disk to a region one at a time.
fn by_snapshots(index: usize, work: &Work) -> Option<Wanted> {
    match work.disks.iter().position(|disk| !disk.is_ready) {
        None => Some(Wanted::Create(index)),
        Some(disk) => work.disks[disk].copy.is_none().then_some(Wanted::Snapshot { index, disk }),
    }
}

/// Returns the regions of targets.
pub(super) fn regions(context: &StepContext, indices: &[usize]) -> Result<Vec<Region>, StepError> {
    indices.iter().map(|index| target::region(&context.operation().targets[*index])).collect()
}
