//! Decides what a worker's write, a cancel and a reopening change.

use jiff::Timestamp;
use sampan_core::OperationId;
use sampan_core::quota_day::QuotaRule;

use super::batch::Batch;
use super::lanes;
use super::ledger::{self, Asker};
use super::line::{self, Place};
use super::operations::{due_after_lease, must_hold, prolong};
use super::record::{self, Entry, after, micros_up};
use super::rows::Halt;
use super::shown;
use crate::error::Error;
use crate::lease::WorkLease;
use crate::operation::{CancelRequest, Operation, QuotaHold, RECORD_VERSION, State, TargetState};
use crate::operations::{Commit, Next, UnitsChange};

/// Writes the outcome of a step.
pub(super) fn commit(
    batch: &mut Batch<'_>,
    lease: WorkLease,
    commit: Commit,
    now: Timestamp,
) -> Result<(Operation, Option<WorkLease>), Halt> {
    let Commit { operation, next, units, rule, lane } = commit;
    let id = lease.operation;
    check(&lease, &operation, &next)?;
    let mut entry = must_hold(batch, &lease, now)?;
    if let Some(lane) = &lane {
        lanes::must_hold(batch, lane, now)?;
    }
    let known = record::load(batch, id)?;
    let mut kept = merge(operation, known, now);
    let has_ended = next == Next::Ended;
    let change = Change { units, rule, has_ended };
    change_units(batch, &mut kept, &mut entry, change, now)?;
    record::save(batch, &kept)?;
    let (was_in_line, lines_up) = (line::leave(batch, id, &mut entry), matches!(next, Next::InLine { .. }));
    let lease = match next {
        Next::Keep(ttl) => {
            let expires = after(now, ttl);
            prolong(batch, id, &mut entry, expires)?;
            Some(WorkLease { expires, ..lease })
        }
        Next::DueAt(at) => {
            give_back(batch, id, &mut entry, at)?;
            None
        }
        Next::InLine { since, at_latest } => {
            let place = Place { is_open: kept.journal.intent.is_some(), since_us: since.as_microsecond() };
            let due = line::stand(batch, id, &mut entry, place, now)?;
            give_back(batch, id, &mut entry, at_latest.map_or(due, |latest| latest.min(due)))?;
            None
        }
        Next::Ended => {
            forget(batch, id, &mut entry)?;
            None
        }
    };
    // Only now: the operation itself may stand in the list, and its lease must be seen as it is after the commit.
    let frees_units = matches!(units, UnitsChange::Release | UnitsChange::SpentElsewhere { .. });
    if frees_units || has_ended {
        ledger::wake_waiters_by_last_rule(batch, &kept.lane, now)?;
    }
    if was_in_line || lines_up {
        line::call_next(batch, &kept.lane, now)?;
    }
    Ok((shown::operation(batch, kept, now)?, lease))
}

fn check(lease: &WorkLease, operation: &Operation, next: &Next) -> Result<(), Error> {
    let has_ended = *next == Next::Ended;
    if operation.id != lease.operation {
        return Err(Error::Invalid(format!("the lease is for {}, the record is of {}", lease.operation, operation.id)));
    }
    if has_ended != operation.state.is_final() {
        return Err(Error::Invalid(format!("{next:?} does not go with the state {:?}", operation.state)));
    }
    Ok(())
}

/// Puts a worker's record over the known one: what identifies the operation, and what the store owns, stays.
fn merge(new: Operation, known: Operation, now: Timestamp) -> Operation {
    let state = match new.state {
        State::WaitingForQuota | State::Running if known.cancel.is_some() && !new.journal.cancel_too_late => {
            State::Cancelling
        }
        state => state,
    };
    Operation {
        version: RECORD_VERSION,
        kind: known.kind,
        lane: known.lane,
        caller: known.caller,
        request_id: known.request_id,
        request_digest: known.request_digest,
        created: known.created,
        quota: known.quota,
        cancel: known.cancel,
        revision: known.revision.saturating_add(1),
        updated: now,
        state,
        ..new
    }
}

struct Change {
    units: UnitsChange,
    rule: Option<QuotaRule>,
    has_ended: bool,
}

/// Changes the units of the operation, and what its record says about them.
fn change_units(
    batch: &mut Batch<'_>,
    kept: &mut Operation,
    entry: &mut Entry,
    change: Change,
    now: Timestamp,
) -> Result<(), Halt> {
    let (id, lane, sequence) = (kept.id, kept.lane.clone(), entry.sequence);
    let rule = match (change.units, change.rule) {
        (UnitsChange::Leave, rule) => rule.unwrap_or(QuotaRule::unlimited()),
        (_, Some(rule)) => rule,
        (_, None) => return Err(Error::Invalid("a change of units needs the rule of the lane".to_owned()).into()),
    };
    match change.units {
        UnitsChange::Leave => {}
        UnitsChange::Commit => {
            let hold = ledger::commit_hold(batch, &lane, &rule, id, now)?;
            kept.quota = shown::hold(hold);
        }
        UnitsChange::Release => {
            ledger::remember_rule(batch, &lane, &rule)?;
            if let Some(left) = ledger::give_back(batch, &lane, id, sequence)? {
                kept.quota = left;
            }
        }
        UnitsChange::SpentElsewhere { requeue } => {
            let held = ledger::load_hold(batch, &lane, id)?.map_or(kept.units.max(1), |hold| hold.units);
            if let Some(left) = ledger::give_back(batch, &lane, id, sequence)? {
                kept.quota = left;
            }
            ledger::mark_spent(batch, &lane, &rule, now)?;
            // A cancel needs no unit, and must not wait for the reset.
            if requeue && !change.has_ended && kept.cancel.is_none() {
                let turn = ledger::turn(batch, &lane, &rule, Asker { id, sequence, units: held }, now)?;
                kept.quota = ledger::kept_turn(&turn, held);
            }
        }
    }
    if change.has_ended
        && let Some(left) = ledger::leave(batch, &lane, id, sequence)?
    {
        kept.quota = left;
    }
    Ok(())
}

/// Ends the lease; the operation is due then, or earlier when something called for it.
fn give_back(batch: &mut Batch<'_>, id: OperationId, entry: &mut Entry, at: Timestamp) -> Result<(), Halt> {
    entry.lease = None;
    let due = due_after_lease(entry, at);
    entry.wake_us = None;
    entry.move_due(batch, id, Some(micros_up(due)))?;
    entry.save(batch, id)
}

/// Takes an ended operation out of everything that makes operations run.
fn forget(batch: &mut Batch<'_>, id: OperationId, entry: &mut Entry) -> Result<(), Halt> {
    entry.lease = None;
    entry.wake_us = None;
    entry.not_before_us = None;
    entry.move_due(batch, id, None)?;
    entry.save(batch, id)
}

/// Keeps a cancel; an operation that waits for quota ends here.
pub(super) fn cancel(
    batch: &mut Batch<'_>,
    id: OperationId,
    request: CancelRequest,
    now: Timestamp,
) -> Result<Operation, Halt> {
    let mut known = record::load(batch, id)?;
    if known.state.is_final() {
        return Err(Error::Ended(Box::new(known)).into());
    }
    let mut entry = Entry::load(batch, id)?;
    let asked = match &known.cancel {
        None => Some(CancelRequest { at: now, ..request }),
        Some(first) if request.remove_result && !first.remove_result => {
            Some(CancelRequest { remove_result: true, ..first.clone() })
        }
        Some(_) => None,
    };
    let Some(asked) = asked else { return shown::operation(batch, known, now) };
    known.cancel = Some(asked);
    // Units that are committed, or a call whose outcome is open, are for the worker to settle.
    let is_untouched = known.state == State::WaitingForQuota
        && known.journal.intent.is_none()
        && !matches!(known.quota, QuotaHold::Committed { .. });
    let lane = known.lane.clone();
    if is_untouched {
        known.state = State::Cancelled;
        known.finished = Some(now);
        for target in known.targets.iter_mut().filter(|target| !target.state.is_final()) {
            target.state = TargetState::Cancelled;
            target.finished = Some(now);
        }
        if let Some(left) = ledger::leave(batch, &lane, id, entry.sequence)? {
            known.quota = left;
        }
        forget(batch, id, &mut entry)?;
    } else {
        known.state = State::Cancelling;
        if ledger::stop_waiting(batch, &lane, entry.sequence)? {
            known.quota = QuotaHold::None;
        }
        due_at_once(batch, id, &mut entry, now)?;
    }
    record::save_change(batch, &mut known, now)?;
    ledger::wake_waiters_by_last_rule(batch, &lane, now)?;
    shown::operation(batch, known, now)
}

/// Makes an operation due now, or as soon as whoever works on it gives it back.
pub(super) fn due_at_once(
    batch: &mut Batch<'_>,
    id: OperationId,
    entry: &mut Entry,
    now: Timestamp,
) -> Result<(), Halt> {
    let now_us = now.as_microsecond();
    if entry.is_leased(now_us) {
        entry.wake_us = Some(now_us);
    } else if entry.due_us.is_none_or(|due| due > now_us) {
        entry.move_due(batch, id, Some(now_us))?;
    }
    entry.save(batch, id)
}

/// Puts an ended operation back to work.
pub(super) fn reopen(batch: &mut Batch<'_>, change: Operation, now: Timestamp) -> Result<Operation, Halt> {
    let id = change.id;
    let known = record::load(batch, id)?;
    if known.revision != change.revision || !known.state.is_final() {
        return Err(Error::LeaseLost(id.name()).into());
    }
    let mut entry = Entry::load(batch, id)?;
    let mut kept = merge(change, known, now);
    kept.state = State::Running;
    kept.cancel = None;
    kept.finished = None;
    // What it used is counted already; a new call needs a new unit.
    kept.quota = QuotaHold::None;
    record::save(batch, &kept)?;
    due_at_once(batch, id, &mut entry, now)?;
    Ok(kept)
}
