//! Third step: waits until everything that was called for has ended.

use jiff::SignedDuration;
use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::TargetState;
use serde_json::Value;

use super::copy::given_up;
use super::target::{self, Work};
use super::{Job, fail, follow, share};

/// What is there at the deadline is still shared and priced within this time.
const AFTERWORK: SignedDuration = SignedDuration::from_mins(30);

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    let is_queued = follow::run(job, context).await?;
    share::advance(job, context).await?;
    if let Some(outcome) = given_up(job, context) {
        return Ok(outcome);
    }
    let open: Vec<usize> = target::running(context)
        .into_iter()
        .filter(|index| !Work::of(&context.operation().targets[*index]).is_usable)
        .collect();
    let deadline = context.operation().deadline.filter(|deadline| *deadline <= context.now());
    match deadline {
        None if !open.is_empty() => {
            if is_queued {
                context.mark_queued_at_vendor();
            }
            return Ok(Outcome::Poll { hint: None });
        }
        Some(deadline) if !open.is_empty() => {
            let missing = target::named(context.operation(), |target| target.state == TargetState::Running);
            let words = format!("Sampan stopped waiting at {deadline}; what may still arrive: {missing}");
            if job.is_all_or_nothing() {
                return Ok(Outcome::Fail(fail(Reason::CopyDeadlinePassed, words)));
            }
            for index in open {
                target::fail(context, index, fail(Reason::CopyDeadlinePassed, words.clone()));
            }
        }
        Some(_) | None => {}
    }
    // All are there: what was held back is done now.
    let now = context.now();
    for index in target::running(context) {
        let target = &mut context.targets()[index];
        target.state = TargetState::Succeeded;
        target.finished = Some(now);
    }
    if context.operation().deadline.is_some_and(|deadline| deadline.duration_since(now) < AFTERWORK) {
        context.set_deadline(now.saturating_add(AFTERWORK).unwrap_or(now));
    }
    Ok(Outcome::Done(Value::Null))
}
