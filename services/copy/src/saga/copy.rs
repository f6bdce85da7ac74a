//! Second step: makes the calls, one at a time where the cloud wants that, and follows what runs meanwhile.

use std::time::Duration;

use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError};
use serde_json::Value;

use super::look::Looked;
use super::next::{Next, next};
use super::{Job, PLAN, Planned, call, fail, follow, look, share, target};

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    let planned: Planned = context.output(PLAN)?;
    if let Some(intent) = context.intent().cloned() {
        match look::run(job, context, &intent).await? {
            Looked::Settled => {}
            Looked::Rests(outcome) => return Ok(outcome),
            Looked::WithoutEffect(plan) => return call::repeat(job, &planned, context, *plan).await,
        }
    }
    let is_queued = follow::run(job, context).await?;
    share::advance(job, context).await?;
    if let Some(outcome) = given_up(job, context) {
        return Ok(outcome);
    }
    match next(job, &planned, context)? {
        Next::Call(wanted) => call::make(job, &planned, context, wanted).await,
        Next::Wait => {
            if is_queued {
                context.mark_queued_at_vendor();
            }
            Ok(Outcome::Poll { hint: None })
        }
        Next::Nothing => Ok(Outcome::Done(Value::Null)),
    }
}

/// Where all or nothing was asked for, one failure ends everything: at once where the cloud can cancel what runs, else
/// when what runs has ended, because it can only be removed then.
pub(super) fn given_up(job: Job<'_>, context: &mut StepContext) -> Option<Outcome> {
    if !job.is_all_or_nothing() || !target::any_failed(context) {
        return None;
    }
    let runs = target::running(context).into_iter().any(|index| {
        let work = target::Work::of(&context.operation().targets[index]);
        work.is_copying()
    });
    if runs && !job.account.copies.copy_traits().cancels {
        return Some(Outcome::Poll { hint: None });
    }
    let failed = context.operation().targets.iter().find(|target| target.failure.is_some());
    let told = failed.and_then(|target| Some((target.id.clone(), target.failure.clone()?)));
    Some(Outcome::Fail(match told {
        Some((region, failure)) => {
            let message = format!("all or nothing: the copy to {region} failed: {}", failure.message);
            sampan_state::operation::Failure { message, ..failure }
        }
        None => fail(Reason::CopyFailedAtCloud, "all or nothing was asked for, and a copy failed"),
    }))
}

/// Goes on at once.
pub(super) const AT_ONCE: Outcome = Outcome::Poll { hint: Some(Duration::ZERO) };
