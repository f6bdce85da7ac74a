//! Decides on units: who holds how many of a lane's day, who waits, and when each waiter can start.
//!
//! Nothing here touches records, except for reservations that lapse because the cloud says that the day is
//! spent: the caller writes the record in the same batch.

use std::ops::ControlFlow;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::batch::Batch;
use super::keys;
use super::record::{self, Entry, instant, micros_up};
use super::rows::{Halt, Rows, parse_json, read_json};
use super::shown;
use crate::error::Error;
use crate::operation::QuotaHold;
use crate::quota::Turn;

/// Units of one lane and day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) reserved: u32,
    pub(super) committed: u32,
    /// The cloud said that nothing is left.
    pub(super) spent: bool,
    /// Grows whenever all reservations lapse at once: those of an earlier round count no more.
    #[serde(default)]
    round: u32,
}

/// Units that an operation holds of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) day: Date,
    pub(super) units: u32,
    pub(super) committed: bool,
    /// Round of the day that it was reserved in.
    #[serde(default)]
    round: u32,
}

/// A row of a waiting list.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Waiting {
    operation: OperationId,
    units: u32,
}

/// A waiter and when it can start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) operation: OperationId,
    pub(super) earliest: Timestamp,
    /// Its units are there now.
    pub(super) is_today: bool,
}

/// What the store knows about a lane: its lease, and the rule that it was last used with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LaneRow {
    pub(super) fence: u64,
    pub(super) lease: Option<record::Held>,
    pub(super) rule: Option<QuotaRule>,
}

impl LaneRow {
    pub(super) fn load(rows: &impl Rows, lane: &Lane) -> Result<Self, Halt> {
        Ok(read_json(rows, &keys::lane(lane))?.unwrap_or_default())
    }

    pub(super) fn save(&self, batch: &mut Batch<'_>, lane: &Lane) -> Result<(), Halt> {
        batch.put_json(&keys::lane(lane), self)
    }
}

/// Keeps the rule of a lane for the events that come without one, such as a cancel.
pub(super) fn remember_rule(batch: &mut Batch<'_>, lane: &Lane, rule: &QuotaRule) -> Result<(), Halt> {
    let mut row = LaneRow::load(batch, lane)?;
    if row.rule.as_ref() != Some(rule) {
        row.rule = Some(rule.clone());
        row.save(batch, lane)?;
    }
    Ok(())
}

pub(super) fn load_day(rows: &impl Rows, lane: &Lane, day: Date) -> Result<Day, Halt> {
    Ok(read_json(rows, &keys::day(lane, day))?.unwrap_or_default())
}

/// Writes a day; the first write of a day forgets those before yesterday.
fn save_day(batch: &mut Batch<'_>, lane: &Lane, date: Date, day: Day) -> Result<(), Halt> {
    let key = keys::day(lane, date);
    if batch.get(&key)?.is_none() {
        let yesterday = date.checked_sub(1.day()).unwrap_or(date);
        let mut old = Vec::new();
        batch.scan(&keys::days(lane), &keys::day(lane, yesterday), &mut |key, _| {
            old.push(key.to_vec());
            Ok(ControlFlow::Continue(()))
        })?;
        for key in old {
            batch.remove(&key);
        }
    }
    batch.put_json(&key, &day)
}

/// Returns what the operation holds; a reservation that lapsed with its round is none any more.
pub(super) fn load_hold(rows: &impl Rows, lane: &Lane, id: OperationId) -> Result<Option<Hold>, Halt> {
    let Some(hold) = read_json::<Hold>(rows, &keys::hold(lane, id))? else { return Ok(None) };
    // A day that is forgotten has lapsed long ago.
    let day = read_json::<Day>(rows, &keys::day(lane, hold.day))?;
    let is_lapsed = !hold.committed && day.is_none_or(|day| day.round > hold.round);
    Ok((!is_lapsed).then_some(hold))
}

/// Lists who waits, with the order of admission.
fn list_waiting(rows: &impl Rows, lane: &Lane) -> Result<Vec<(u64, Waiting)>, Halt> {
    let prefix = keys::waiting_list(lane);
    let mut list = Vec::new();
    rows.scan(&prefix, &keys::after(&prefix), &mut |key, value| {
        match parse_json(key, value) {
            Ok(waiting) => list.push((keys::read_sequence(key), waiting)),
            Err(Halt::Refused(problem)) => warn!(%lane, %problem, "waiter skipped"),
            Err(broken) => return Err(broken),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(list)
}

fn is_waiting(rows: &impl Rows, lane: &Lane, sequence: u64) -> Result<bool, Halt> {
    Ok(rows.get(&keys::waiting(lane, sequence))?.is_some())
}

/// Works out when each waiter can start, in the order of the list.
///
/// Days are filled in order and never revisited, so nobody overtakes. A waiter that wants more than a whole day
/// has (the limit was lowered after it was admitted) gets a day of its own.
pub(super) fn plan(rows: &impl Rows, lane: &Lane, rule: &QuotaRule, now: Timestamp) -> Result<Vec<Planned>, Halt> {
    plan_list(rows, lane, rule, &list_waiting(rows, lane)?, now)
}

fn plan_list(
    rows: &impl Rows,
    lane: &Lane,
    rule: &QuotaRule,
    waiting: &[(u64, Waiting)],
    now: Timestamp,
) -> Result<Vec<Planned>, Halt> {
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let mut filling = Filling::begin(rows, lane, rule, now)?;
    let mut planned = Vec::with_capacity(waiting.len());
    for &(_, Waiting { operation, units }) in waiting {
        filling.add(rule, units);
        planned.push(Planned { operation, earliest: filling.earliest, is_today: filling.is_today });
    }
    Ok(planned)
}

/// Days that are filled with units, from what is left of today on.
#[derive(Debug, Clone, Copy)]
struct Filling {
    limit: u32,
    free: u32,
    earliest: Timestamp,
    is_today: bool,
}

impl Filling {
    fn begin(rows: &impl Rows, lane: &Lane, rule: &QuotaRule, now: Timestamp) -> Result<Self, Halt> {
        let today = load_day(rows, lane, rule.day(now))?;
        let limit = rule.daily_units.unwrap_or(u32::MAX);
        let used = today.reserved.saturating_add(today.committed);
        let free = if today.spent { 0 } else { limit.saturating_sub(used) };
        Ok(Self { limit, free, earliest: now, is_today: true })
    }

    /// Adds the next in line: `earliest` and `is_today` are its own then.
    fn add(&mut self, rule: &QuotaRule, units: u32) {
        let wanted = units.min(self.limit).max(1);
        if wanted > self.free {
            self.earliest = rule.resets_at(self.earliest);
            self.is_today = false;
            self.free = self.limit;
        }
        self.free = self.free.saturating_sub(wanted);
    }
}

/// Uses units of today at once, behind everybody who waits; counts nothing for a key that was counted today.
///
/// The caller wakes those whose place that moved.
pub(super) fn spend(
    batch: &mut Batch<'_>,
    lane: &Lane,
    rule: &QuotaRule,
    (key, units): (&str, u32),
    now: Timestamp,
) -> Result<Date, Halt> {
    let date = rule.day(now);
    remember_rule(batch, lane, rule)?;
    let row = keys::spending(lane, date, key);
    if batch.get(&row)?.is_some() {
        return Ok(date);
    }
    let mut filling = Filling::begin(batch, lane, rule, now)?;
    for (_, waiting) in list_waiting(batch, lane)? {
        filling.add(rule, waiting.units);
    }
    filling.add(rule, units);
    if !filling.is_today {
        return Err(Halt::Refused(Error::QuotaSpent(Box::new(shown::picture(batch, lane, rule, now)?))));
    }
    let mut day = load_day(batch, lane, date)?;
    day.committed = day.committed.saturating_add(units);
    save_day(batch, lane, date, day)?;
    batch.put_json(&row, &units)?;
    Ok(date)
}

/// Makes every waiter of the lane due when it can start: now, if its units are there.
pub(super) fn wake_waiters(batch: &mut Batch<'_>, lane: &Lane, rule: &QuotaRule, now: Timestamp) -> Result<(), Halt> {
    let now_us = now.as_microsecond();
    for waiter in plan(batch, lane, rule, now)? {
        let id = waiter.operation;
        let mut entry = match Entry::load(batch, id) {
            Ok(entry) => entry,
            Err(Halt::Refused(problem)) => {
                warn!(operation = %id, %problem, "waiter not woken");
                continue;
            }
            Err(broken) => return Err(broken),
        };
        let start = micros_up(waiter.earliest).max(entry.not_before_us.unwrap_or(i64::MIN));
        let before = entry.clone();
        if entry.is_leased(now_us) {
            if waiter.is_today {
                entry.wake_us = Some(entry.wake_us.map_or(start, |known| known.min(start)));
            }
        } else if !waiter.is_today || entry.due_us.is_none_or(|due| due > start) {
            entry.move_due(batch, id, Some(start))?;
        }
        if entry != before {
            entry.save(batch, id)?;
        }
    }
    Ok(())
}

/// Wakes the waiters of a lane under the rule that it was last used with.
pub(super) fn wake_waiters_by_last_rule(batch: &mut Batch<'_>, lane: &Lane, now: Timestamp) -> Result<(), Halt> {
    match LaneRow::load(batch, lane)?.rule {
        Some(rule) => wake_waiters(batch, lane, &rule, now),
        None => Ok(()),
    }
}

/// An operation that asks for units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    pub(super) id: OperationId,
    pub(super) sequence: u64,
    pub(super) units: u32,
}

/// Gives the asker its units, or its place in the waiting list; the caller wakes those whose place that moved.
pub(super) fn turn(
    batch: &mut Batch<'_>,
    lane: &Lane,
    rule: &QuotaRule,
    asker: Asker,
    now: Timestamp,
) -> Result<Turn, Halt> {
    let Asker { id, sequence, units } = asker;
    let day = rule.day(now);
    remember_rule(batch, lane, rule)?;
    if let Some(hold) = load_hold(batch, lane, id)? {
        if hold.day == day {
            return Ok(Turn::Reserved { day });
        }
        drop_hold(batch, lane, id, hold)?;
    }
    // Most askers never wait, so the place in the list is worked out before it is written.
    let mut waiting = list_waiting(batch, lane)?;
    waiting.retain(|(place, _)| *place != sequence);
    let position = waiting.partition_point(|(place, _)| *place < sequence);
    waiting.insert(position, (sequence, Waiting { operation: id, units }));
    let planned = plan_list(batch, lane, rule, &waiting, now)?;
    let Some(place) = planned.get(position) else {
        return Err(Halt::Refused(Error::Corrupt { key: id.name(), message: "is missing in its waiting list".into() }));
    };
    if place.is_today {
        stop_waiting(batch, lane, sequence)?;
        let mut today = load_day(batch, lane, day)?;
        today.reserved = today.reserved.saturating_add(units);
        save_day(batch, lane, day, today)?;
        batch.put_json(&keys::hold(lane, id), &Hold { day, units, committed: false, round: today.round })?;
        return Ok(Turn::Reserved { day });
    }
    batch.put_json(&keys::waiting(lane, sequence), &Waiting { operation: id, units })?;
    Ok(Turn::Waiting { position: count(position), earliest_start: place.earliest })
}

/// Turns today's reservation into use for good and returns the hold; a commitment of any day stays as it is.
pub(super) fn commit_hold(
    batch: &mut Batch<'_>,
    lane: &Lane,
    rule: &QuotaRule,
    id: OperationId,
    now: Timestamp,
) -> Result<Hold, Halt> {
    let today = rule.day(now);
    match load_hold(batch, lane, id)? {
        Some(hold) if hold.committed => Ok(hold),
        Some(hold) if hold.day == today => {
            let mut day = load_day(batch, lane, today)?;
            day.reserved = day.reserved.saturating_sub(hold.units);
            day.committed = day.committed.saturating_add(hold.units);
            save_day(batch, lane, today, day)?;
            let hold = Hold { committed: true, ..hold };
            batch.put_json(&keys::hold(lane, id), &hold)?;
            Ok(hold)
        }
        Some(_) | None => Err(Halt::Refused(Error::QuotaSpent(Box::new(shown::picture(batch, lane, rule, now)?)))),
    }
}

/// Forgets a hold; a reservation no longer counts on its day, a commitment does.
fn drop_hold(batch: &mut Batch<'_>, lane: &Lane, id: OperationId, hold: Hold) -> Result<(), Halt> {
    batch.remove(&keys::hold(lane, id));
    if !hold.committed && batch.get(&keys::day(lane, hold.day))?.is_some() {
        let mut day = load_day(batch, lane, hold.day)?;
        day.reserved = day.reserved.saturating_sub(hold.units);
        save_day(batch, lane, hold.day, day)?;
    }
    Ok(())
}

/// Gives back whatever the operation holds, and its place in the waiting list; returns what the record says then.
///
/// The caller wakes the waiters.
pub(super) fn give_back(
    batch: &mut Batch<'_>,
    lane: &Lane,
    id: OperationId,
    sequence: u64,
) -> Result<Option<QuotaHold>, Halt> {
    let was_waiting = stop_waiting(batch, lane, sequence)?;
    let Some(hold) = load_hold(batch, lane, id)? else {
        batch.remove(&keys::hold(lane, id));
        return Ok(was_waiting.then_some(QuotaHold::None));
    };
    if hold.committed && batch.get(&keys::day(lane, hold.day))?.is_some() {
        let mut day = load_day(batch, lane, hold.day)?;
        day.committed = day.committed.saturating_sub(hold.units);
        save_day(batch, lane, hold.day, day)?;
    }
    drop_hold(batch, lane, id, hold)?;
    Ok(Some(QuotaHold::Released))
}

/// Takes the operation out of the waiting list; returns whether it stood there.
pub(super) fn stop_waiting(batch: &mut Batch<'_>, lane: &Lane, sequence: u64) -> Result<bool, Halt> {
    let was_waiting = is_waiting(batch, lane, sequence)?;
    if was_waiting {
        batch.remove(&keys::waiting(lane, sequence));
    }
    Ok(was_waiting)
}

/// Ends what the operation has to do with the lane: a reservation and a place in the list go back, a commitment
/// stays counted but belongs to nobody any more. Returns what the record says then, if that changed.
pub(super) fn leave(
    batch: &mut Batch<'_>,
    lane: &Lane,
    id: OperationId,
    sequence: u64,
) -> Result<Option<QuotaHold>, Halt> {
    match load_hold(batch, lane, id)? {
        Some(hold) if hold.committed => {
            batch.remove(&keys::waiting(lane, sequence));
            drop_hold(batch, lane, id, hold)?;
            Ok(None)
        }
        Some(_) | None => give_back(batch, lane, id, sequence),
    }
}

/// Marks today as used up: all reservations that are not committed lapse.
pub(super) fn mark_spent(batch: &mut Batch<'_>, lane: &Lane, rule: &QuotaRule, now: Timestamp) -> Result<(), Halt> {
    let today = rule.day(now);
    remember_rule(batch, lane, rule)?;
    let day = load_day(batch, lane, today)?;
    let round = day.round.saturating_add(1);
    save_day(batch, lane, today, Day { spent: true, reserved: 0, round, ..day })
}

/// Plans the lane under the rule that it was last used with.
pub(super) fn plan_by_last_rule(rows: &impl Rows, lane: &Lane, now: Timestamp) -> Result<Vec<Planned>, Halt> {
    match LaneRow::load(rows, lane)?.rule {
        Some(rule) => plan(rows, lane, &rule, now),
        None => Ok(Vec::new()),
    }
}

/// Returns what a record keeps about a turn; the place is filled in when it is read.
pub(super) fn kept_turn(turn: &Turn, units: u32) -> QuotaHold {
    match turn {
        Turn::Reserved { day } => QuotaHold::Reserved { day: *day, units },
        Turn::Waiting { .. } => QuotaHold::Waiting { position: 0, earliest_start: None },
    }
}

/// Returns a number of waiters as records tell it.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns when a waiter's step is due.
pub(super) fn due_of_turn(turn: &Turn, now: Timestamp) -> i64 {
    match turn {
        Turn::Reserved { .. } => now.as_microsecond(),
        Turn::Waiting { earliest_start, .. } => micros_up(*earliest_start),
    }
}

/// Returns the later of two times, in microseconds, as an instant.
pub(super) fn later(first_us: i64, second: Option<Timestamp>) -> Timestamp {
    instant(second.map_or(first_us, |second| first_us.max(micros_up(second))))
}
