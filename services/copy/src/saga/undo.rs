//! Undoes everything that a failed operation has made, where all or nothing was asked for; says what could not be.

use sampan_cloud::{CallClass, CallError};
use sampan_core::Reason;
use sampan_ops::{StepContext, StepError};
use sampan_state::operation::TargetState;

use super::remove::{self, Removal};
use super::target::{self, Work};
use super::{Job, fail, result};

pub(super) const LEFTOVERS: &str = "LEFTOVERS";
/// Runs of the undo that may leave something for later; the engine gives up after a few more.
const MOST_RUNS: u32 = 6;

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<(), StepError> {
    if !job.is_all_or_nothing() {
        let left = result::told(&result::leftovers(context.operation()));
        if !left.is_empty() {
            context.warn(LEFTOVERS, format!("what was made stays: {left}"));
        }
        return Ok(());
    }
    let is_last = context.operation().journal.step_failures >= MOST_RUNS;
    let mut later = None;
    for index in 0..context.operation().targets.len() {
        let work = Work::of(&context.operation().targets[index]);
        if !work.has_made() && work.snapshots.is_empty() {
            continue;
        }
        let region = context.operation().targets[index].id.clone();
        match remove::target(job, context, index).await? {
            Removal::Gone => removed(context, index, format!("the copy to {region} was removed again")),
            Removal::Stays(words) => removed(context, index, words),
            Removal::Later(why) if is_last => {
                removed(context, index, format!("the copy to {region} could not be removed in time: {why}"));
            }
            Removal::Later(why) => later = Some(why),
        }
    }
    if let Some(why) = later {
        return Err(StepError::Call(not_yet(job, why)));
    }
    let left = result::told(&result::leftovers(context.operation()));
    if !left.is_empty() {
        context.warn(LEFTOVERS, format!("could not be removed: {left}"));
        context.add_to_failure(&format!("; could not be removed: {left}"));
    }
    Ok(())
}

/// Says what became of a copy that was good; one that failed by itself keeps its own cause.
fn removed(context: &mut StepContext, index: usize, words: String) {
    let is_open = context.operation().targets[index].state != TargetState::Failed;
    if is_open {
        target::fail(context, index, fail(Reason::CopyRemoved, words));
    }
}

/// The engine tries an undo again that waits for the cloud.
fn not_yet(job: Job<'_>, why: String) -> CallError {
    CallError {
        cloud: job.spec.cloud,
        action: "Undo",
        class: CallClass::Busy,
        reason: Reason::CloudBusy,
        code: None,
        message: why,
        request_id: None,
        http_status: None,
        retry_after: None,
        attempts: 1,
    }
}
