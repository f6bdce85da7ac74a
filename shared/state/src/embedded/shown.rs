//! Says what is told of units: the picture of a lane, and what a record says about its own units when it is read.
//!
//! Who holds what, and who waits, is decided in [`super::ledger`].

use jiff::Timestamp;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};

use super::ledger::{Hold, Planned, count, load_day, load_hold, plan, plan_by_last_rule};
use super::rows::{Halt, Rows};
use crate::operation::{Operation, QuotaHold};
use crate::quota::{QuotaPicture, Waiter};

/// Waiters that a picture names.
const WAITERS_SHOWN: usize = 100;

/// Describes the lane's quota now.
pub(super) fn picture(rows: &impl Rows, lane: &Lane, rule: &QuotaRule, now: Timestamp) -> Result<QuotaPicture, Halt> {
    let today = rule.day(now);
    let day = load_day(rows, lane, today)?;
    let own = day.committed.saturating_add(day.reserved);
    let elsewhere = if day.spent { rule.daily_units.unwrap_or(own).saturating_sub(own) } else { 0 };
    let planned = plan(rows, lane, rule, now)?;
    Ok(QuotaPicture {
        lane: lane.clone(),
        day: today,
        limit: rule.daily_units,
        committed: day.committed,
        reserved: day.reserved,
        spent_elsewhere: elsewhere,
        resets_at: rule.resets_at(now),
        waiting_count: count(planned.len()),
        waiting: planned
            .iter()
            .take(WAITERS_SHOWN)
            .enumerate()
            .map(|(position, waiter)| Waiter {
                operation: waiter.operation,
                position: count(position),
                earliest_start: waiter.earliest,
            })
            .collect(),
    })
}

/// Says of a reservation that lapsed with its round that it was given back.
pub(super) fn lapse(rows: &impl Rows, operation: &mut Operation) -> Result<(), Halt> {
    if matches!(operation.quota, QuotaHold::Reserved { .. })
        && load_hold(rows, &operation.lane, operation.id)?.is_none()
    {
        operation.quota = QuotaHold::Released;
    }
    Ok(())
}

/// Fills in what a record says about the quota by itself: the place of a waiter, and whether a reservation lapsed.
pub(super) fn operation(rows: &impl Rows, mut operation: Operation, now: Timestamp) -> Result<Operation, Halt> {
    match operation.quota {
        QuotaHold::Waiting { .. } => {
            let planned = plan_by_last_rule(rows, &operation.lane, now)?;
            if let Some(place) = place(&planned, operation.id) {
                operation.quota = place;
            }
        }
        QuotaHold::Reserved { .. } => lapse(rows, &mut operation)?,
        QuotaHold::None | QuotaHold::Committed { .. } | QuotaHold::Released => {}
    }
    Ok(operation)
}

/// Returns what a record says about the place that an operation has in a plan.
pub(super) fn place(planned: &[Planned], id: OperationId) -> Option<QuotaHold> {
    let position = planned.iter().position(|waiter| waiter.operation == id)?;
    let earliest_start = planned.get(position).map(|waiter| waiter.earliest);
    Some(QuotaHold::Waiting { position: count(position), earliest_start })
}

/// Returns what a record says about units that are held.
pub(super) fn hold(hold: Hold) -> QuotaHold {
    let Hold { day, units, committed, .. } = hold;
    if committed { QuotaHold::Committed { day, units } } else { QuotaHold::Reserved { day, units } }
}
