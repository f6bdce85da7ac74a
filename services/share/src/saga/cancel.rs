//! Cancels a change: before its call nothing happens; afterwards it says what stays, or takes back what was added.
//!
//! What is taken back is an operation of its own, with its unit, its lock and its proof.

use sampan_cloud::CallError;
use sampan_ops::{CancelOutcome, Engine, Error, Settled, StepContext, StepError};
use sampan_state::operation::{Intent, State, TargetState};
use serde::{Deserialize, Serialize};

use super::change::call_of;
use super::children::{self, Task};
use super::targets::{self, Action, Facts};
use super::{CHANGE, FOLLOW, Job, follow};
use crate::copies::CopyOf;
use crate::plan;
use crate::spec::{Change, ShareSpec};

/// Looks at a list without an effect of the last call, after which there surely is none.
const LOOKS: u32 = 3;

/// How far the cancel is; kept between its runs. The first run finds the notes of the step in its place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Calls that took effect before: the step's own note.
    used: u32,
    /// Looks for a call of unknown outcome.
    cancel_looks: u32,
}

pub(super) async fn run(job: Job<'_>, engine: &Engine, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
    let mut progress: Progress = context.scratch().ok().flatten().unwrap_or_default();
    if let Some(intent) = context.intent().cloned()
        && !settle(job, context, &mut progress, &intent).await?
    {
        context.keep(&progress)?;
        return Ok(CancelOutcome::Poll);
    }
    if !stop_others(engine, context).await? {
        return Ok(CancelOutcome::Poll);
    }
    if !removes(context) {
        return Ok(leave(job.spec, context));
    }
    take_back(job, engine, context).await
}

/// Finds out what became of the last call; returns whether that is known now.
async fn settle(
    job: Job<'_>,
    context: &mut StepContext,
    progress: &mut Progress,
    intent: &Intent,
) -> Result<bool, CallError> {
    // A record that this version cannot read is left to the list.
    let call = call_of(intent).unwrap_or_default();
    let live = job.live().await?;
    let now = context.now();
    targets::mark(context.targets(), &live, now);
    if plan::missing(&call, &live).len() < call.add.len() + call.remove.len() {
        context.settle(Settled::Accepted);
        return Ok(true);
    }
    progress.cancel_looks += 1;
    if progress.cancel_looks < LOOKS {
        return Ok(false);
    }
    context.settle(if progress.used > 0 { Settled::Accepted } else { Settled::WithoutEffect });
    Ok(true)
}

/// Cancels the operations that work for this one; returns whether all of them have ended.
async fn stop_others(engine: &Engine, context: &mut StepContext) -> Result<bool, StepError> {
    let others = children::of(engine, context.operation()).await.map_err(children::told)?;
    let by = context.operation().cancel.as_ref().map(|cancel| cancel.by.clone()).unwrap_or_default();
    let mut all_ended = true;
    for (operation, spec) in others.iter().filter(|(_, spec)| !takes_back(spec)) {
        let copy = CopyOf { region: spec.region.clone(), image: spec.image.clone() };
        let is_alone = follow::copies_of(&context.operation().targets)
            .iter()
            .all(|other| other.region != copy.region || *other == copy);
        follow::mirror(context, operation, &copy, is_alone);
        if !operation.state.is_final() {
            all_ended = false;
            match engine.request_cancel(operation.id, by.clone(), removes(context)).await {
                Ok(_) | Err(Error::Store(sampan_state::Error::Ended(_))) => {}
                Err(error) => return Err(children::told(error)),
            }
        }
    }
    Ok(all_ended)
}

fn takes_back(spec: &ShareSpec) -> bool {
    spec.follows.is_some_and(|follows| follows.takes_back)
}

/// Stops without a word to the cloud: says what was changed and stays so.
fn leave(spec: &ShareSpec, context: &StepContext) -> CancelOutcome {
    let operation = context.operation();
    let open = operation.targets.iter().filter(|target| !target.state.is_final()).count();
    let is_through = operation.journal.outputs.contains_key(CHANGE)
        && (!spec.include_copies || operation.journal.outputs.contains_key(FOLLOW));
    let cancelled = operation.targets.iter().any(|target| target.state == TargetState::Cancelled);
    if is_through && open == 0 && !cancelled {
        return CancelOutcome::TooLate;
    }
    let words = changed(context);
    let message = match words.is_empty() {
        true => "nothing was changed at the cloud".to_owned(),
        false => format!("what was done before the cancel stays: {}", words.join("; ")),
    };
    CancelOutcome::Cancelled { message }
}

/// Says what was changed, image by image.
fn changed(context: &StepContext) -> Vec<String> {
    let mut words = Vec::new();
    for (verb, action) in [("shared with", Action::Add), ("taken back from", Action::Remove)] {
        let ids: Vec<&str> = context
            .operation()
            .targets
            .iter()
            .filter(|target| target.state == TargetState::Succeeded)
            .filter(|target| Facts::of(target).is_some_and(|facts| facts.action == Some(action)))
            .map(|target| target.id.as_str())
            .collect();
        if !ids.is_empty() {
            words.push(format!("{verb} {}", ids.join(", ")));
        }
    }
    words
}

/// Removes the accounts that this operation has added, from the image and from its copies.
async fn take_back(job: Job<'_>, engine: &Engine, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
    let own = (None, targets::succeeded(&context.operation().targets, Action::Add));
    let of_copies = follow::copies_of(&context.operation().targets).into_iter().map(|copy| {
        let added = context.operation().targets.iter().filter(|target| target.state == TargetState::Succeeded);
        let added = added.filter_map(Facts::of).filter(|facts| facts.copy.as_ref() == Some(&copy));
        let added = added.filter(|facts| facts.action == Some(Action::Add)).map(|facts| facts.account).collect();
        (Some(copy), added)
    });
    let all: Vec<(Option<CopyOf>, Vec<String>)> = std::iter::once(own).chain(of_copies).collect();
    let (mut words, mut is_over) = (Vec::new(), true);
    for (copy, added) in all.into_iter().filter(|(_, added)| !added.is_empty()) {
        let place = copy.as_ref().map_or_else(String::new, |copy| format!(" in {}", copy.region));
        let operation = undo(job, engine, context, copy.as_ref(), &added).await.map_err(children::told)?;
        let accounts = added.join(", ");
        match operation.state {
            State::Succeeded => words.push(format!("shares were taken back from {accounts}{place}")),
            State::WaitingForQuota => {
                let name = operation.id.name();
                words.push(format!("{name} takes the shares of {accounts}{place} back when the day's quota is reset"));
            }
            State::Running | State::Cancelling => is_over = false,
            State::PartiallySucceeded | State::Failed | State::Cancelled => {
                let name = operation.id.name();
                words.push(format!("the shares of {accounts}{place} could not all be taken back, see {name}"));
            }
        }
    }
    if !is_over {
        return Ok(CancelOutcome::Poll);
    }
    for target in context.targets().iter_mut().filter(|target| target.state == TargetState::Succeeded) {
        if Facts::of(target).is_some_and(|facts| facts.action == Some(Action::Add)) {
            target.state = TargetState::Cancelled;
        }
    }
    let removed = changed(context);
    if !removed.is_empty() {
        words.push(format!("what was removed stays removed: {}", removed.join("; ")));
    }
    let nothing = || "nothing was changed at the cloud".to_owned();
    Ok(CancelOutcome::Cancelled { message: if words.is_empty() { nothing() } else { words.join("; ") } })
}

/// Starts the operation that takes accounts of one image back, or finds it.
async fn undo(
    job: Job<'_>,
    engine: &Engine,
    context: &StepContext,
    copy: Option<&CopyOf>,
    accounts: &[String],
) -> Result<sampan_state::Operation, Error> {
    let of_image = CopyOf { region: job.spec.region.clone(), image: job.spec.image.clone() };
    let image = copy.unwrap_or(&of_image);
    let spec = ShareSpec {
        change: Change::Remove,
        account_ids: accounts.to_vec(),
        queue_when_quota_spent: true,
        ..job.spec.for_copy(&image.region, &image.image)
    };
    let units = spec.units(job.account.shares.share_traits());
    let key = format!("take-back/{}/{}", image.region, image.image);
    let started = children::start(engine, context.operation(), Task { key, spec, takes_back: true, units }).await?;
    engine.get(started.id).await
}

fn removes(context: &StepContext) -> bool {
    context.operation().cancel.as_ref().is_some_and(|cancel| cancel.remove_result)
}
