//! Decides from the record alone what is done with an operation next.
//!
//! Pure: no I/O, no clock. What a run then changes in the record is decided in `after`.

use std::time::Duration;

use jiff::Timestamp;
use sampan_state::operation::{Operation, State};

use crate::announce::signed;
use crate::saga::Step;

/// What is done with an operation next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Ask for its units in the lane's quota.
    TakeTurn,
    /// Run the step of this index.
    Run(usize),
    /// Run the saga's cancel.
    Cancel,
    /// Undo the step of this index.
    Undo(usize),
    /// End it: every step is done.
    Conclude,
    /// End it as failed: everything that can be undone is.
    EndFailed,
    /// Fail it: its deadline has passed before its next call.
    FailByDeadline,
    /// Fail it: this version does not know the step that is next.
    FailUnknownStep,
    /// Nothing: it has ended.
    Nothing,
}

/// Decides what is done next with `operation`.
///
/// A deadline does not stop a step that only looks: after a long outage the work may be done, and then it is
/// proven. It stops what has not been sent to the cloud yet; the rest is stopped by `after` when the last look finds
/// nothing.
pub fn next_action(operation: &Operation, now: Timestamp, steps: &[Step]) -> Action {
    let journal = &operation.journal;
    if operation.state.is_final() {
        return Action::Nothing;
    }
    if let Some(from) = journal.undo_from {
        return (from as usize)
            .checked_sub(1)
            .filter(|step| *step < steps.len())
            .map_or(Action::EndFailed, Action::Undo);
    }
    if operation.cancel.is_some() && !journal.cancel_too_late {
        return Action::Cancel;
    }
    if operation.state == State::WaitingForQuota {
        return Action::TakeTurn;
    }
    if journal.step_name.is_empty() {
        return Action::Conclude;
    }
    let Some(index) = steps.iter().position(|step| step.name == journal.step_name) else {
        return Action::FailUnknownStep;
    };
    let late = operation.deadline.is_some_and(|deadline| deadline <= now);
    if late && steps[index].under_lane_lock && journal.intent.is_none() {
        return Action::FailByDeadline;
    }
    Action::Run(index)
}

/// Returns when a cancel that goes on is given up.
pub(crate) fn cancel_ends(operation: &Operation, patience: Duration) -> Option<Timestamp> {
    let asked = operation.cancel.as_ref()?.at.saturating_add(signed(patience)).ok()?;
    Some(operation.deadline.map_or(asked, |deadline| deadline.max(asked)))
}
