//! Passes each usable copy on: asks the share service, and follows its operation. A failed share undoes nothing.

use futures::future::join_all;
use sampan_chassis::PeerTransport;
use sampan_core::Region;
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::TargetState;
use serde_json::Value;

use super::Job;
use super::target::{self, ShareWork, Work};
use crate::sharing::{self, Asked, Origin, Passing};
use crate::spec::CopySpec;

const SHARE_FAILED: &str = "SHARE_FAILED";
/// Questions to the share service that may stay without an answer, one after the other.
const MAX_FAILURES: u32 = 30;

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    advance(job, context).await?;
    if open(job, context).is_empty() { Ok(Outcome::Done(Value::Null)) } else { Ok(Outcome::Poll { hint: None }) }
}

/// Goes one step on with the share of every copy that is usable.
pub(super) async fn advance(job: Job<'_>, context: &mut StepContext) -> Result<(), StepError> {
    let indices = open(job, context);
    if indices.is_empty() {
        return Ok(());
    }
    let origin = Origin { operation: context.operation().id, labels: context.operation().labels.clone() };
    let mut asked = Vec::with_capacity(indices.len());
    for index in &indices {
        let target = &context.operation().targets[*index];
        asked.push((target::region(target)?, Work::of(target)));
    }
    let steps = asked.iter().map(|(region, work)| one_step(job.share, job.spec, &origin, region, work));
    let shares = join_all(steps).await;
    for (index, share) in indices.into_iter().zip(shares) {
        target::update(context, index, |_, work| work.share = Some(share))?;
    }
    tell(context);
    Ok(())
}

/// Returns the targets whose copy is usable and not shared yet.
fn open(job: Job<'_>, context: &StepContext) -> Vec<usize> {
    if job.spec.share_with.is_empty() {
        return Vec::new();
    }
    let targets = context.operation().targets.iter().enumerate();
    let succeeded = targets.filter(|(_, target)| target.state == TargetState::Succeeded);
    let unshared = succeeded.filter(|(_, target)| !Work::of(target).share.is_some_and(|share| share.is_done));
    unshared.map(|(index, _)| index).collect()
}

async fn one_step(
    transport: &PeerTransport,
    spec: &CopySpec,
    origin: &Origin,
    region: &Region,
    work: &Work,
) -> ShareWork {
    let mut share = work.share.clone().unwrap_or_default();
    let Some(image) = &work.image else { return share };
    let answer = if share.operation.is_empty() {
        sharing::start(transport, spec, origin, region, image).await
    } else {
        sharing::look(transport, &share.operation).await
    };
    match answer {
        Ok(Asked { operation, state }) => {
            share.operation = operation;
            share.failures = 0;
            match state {
                Passing::Goes => {}
                Passing::Shared => {
                    share.is_done = true;
                    share.accounts.clone_from(&spec.share_with);
                    share.problem.clear();
                }
                Passing::Ended { accounts, problem } => {
                    (share.is_done, share.accounts, share.problem) = (true, accounts, problem);
                }
            }
        }
        Err(refusal) => {
            share.failures += 1;
            share.is_done = !refusal.may_pass || share.failures >= MAX_FAILURES;
            if share.is_done {
                share.problem = refusal.message;
            }
        }
    }
    share
}

/// Tells what went wrong in one warning.
fn tell(context: &mut StepContext) {
    let problems = context.operation().targets.iter().filter_map(|target| {
        let problem = Work::of(target).share?.problem;
        (!problem.is_empty()).then(|| format!("{}: {problem}", target.id))
    });
    let problems: Vec<String> = problems.collect();
    if !problems.is_empty() {
        let words = format!("the copies stay, but were not shared as asked for: {}", problems.join("; "));
        context.warn(SHARE_FAILED, words);
    }
}
