//! Decides what counts as progress, and when silence is alarming.

use std::time::Duration;

use jiff::Timestamp;
use sampan_state::operation::{Failure, Operation, Target, TargetState};

use crate::announce::signed;
use crate::context::warn;

const STALLED: &str = "STALLED";

/// Marks what a run has changed in the targets; returns whether any has moved.
pub(crate) fn observe(before: &[Target], operation: &mut Operation, now: Timestamp) -> bool {
    let mut moved = false;
    for target in &mut operation.targets {
        let old = before.iter().find(|old| old.id == target.id);
        let (state, percent, attempts) =
            old.map_or((TargetState::Pending, None, 0), |old| (old.state, old.percent, old.attempts));
        if target.state == state && target.percent == percent {
            continue;
        }
        moved = true;
        target.last_progress = Some(now);
        if state == TargetState::Pending && target.state != TargetState::Pending {
            target.started.get_or_insert(now);
            if target.attempts == attempts && target.state == TargetState::Running {
                target.attempts += 1;
            }
        }
        if target.state.is_final() {
            target.finished.get_or_insert(now);
        }
    }
    operation.percent = percent(&operation.targets);
    if moved {
        operation.last_progress = Some(now);
    }
    moved
}

/// Returns the mean over all targets, an ended one counted as whole; `None` while nothing of any is known.
pub(crate) fn percent(targets: &[Target]) -> Option<u8> {
    let part = |target: &Target| if target.state.is_final() { Some(100) } else { target.percent };
    if targets.iter().all(|target| part(target).is_none()) {
        return None;
    }
    let sum: u64 = targets.iter().map(|target| u64::from(part(target).unwrap_or(0).min(100))).sum();
    u8::try_from(sum / targets.len() as u64).ok()
}

/// Ends every target that has not ended.
pub(crate) fn close_targets(operation: &mut Operation, state: TargetState, failure: Option<&Failure>, now: Timestamp) {
    for target in operation.targets.iter_mut().filter(|target| !target.state.is_final()) {
        target.state = state;
        target.failure = target.failure.take().or_else(|| failure.cloned());
        target.finished = Some(now);
    }
}

/// The cloud was looked at and the work goes on: sounds or ends the alarm.
pub(crate) fn watch_silence(operation: &mut Operation, is_alive: bool, limit: Option<Duration>, now: Timestamp) {
    if is_alive {
        end_alarm(operation);
        operation.journal.quiet_since = Some(now);
        return;
    }
    let quiet_since = *operation.journal.quiet_since.get_or_insert(now);
    let Some(limit) = limit else { return };
    if operation.stalled_since.is_none() && now.duration_since(quiet_since) > signed(limit) {
        operation.stalled_since = Some(now);
        let words = format!("no progress since {quiet_since}; it may have stalled, and goes on until its deadline");
        warn(operation, STALLED, words);
    }
}

/// Nothing is expected to move now.
pub(crate) fn end_alarm(operation: &mut Operation) {
    operation.journal.quiet_since = None;
    operation.stalled_since = None;
    operation.warnings.retain(|warning| warning.code != STALLED);
}
