//! Decides what a call means that was not accepted: when it is made again, who is left out, who fails, and which other
//! way there is.

use std::time::Duration;

use sampan_cloud::{CallClass, CallError};
use sampan_core::Reason;
use sampan_ops::{Outcome, Settled, StepContext, StepError, failure};
use sampan_state::operation::Failure;

use super::call::{ANSWER_LOST, CallPlan, goes_on, recheck};
use super::look::Looks;
use super::next::{Wanted, regions};
use super::target::{self, Work};
use super::{Job, Planned, plan};
use crate::spec::Route;
use crate::survey::is_day_spent;

/// Pause when the cloud is busy, or wants a slower pace, and gives no time.
const BUSY: Duration = Duration::from_secs(120);
const SLOWER: Duration = Duration::from_secs(10);
/// Pause before the first look for the effect of a call whose answer was lost.
const LOOK_SOON: Duration = Duration::from_secs(1);

pub(super) async fn refused(
    job: Job<'_>,
    planned: &Planned,
    context: &mut StepContext,
    plan: &CallPlan,
    error: CallError,
    is_repeated: bool,
) -> Result<Outcome, StepError> {
    let runs = !target::running(context).is_empty();
    match error.class {
        CallClass::UnknownOutcome => {
            context.warn(ANSWER_LOST, format!("the outcome of a copy call is not known: {error}"));
            return Ok(Outcome::Poll { hint: Some(LOOK_SOON) });
        }
        // After a lost call the image may be busy with our own copy, or the name taken by it: the search goes on.
        CallClass::Busy if is_repeated => return Ok(Outcome::Poll { hint: Some(BUSY) }),
        _ if is_repeated && error.reason == Reason::ImageNameTaken => {
            return Ok(Outcome::Poll { hint: Some(LOOK_SOON) });
        }
        _ => {}
    }
    context.settle(Settled::WithoutEffect);
    context.keep(&Looks::default())?;
    match error.class {
        CallClass::Busy if runs => Ok(Outcome::Poll { hint: error.retry_after }),
        CallClass::Busy => {
            let after = error.retry_after.unwrap_or(BUSY);
            Ok(Outcome::Busy { after, message: error.to_string() })
        }
        CallClass::Transient | CallClass::Throttled if runs => {
            Ok(Outcome::Poll { hint: Some(error.retry_after.unwrap_or(SLOWER)) })
        }
        CallClass::Transient | CallClass::Throttled => Err(StepError::Call(error)),
        CallClass::Quota if is_day_spent(&error) && !has_made(context) => Ok(Outcome::SpentElsewhere(error)),
        CallClass::Quota
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials
        | CallClass::UnknownOutcome => {
            turned_down(job, planned, context, plan, &error).await?;
            goes_on(job, planned, context)
        }
    }
}

fn has_made(context: &StepContext) -> bool {
    context.operation().targets.iter().any(|target| Work::of(target).has_made())
}

/// The cloud says no for good: the targets of the call fail, unless there is another way for them.
async fn turned_down(
    job: Job<'_>,
    planned: &Planned,
    context: &mut StepContext,
    plan: &CallPlan,
    error: &CallError,
) -> Result<(), StepError> {
    let indices = plan.wanted.indices();
    if error.reason == Reason::ImageTooLargeToCopy && takes_other_way(job, planned, context, &plan.wanted)? {
        return Ok(());
    }
    // One call serves many: whoever is at fault is left out, and the others go without it.
    if indices.len() > 1 {
        let free = recheck(job, context, &indices).await?.len();
        if free < indices.len() {
            return Ok(());
        }
    }
    let told: Failure = failure::of_call(error);
    for index in indices {
        target::update(context, index, |_, work| match plan.wanted {
            Wanted::Snapshot { disk, .. } => {
                if let Some(disk) = work.disks.get_mut(disk) {
                    disk.calls += 1;
                }
            }
            Wanted::Image(_) | Wanted::Create(_) => work.calls += 1,
        })?;
        target::fail(context, index, told.clone());
    }
    if error.class == CallClass::Credentials {
        for index in target::pending(context) {
            target::fail(context, index, told.clone());
        }
    }
    Ok(())
}

/// An image that is too large for one copy travels by its snapshots, where nobody said otherwise.
fn takes_other_way(
    job: Job<'_>,
    planned: &Planned,
    context: &mut StepContext,
    wanted: &Wanted,
) -> Result<bool, StepError> {
    let Wanted::Image(indices) = wanted else { return Ok(false) };
    let known = planned.image.disks.iter().all(|disk| disk.snapshot_id.is_some()) && !planned.image.disks.is_empty();
    let copies_snapshots = job.account.copies.copy_traits().copies_snapshots;
    let away = !regions(context, indices)?.contains(&job.spec.region);
    if !known || !copies_snapshots || !away || job.spec.route.is_some() {
        return Ok(false);
    }
    for index in indices {
        target::update(context, *index, |_, work| {
            work.route = Some(Route::Snapshots);
            work.disks = plan::disks(&planned.image);
            work.calls += 1;
        })?;
    }
    context.warn("ROUTE_CHANGED", "the cloud does not copy an image of that size: its snapshots are copied instead");
    Ok(true)
}
