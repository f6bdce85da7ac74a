//! Decides who is next at a lane: the line of the operations that found it held.
//!
//! Whoever frees the lane wakes one of them. Nothing depends on it but speed: each is due by itself some time after the
//! lease of the lane ends, those in front first. One that is woken has left the line, and comes back to the same place
//! should somebody else have been faster; its entry keeps the place until a commit that needs none, because it has to
//! pass the word on if it does not take the lane.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use sampan_core::{Lane, OperationId};
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::commit::due_at_once;
use super::ledger::LaneRow;
use super::record::{Entry, after, instant};
use super::rows::{Halt, Rows};
use super::{keys, lanes};

/// Distance of those in line where nobody wakes them.
const APART: Duration = Duration::from_secs(1);
/// How many of them are told apart.
const MOST_APART: u32 = 60;

/// A place in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Has an open call, so it stands before all who have none: its deadline runs.
    pub(super) is_open: bool,
    /// Since when it waits.
    pub(super) since_us: i64,
}

/// Puts an operation into the line, and returns when it is due if nobody wakes it.
pub(super) fn stand(
    batch: &mut Batch<'_>,
    id: OperationId,
    entry: &mut Entry,
    place: Place,
    now: Timestamp,
) -> Result<Timestamp, Halt> {
    let key = keys::place(&entry.lane, place, id);
    let mut before = 0;
    batch.scan(&keys::line(&entry.lane), &key, &mut |_, _| {
        before += 1;
        Ok(if before < MOST_APART { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    batch.put(&key, &[]);
    entry.in_line = Some(place);
    let row = LaneRow::load(batch, &entry.lane)?;
    let free = lanes::live(&row, now).map_or(now, |held| instant(held.expires_us));
    Ok(after(free, APART * before))
}

/// Takes an operation out of the line; returns whether it stood there, or was woken and has not come back since.
pub(super) fn leave(batch: &mut Batch<'_>, id: OperationId, entry: &mut Entry) -> bool {
    let Some(place) = entry.in_line.take() else { return false };
    batch.remove(&keys::place(&entry.lane, place, id));
    true
}

/// Makes the first in line due if the lane is free.
pub(super) fn call_next(batch: &mut Batch<'_>, lane: &Lane, now: Timestamp) -> Result<(), Halt> {
    if lanes::live(&LaneRow::load(batch, lane)?, now).is_some() {
        return Ok(());
    }
    let line = keys::line(lane);
    loop {
        let mut first = None;
        batch.scan(&line, &keys::after(&line), &mut |key, _| {
            first = Some(key.to_vec());
            Ok(ControlFlow::Break(()))
        })?;
        let Some(first) = first else { return Ok(()) };
        batch.remove(&first);
        let Some(id) = keys::read_place(&first) else { continue };
        // One that cannot be read, or has gone on, keeps nobody waiting.
        match Entry::load(batch, id) {
            Ok(mut entry) if entry.in_line.is_some() && entry.due_us.is_some() => {
                return due_at_once(batch, id, &mut entry, now);
            }
            Ok(_) | Err(Halt::Refused(_)) => {}
            Err(broken) => return Err(broken),
        }
    }
}
