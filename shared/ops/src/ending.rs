//! Decides how an operation ends: by its last step, by a failure and the undoing after it, or by a cancel.

use sampan_cloud::CallError;
use sampan_core::Reason;
use sampan_state::operation::{Failure, Operation, QuotaHold, State, TargetState};
use sampan_state::operations::UnitsChange;
use serde_json::Value;

use crate::after::{Frame, Rest, Verdict};
use crate::context::warn;
use crate::plan::cancel_ends;
use crate::saga::{CancelOutcome, StepError};
use crate::{failure, progress, repeat};

/// Ends it by its last step.
pub(crate) fn conclude(mut operation: Operation, frame: Frame<'_>) -> Verdict {
    let conclusion = frame.saga.conclude(&operation);
    if !conclusion.state.is_final() {
        let words = format!("the saga concluded with {:?}, which is no end", conclusion.state);
        return fail(operation, failure::of_reason(Reason::InternalFault, words), frame);
    }
    operation.result = conclusion.result;
    operation.failure = conclusion.failure;
    end(operation, conclusion.state, "concluded", frame)
}

/// Fails it: what is done is undone first.
pub(crate) fn fail(mut operation: Operation, failure: Failure, frame: Frame<'_>) -> Verdict {
    operation.failure = Some(failure);
    operation.journal.undo_from = Some(operation.journal.next_step);
    operation.journal.step_failures = 0;
    if operation.state == State::WaitingForQuota {
        operation.state = State::Running;
    }
    progress::end_alarm(&mut operation);
    if operation.journal.next_step == 0 {
        return end_failed(operation, frame);
    }
    Verdict::new(operation, Rest::GoOn, "failed")
}

/// Fails it because its deadline has passed; targets that succeeded before stay.
pub(crate) fn fail_by_deadline(mut operation: Operation, last: Option<&CallError>, frame: Frame<'_>) -> Verdict {
    let mut failure = frame.saga.deadline_failure(&operation);
    if let Some(last) = last {
        failure.message = format!("{}; the last look failed: {last}", failure.message);
        failure.vendor_code = failure.vendor_code.or_else(|| last.code.clone());
        failure.vendor_request_id = failure.vendor_request_id.or_else(|| last.request_id.clone());
    }
    if operation.targets.iter().any(|target| target.state == TargetState::Succeeded) {
        progress::close_targets(&mut operation, TargetState::Failed, Some(&failure), frame.facts.now);
        return conclude(operation, frame);
    }
    fail(operation, failure, frame)
}

/// Ends it as failed: everything that can be undone is.
pub(crate) fn end_failed(mut operation: Operation, frame: Frame<'_>) -> Verdict {
    let failure = operation.failure.clone();
    progress::close_targets(&mut operation, TargetState::Failed, failure.as_ref(), frame.facts.now);
    operation.journal.undo_from = Some(0);
    end(operation, State::Failed, "failed", frame)
}

/// Decides what becomes of it after one undo.
pub(crate) fn after_undo(mut operation: Operation, undone: Result<(), StepError>, frame: Frame<'_>) -> Verdict {
    let from = operation.journal.undo_from.unwrap_or(0);
    if let Err(error) = undone {
        let failures = operation.journal.step_failures.saturating_add(1);
        operation.journal.step_failures = failures;
        if is_passing(&error) && failures < frame.policy.undo_failures {
            let wait = frame.policy.retry_delay(failures, None, frame.facts.chance);
            return Verdict::new(operation, Rest::Until(frame.after(wait)), "undo_retry");
        }
        let step = frame.saga.steps().get(from.saturating_sub(1) as usize).map_or("", |step| step.name);
        warn(&mut operation, "UNDO_FAILED", format!("what step {step} made could not be removed: {error}"));
    }
    operation.journal.step_failures = 0;
    operation.journal.undo_from = Some(from.saturating_sub(1));
    if from <= 1 {
        return end_failed(operation, frame);
    }
    Verdict::new(operation, Rest::GoOn, "undone")
}

/// Decides what becomes of it after one run of the cancel.
pub(crate) fn after_cancel(
    mut operation: Operation,
    cancelled: Result<CancelOutcome, StepError>,
    frame: Frame<'_>,
) -> Verdict {
    let now = frame.facts.now;
    let gives_up = cancel_ends(&operation, frame.policy.cancel_patience).is_some_and(|end| end <= now);
    match cancelled {
        Ok(CancelOutcome::Cancelled { message }) => end_cancelled(operation, message, frame),
        Ok(CancelOutcome::TooLate) => {
            operation.journal.cancel_too_late = true;
            operation.journal.scratch = Value::Null;
            operation.journal.step_failures = 0;
            operation.state = State::Running;
            warn(&mut operation, "CANCEL_TOO_LATE", "the work had ended before the cancel reached the cloud");
            Verdict::new(operation, Rest::GoOn, "cancel_too_late")
        }
        Ok(CancelOutcome::Poll) if gives_up => {
            let words = "the cloud did not confirm the cancel in time; what it works on may still arrive";
            end_cancelled(operation, words.to_owned(), frame)
        }
        Ok(CancelOutcome::Poll) => {
            operation.journal.step_failures = 0;
            let age = operation.cancel.as_ref().map(|cancel| now.duration_since(cancel.at));
            let age = age.and_then(|age| age.try_into().ok()).unwrap_or_default();
            let wait = frame.policy.poll.delay(age, None, frame.facts.chance);
            Verdict::new(operation, Rest::Until(frame.after(wait)), "cancel_poll")
        }
        Err(error) if is_passing(&error) && !gives_up => {
            let failures = operation.journal.step_failures.saturating_add(1);
            operation.journal.step_failures = failures;
            let wait = frame.policy.retry_delay(failures, None, frame.facts.chance);
            Verdict::new(operation, Rest::Until(frame.after(wait)), "cancel_retry")
        }
        Err(error) => {
            let words = format!("the cancel could not be carried out, and the result may still arrive: {error}");
            operation.failure = Some(match &error {
                StepError::Call(call) => failure::of_call(call),
                StepError::Store(_)
                | StepError::WaitForQuota { .. }
                | StepError::CancelRequested
                | StepError::DeadlinePassed
                | StepError::Record(_) => failure::of_reason(Reason::InternalFault, error.to_string()),
            });
            end_cancelled(operation, words, frame)
        }
    }
}

fn end_cancelled(mut operation: Operation, message: String, frame: Frame<'_>) -> Verdict {
    progress::close_targets(&mut operation, TargetState::Cancelled, None, frame.facts.now);
    warn(&mut operation, "CANCELLED", message);
    end(operation, State::Cancelled, "cancelled", frame)
}

fn end(mut operation: Operation, state: State, word: &'static str, frame: Frame<'_>) -> Verdict {
    progress::end_alarm(&mut operation);
    operation.warnings.retain(|warning| warning.code != repeat::BUSY);
    operation.state = state;
    operation.finished = Some(frame.facts.now);
    operation.percent = progress::percent(&operation.targets);
    let units = units_at_end(&operation);
    Verdict { units, ..Verdict::new(operation, Rest::Ended, word) }
}

/// Units that were held and never used go back.
fn units_at_end(operation: &Operation) -> UnitsChange {
    if operation.units == 0 {
        return UnitsChange::Leave;
    }
    match operation.quota {
        QuotaHold::Reserved { .. } | QuotaHold::Waiting { .. } => UnitsChange::Release,
        QuotaHold::Committed { .. } if operation.journal.units_unused => UnitsChange::Release,
        QuotaHold::Committed { .. } | QuotaHold::None | QuotaHold::Released => UnitsChange::Leave,
    }
}

/// Returns whether the same work may well go through later.
fn is_passing(error: &StepError) -> bool {
    use sampan_cloud::CallClass as Class;
    match error {
        StepError::Call(call) => match call.class {
            Class::Transient | Class::Throttled | Class::Busy | Class::Quota | Class::UnknownOutcome => true,
            Class::Caller | Class::NotFound | Class::Permission | Class::Credentials => false,
        },
        StepError::Store(_) | StepError::WaitForQuota { .. } => true,
        StepError::CancelRequested | StepError::DeadlinePassed | StepError::Record(_) => false,
    }
}
