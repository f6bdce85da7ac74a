//! Decides how an operation waits for its lane's quota.

use jiff::Timestamp;
use sampan_core::Reason;
use sampan_state::operation::{Operation, QuotaHold, State};
use sampan_state::{OnSpent, Turn};

use crate::after::{Frame, Rest, Verdict};
use crate::{ending, failure, progress};

/// It stands in the waiting list now; or fails, when its caller wanted that.
pub(crate) fn not_its_turn(operation: Operation, until: Timestamp, position: u32, frame: Frame<'_>) -> Verdict {
    match operation.on_spent {
        OnSpent::Queue => park(operation, until, frame),
        OnSpent::Refuse => {
            let words = format!(
                "the image operations of the day are used up in {}: place {} in line, {until} at the earliest",
                operation.lane,
                position.saturating_add(1),
            );
            ending::fail(operation, failure::of_reason(Reason::QuotaSpent, words), frame)
        }
    }
}

/// Parks it until its turn may come.
pub(crate) fn park(mut operation: Operation, until: Timestamp, frame: Frame<'_>) -> Verdict {
    operation.state = State::WaitingForQuota;
    let until = until.max(frame.after(frame.policy.after_reset));
    wait(&mut operation, until, frame);
    Verdict::new(operation, Rest::Until(until), "waiting_for_quota")
}

/// The day is about to turn and no call may begin: it keeps its place and goes on right after the turn.
pub(crate) fn day_turns(mut operation: Operation, until: Timestamp, frame: Frame<'_>) -> Verdict {
    wait(&mut operation, until, frame);
    Verdict::new(operation, Rest::Until(until), "day_turns")
}

/// Waiting for quota is not waiting for the cloud: the deadline moves along, and nothing stalls.
fn wait(operation: &mut Operation, until: Timestamp, frame: Frame<'_>) {
    let waited = until.duration_since(frame.facts.now);
    operation.deadline = operation.deadline.map(|deadline| deadline.saturating_add(waited).unwrap_or(deadline));
    operation.journal.step_started = None;
    operation.journal.step_failures = 0;
    progress::end_alarm(operation);
}

/// It asked for its turn, and this is the answer.
pub(crate) fn after_turn(mut operation: Operation, turn: Turn, frame: Frame<'_>) -> Verdict {
    match turn {
        Turn::Reserved { day } => {
            operation.quota = QuotaHold::Reserved { day, units: operation.units };
            operation.state = State::Running;
            Verdict::new(operation, Rest::GoOn, "quota_granted")
        }
        Turn::Waiting { position, earliest_start } => {
            operation.quota = QuotaHold::Waiting { position, earliest_start: Some(earliest_start) };
            park(operation, earliest_start, frame)
        }
    }
}
