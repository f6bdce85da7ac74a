//! Decides what a step that did not come to an end means: when it is repeated, and when that is given up.

use std::time::Duration;

use jiff::Timestamp;
use sampan_cloud::{CallClass, CallError};
use sampan_core::Reason;
use sampan_state::Error;
use sampan_state::operation::Operation;

use crate::after::{Frame, Rest, Verdict, spent_elsewhere};
use crate::context::warn;
use crate::saga::StepError;
use crate::{ending, failure, waiting};

pub(crate) const BUSY: &str = "CLOUD_BUSY";

/// Returns the time since the current step was begun first.
pub(crate) fn age(operation: &Operation, now: Timestamp) -> Duration {
    let started = operation.journal.step_started.unwrap_or(now);
    Duration::try_from(now.duration_since(started)).unwrap_or(Duration::ZERO)
}

/// Repeats the step after `wait`, with one last look at the deadline.
pub(crate) fn look_again(operation: Operation, wait: Duration, word: &'static str, frame: Frame<'_>) -> Verdict {
    match operation.deadline {
        Some(deadline) if deadline <= frame.facts.now => ending::fail_by_deadline(operation, None, frame),
        Some(deadline) => Verdict::new(operation, Rest::Until(frame.after(wait).min(deadline)), word),
        None => Verdict::new(operation, Rest::Until(frame.after(wait)), word),
    }
}

/// Other work holds the resource at the cloud.
pub(crate) fn busy(mut operation: Operation, wait: Duration, message: &str, frame: Frame<'_>) -> Verdict {
    operation.journal.step_failures = 0;
    // Nothing of ours runs, so nothing can stall.
    operation.journal.quiet_since = None;
    warn(&mut operation, BUSY, message);
    if age(&operation, frame.facts.now) >= frame.policy.patience {
        let words = format!("the cloud stayed busy: {message}");
        return ending::fail(operation, failure::of_reason(Reason::CloudRefused, words), frame);
    }
    look_again(operation, wait, "busy", frame)
}

/// Decides by the kind of error.
pub(crate) fn after_error(mut operation: Operation, error: StepError, frame: Frame<'_>) -> Verdict {
    match error {
        StepError::Call(error) => after_call(operation, &error, frame),
        StepError::Store(error) => after_store(operation, error, frame),
        StepError::WaitForQuota { until, position: Some(position) } => {
            waiting::not_its_turn(operation, until, position, frame)
        }
        StepError::WaitForQuota { until, position: None } => waiting::day_turns(operation, until, frame),
        StepError::CancelRequested => {
            operation.journal.step_failures = 0;
            Verdict::new(operation, Rest::GoOn, "cancel_requested")
        }
        StepError::DeadlinePassed => ending::fail_by_deadline(operation, None, frame),
        StepError::Record(message) => {
            ending::fail(operation, failure::of_reason(Reason::InternalFault, message), frame)
        }
    }
}

fn after_call(mut operation: Operation, error: &CallError, frame: Frame<'_>) -> Verdict {
    // What this run announced first, and the cloud refused, has never had an effect. After an earlier call of
    // unknown outcome only the step can know.
    if frame.facts.fresh == Some(error.action) && error.is_without_effect() && operation.journal.intent.is_some() {
        operation.journal.intent = None;
        operation.journal.units_unused = true;
    }
    match error.class {
        CallClass::Transient | CallClass::Throttled => again(operation, error, "retry", frame),
        CallClass::UnknownOutcome => again(operation, error, "outcome_unknown", frame),
        CallClass::Busy => {
            let wait = error.retry_after.unwrap_or(frame.policy.busy);
            busy(operation, wait, &error.to_string(), frame)
        }
        CallClass::Quota => spent_elsewhere(operation, error, frame),
        CallClass::Caller | CallClass::NotFound | CallClass::Permission | CallClass::Credentials => {
            ending::fail(operation, failure::of_call(error), frame)
        }
    }
}

fn again(mut operation: Operation, error: &CallError, word: &'static str, frame: Frame<'_>) -> Verdict {
    if error.reason == Reason::AuditUnavailable {
        // It can last, and nothing at the cloud shows why the operation does not move.
        warn(&mut operation, Reason::AuditUnavailable.as_str(), error.to_string());
    }
    operation.journal.step_failures = operation.journal.step_failures.saturating_add(1);
    let wait = frame.policy.retry_delay(operation.journal.step_failures, error.retry_after, frame.facts.chance);
    match operation.deadline {
        Some(deadline) if deadline <= frame.facts.now => ending::fail_by_deadline(operation, Some(error), frame),
        None if age(&operation, frame.facts.now) >= frame.policy.patience => {
            ending::fail(operation, failure::of_call(error), frame)
        }
        Some(_) | None => look_again(operation, wait, word, frame),
    }
}

fn after_store(operation: Operation, error: Error, frame: Frame<'_>) -> Verdict {
    let soon = frame.policy.lost_delay(frame.facts.chance);
    match error {
        // The lane was lost, or the work: the commit tells which.
        Error::LeaseLost(_) => Verdict::new(operation, Rest::Until(frame.after(soon)), "lease_lost"),
        Error::LaneHeld { .. } => lane_held(operation, frame),
        Error::QuotaSpent(picture) => {
            let place = picture.waiting_count;
            waiting::not_its_turn(operation, picture.resets_at, place, frame)
        }
        Error::NotFound(_) | Error::Ended(_) => Verdict::new(operation, Rest::Abandon, "ended_elsewhere"),
        Error::Corrupt { .. } => {
            ending::fail(operation, failure::of_reason(Reason::StoreCorrupt, error.to_string()), frame)
        }
        Error::TooNew { .. } => {
            ending::fail(operation, failure::of_reason(Reason::RecordTooNew, error.to_string()), frame)
        }
        Error::RequestIdReused { .. } | Error::Invalid(_) => {
            ending::fail(operation, failure::of_reason(Reason::InternalFault, error.to_string()), frame)
        }
        // The enum of the store may grow; whatever is new is tried again like an outage.
        Error::Unavailable(_) | _ => {
            let mut operation = operation;
            operation.journal.step_failures = operation.journal.step_failures.saturating_add(1);
            let wait = frame.policy.retry_delay(operation.journal.step_failures, None, frame.facts.chance);
            look_again(operation, wait, "store_unavailable", frame)
        }
    }
}

/// Somebody else holds the lane: stands in line for it by the age of the operation, so that one that was interrupted
/// between two steps does not begin anew behind all others while its deadline runs.
pub(crate) fn lane_held(mut operation: Operation, frame: Frame<'_>) -> Verdict {
    operation.journal.step_started.get_or_insert(frame.facts.now);
    let since = operation.created;
    match operation.deadline {
        Some(deadline) if deadline <= frame.facts.now => ending::fail_by_deadline(operation, None, frame),
        at_latest => Verdict::new(operation, Rest::InLine { since, at_latest }, "lane_held"),
    }
}

/// A panic fails the run alone: what it changed in the working copy is dropped with it.
pub(crate) fn after_panic(mut operation: Operation, attempts: u32, frame: Frame<'_>) -> Verdict {
    operation.journal.step_attempts = attempts;
    operation.journal.step_failures = operation.journal.step_failures.saturating_add(1);
    operation.journal.step_started.get_or_insert(frame.facts.now);
    if operation.journal.step_failures >= frame.policy.panics {
        let words =
            format!("step {} panicked {} times in a row", operation.journal.step_name, operation.journal.step_failures);
        return ending::fail(operation, failure::of_reason(Reason::InternalFault, words), frame);
    }
    let wait = frame.policy.retry_delay(operation.journal.step_failures, None, frame.facts.chance);
    look_again(operation, wait, "panicked", frame)
}
