//! Cancels what runs as far as the cloud can, and says how far that was.

use sampan_cloud::image::CancelAnswer;
use sampan_ops::{CancelOutcome, Settled, StepContext, StepError};
use sampan_state::operation::{Intent, TargetState};
use serde::{Deserialize, Serialize};

use super::look::{self, Looks};
use super::remove::{self, Removal};
use super::target::{self, Work};
use super::{Job, call, follow};
use crate::survey::is_outage;

/// How far the cancel is; kept between its runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Looks for a call of unknown outcome.
    search: Looks,
    /// Targets that the cloud was asked to stop.
    asked: Vec<usize>,
    /// Targets whose result was removed.
    removed: Vec<usize>,
}

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
    // What the step kept has another form; a cancel begins with nothing.
    let mut progress: Progress = context.scratch().ok().flatten().unwrap_or_default();
    if let Some(intent) = context.intent().cloned()
        && !settle(job, context, &mut progress, &intent).await?
    {
        context.keep(&progress)?;
        return Ok(CancelOutcome::Poll);
    }
    // Whoever wants all or nothing gets nothing.
    let removes =
        job.is_all_or_nothing() || context.operation().cancel.as_ref().is_some_and(|cancel| cancel.remove_result);
    match follow::run(job, context).await {
        Ok(_) => {}
        Err(StepError::Call(error)) if is_outage(&error) => {}
        Err(error) => return Err(error),
    }
    let (mut waits, mut notes) = (Vec::new(), Vec::new());
    for index in 0..context.operation().targets.len() {
        if removes {
            take_back(job, context, &mut progress, index, &mut waits, &mut notes).await?;
        } else {
            stop(job, context, &mut progress, index, &mut waits, &mut notes).await?;
        }
    }
    if !waits.is_empty() {
        context.keep(&progress)?;
        if removes && !job.account.copies.copy_traits().cancels {
            let words = format!("{}; what arrives is removed then: {}", honest(job), waits.join(", "));
            context.warn("CANCEL_WAITS_FOR_RESULT", words);
        }
        return Ok(CancelOutcome::Poll);
    }
    let all_ended = context.operation().targets.iter().all(|target| target.state.is_final());
    let any_good = context.operation().targets.iter().any(|target| target.state == TargetState::Succeeded);
    if !removes && all_ended && any_good && progress.asked.is_empty() {
        return Ok(CancelOutcome::TooLate);
    }
    let stays = target::named(context.operation(), |target| target.state == TargetState::Succeeded);
    if !stays.is_empty() {
        notes.push(format!("what was done before stays: {stays}"));
    }
    if !progress.removed.is_empty() {
        let regions = progress.removed.iter().map(|index| context.operation().targets[*index].id.clone());
        notes.push(format!("removed: the copies in {}", regions.collect::<Vec<_>>().join(", ")));
    }
    let message = if notes.is_empty() { "no copy had been begun".to_owned() } else { notes.join("; ") };
    Ok(CancelOutcome::Cancelled { message })
}

/// A call was announced and its outcome is not known: finds what came of it. Returns whether that is settled.
async fn settle(
    job: Job<'_>,
    context: &mut StepContext,
    progress: &mut Progress,
    intent: &Intent,
) -> Result<bool, StepError> {
    let plan = look::plan_of(intent)?;
    let kept = progress.clone();
    if let Some(begun) = look::search(job, context, &plan).await? {
        call::accepted(context, &plan, &begun)?;
        *progress = kept;
        return Ok(true);
    }
    if progress.search.add(plan.token.is_some()).is_none() {
        context.settle(Settled::WithoutEffect);
        return Ok(true);
    }
    // Where no token protects a repetition, certainty takes long; only who wants the result removed waits for it.
    let removes = context.operation().cancel.as_ref().is_some_and(|cancel| cancel.remove_result);
    if plan.token.is_none() && !removes && !job.is_all_or_nothing() {
        let names = plan.names.join(", ");
        let words =
            format!("no answer came to a copy call, so what it began is not known; images may still arrive: {names}");
        context.warn(call::ANSWER_LOST, words);
        context.settle(Settled::Accepted);
        return Ok(true);
    }
    Ok(false)
}

/// Removes what the target has, now or when it has arrived.
async fn take_back(
    job: Job<'_>,
    context: &mut StepContext,
    progress: &mut Progress,
    index: usize,
    waits: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<(), StepError> {
    let work = Work::of(&context.operation().targets[index]);
    if !work.has_made() && work.snapshots.is_empty() {
        return Ok(());
    }
    match remove::target(job, context, index).await? {
        Removal::Gone => {
            context.targets()[index].state = TargetState::Cancelled;
            progress.removed.push(index);
        }
        Removal::Later(why) => waits.push(why),
        Removal::Stays(words) => {
            context.targets()[index].state = TargetState::Cancelled;
            notes.push(words);
        }
    }
    Ok(())
}

/// Stops what runs for the target, and keeps what is done.
async fn stop(
    job: Job<'_>,
    context: &mut StepContext,
    progress: &mut Progress,
    index: usize,
    waits: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<(), StepError> {
    let target = &context.operation().targets[index];
    if target.state != TargetState::Running {
        return Ok(());
    }
    let (region, work) = (target::region(target)?, Work::of(target));
    let Some(image) = work.image.as_ref().filter(|_| job.account.copies.copy_traits().cancels) else {
        let left = target::named(context.operation(), |target| target.id == region.as_str());
        notes.push(format!("{}; what may still arrive: {left}", honest(job)));
        return Ok(());
    };
    if progress.asked.contains(&index) {
        // `follow` ends the target when the image is gone or done; until then the cloud is stopping it.
        let gone = job.account.copies.copied_images(&region, std::slice::from_ref(image)).await?;
        if gone.into_iter().next().flatten().is_none() {
            cancelled(context, index)?;
            notes.push(format!("the cloud stopped the copy to {region}"));
        } else {
            waits.push(format!("the copy to {region} is being stopped"));
        }
        return Ok(());
    }
    match job.account.copies.cancel_copy(&region, image).await? {
        CancelAnswer::Accepted => {
            progress.asked.push(index);
            waits.push(format!("the copy to {region} is being stopped"));
        }
        // The next look tells how it ended.
        CancelAnswer::AlreadyEnded => waits.push(format!("the copy to {region} has just ended")),
        CancelAnswer::Impossible => {
            notes.push(format!("the cloud does not stop the copy to {region}: image {image} may still arrive"));
        }
    }
    Ok(())
}

fn cancelled(context: &mut StepContext, index: usize) -> Result<(), StepError> {
    target::update(context, index, |target, work| {
        target.state = TargetState::Cancelled;
        work.forget();
    })
}

fn honest(job: Job<'_>) -> String {
    if job.account.copies.copy_traits().cancels {
        "what has no id yet, and copies of snapshots, cannot be cancelled".to_owned()
    } else {
        format!("{} cannot cancel a copy", job.spec.cloud)
    }
}
