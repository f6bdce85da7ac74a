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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STEPS: &[Step] =
        &[Step { name: "call", under_lane_lock: true }, Step { name: "look", under_lane_lock: false }];
    const NOON: &str = "2026-11-21T04:00:00Z";

    /// A record whose fields are those of `change`, on top of one that is about to run its first step.
    fn planned(change: serde_json::Value) -> Action {
        let journal = json!({"next_step": 0, "step_name": "call", "step_attempts": 0, "step_failures": 0});
        let mut record = json!({
            "version": 1, "id": "0190a0aa-0000-7000-8000-000000000001", "kind": "toy", "caller": "",
            "lane": {"cloud": "tencent", "account": "prod", "region": "ap-guangzhou"}, "request": null,
            "request_digest": "", "state": "RUNNING", "quota": {"status": "none"}, "journal": journal,
            "created": NOON, "updated": NOON, "revision": 1,
        });
        for (key, value) in change.as_object().unwrap() {
            match record[key].as_object_mut().filter(|_| key == "journal") {
                Some(journal) => journal.extend(value.as_object().unwrap().clone()),
                None => record[key] = value.clone(),
            }
        }
        next_action(&serde_json::from_value(record).unwrap(), NOON.parse().unwrap(), STEPS)
    }

    #[test]
    fn the_step_that_the_record_names_is_next() {
        assert_eq!(planned(json!({})), Action::Run(0));
        assert_eq!(planned(json!({"journal": {"step_name": "look"}})), Action::Run(1));
        assert_eq!(planned(json!({"journal": {"step_name": ""}})), Action::Conclude);
        assert_eq!(planned(json!({"journal": {"step_name": "of another version"}})), Action::FailUnknownStep);
    }

    #[test]
    fn an_end_comes_before_an_undo_before_a_cancel_before_a_turn_before_a_step() {
        let cancel = json!({"at": NOON, "by": "", "remove_result": false});
        let waiting = json!({"state": "WAITING_FOR_QUOTA"});
        assert_eq!(planned(waiting), Action::TakeTurn);
        assert_eq!(planned(json!({"state": "WAITING_FOR_QUOTA", "cancel": cancel})), Action::Cancel);
        assert_eq!(planned(json!({"cancel": cancel, "journal": {"cancel_too_late": true}})), Action::Run(0));
        assert_eq!(planned(json!({"cancel": cancel, "journal": {"undo_from": 2}})), Action::Undo(1));
        assert_eq!(planned(json!({"cancel": cancel, "journal": {"undo_from": 0}})), Action::EndFailed);
        assert_eq!(planned(json!({"state": "FAILED", "journal": {"undo_from": 2}})), Action::Nothing);
    }

    #[test]
    fn a_deadline_stops_what_was_not_sent_and_lets_the_rest_have_its_look() {
        let intent = json!({"step": "call", "action": "Call", "since": NOON, "written": NOON});
        assert_eq!(planned(json!({"deadline": NOON})), Action::FailByDeadline);
        assert_eq!(planned(json!({"deadline": NOON, "journal": {"intent": intent}})), Action::Run(0));
        assert_eq!(planned(json!({"deadline": NOON, "journal": {"step_name": "look"}})), Action::Run(1));
        assert_eq!(planned(json!({"deadline": "2026-11-21T04:00:00.001Z"})), Action::Run(0));
    }
}
