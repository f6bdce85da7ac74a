//! Decides how an operation's record and the store's own entry about it are kept and read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_core::{Lane, OperationId};
use serde::{Deserialize, Serialize};

use super::keys;
use super::rows::{Batch, Halt, Rows, read_json};
use crate::error::Error;
use crate::operation::{Operation, RECORD_VERSION};

/// The right of a worker, as the entry keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) owner: String,
    pub(super) expires_us: i64,
}

/// What the store itself knows about an operation; never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Order of admission over all lanes.
    pub(super) sequence: u64,
    /// Copy of the record's kind: the due queue must be kept in order even when the record cannot be read.
    pub(super) kind: String,
    /// Copy of the record's lane.
    pub(super) lane: Lane,
    /// Fence of the last claim.
    pub(super) fence: u64,
    /// Place in the due queue; none once the operation has ended.
    pub(super) due_us: Option<i64>,
    /// Who works on it; the place in the due queue is the end of the lease then.
    pub(super) lease: Option<Held>,
    /// Became due while somebody worked on it: the time holds when the lease goes back.
    #[serde(default)]
    pub(super) wake_us: Option<i64>,
    /// The first step is not due before, whatever the waiting list says.
    #[serde(default)]
    pub(super) not_before_us: Option<i64>,
}

impl Entry {
    /// Returns whether somebody has the right to work on the operation at `now_us`.
    pub(super) fn is_leased(&self, now_us: i64) -> bool {
        self.lease.as_ref().is_some_and(|held| now_us < held.expires_us)
    }

    /// Moves the operation to another place of the due queue, or out of it.
    pub(super) fn move_due(&mut self, batch: &mut Batch<'_>, id: OperationId, due_us: Option<i64>) -> Result<(), Halt> {
        if let Some(old) = self.due_us {
            batch.remove(&keys::due(&self.kind, old, id))?;
        }
        if let Some(new) = due_us {
            batch.put(&keys::due(&self.kind, new, id), &[])?;
            batch.note_due(new);
        }
        self.due_us = due_us;
        Ok(())
    }

    pub(super) fn save(&self, batch: &mut Batch<'_>, id: OperationId) -> Result<(), Halt> {
        batch.put_json(&keys::entry(id), self)
    }

    pub(super) fn load(rows: &impl Rows, id: OperationId) -> Result<Self, Halt> {
        read_json(rows, &keys::entry(id))?.ok_or(Halt::Refused(Error::NotFound(id)))
    }
}

/// Reads a record.
pub(super) fn load(rows: &impl Rows, id: OperationId) -> Result<Operation, Halt> {
    let bytes = rows.get(&keys::operation(id))?.ok_or(Halt::Refused(Error::NotFound(id)))?;
    Ok(parse(&id.name(), &bytes)?)
}

/// Writes a record as it is and wakes its watchers.
pub(super) fn save(batch: &mut Batch<'_>, operation: &Operation) -> Result<(), Halt> {
    batch.put_json(&keys::operation(operation.id), operation)?;
    batch.note_change(operation.id);
    Ok(())
}

/// Counts a change of the record and writes it.
pub(super) fn save_change(batch: &mut Batch<'_>, operation: &mut Operation, now: Timestamp) -> Result<(), Halt> {
    operation.revision = operation.revision.saturating_add(1);
    operation.updated = now;
    save(batch, operation)
}

/// Parses the bytes of a record.
pub(super) fn parse(key: &str, bytes: &[u8]) -> Result<Operation, Error> {
    match serde_json::from_slice::<Operation>(bytes) {
        Ok(operation) if operation.version <= RECORD_VERSION => Ok(operation),
        Ok(operation) => Err(too_new(key, operation.version)),
        Err(problem) => Err(why_unreadable(key, bytes, &problem)),
    }
}

/// Version of a record whose other fields cannot be read.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

fn why_unreadable(key: &str, bytes: &[u8], problem: &serde_json::Error) -> Error {
    match serde_json::from_slice::<VersionOnly>(bytes) {
        Ok(VersionOnly { version }) if version > RECORD_VERSION => too_new(key, version),
        Ok(_) | Err(_) => Error::Corrupt { key: key.to_owned(), message: problem.to_string() },
    }
}

fn too_new(key: &str, found: u32) -> Error {
    Error::TooNew { key: key.to_owned(), found, known: RECORD_VERSION }
}

/// Returns the microsecond at or after `at`: what is due then is never due too early.
pub(super) fn micros_up(at: Timestamp) -> i64 {
    let micros = at.as_microsecond();
    let is_exact = Timestamp::from_microsecond(micros).is_ok_and(|exact| exact >= at);
    if is_exact { micros } else { micros.saturating_add(1) }
}

/// Returns the instant of a microsecond.
pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Returns the instant `ttl` after `now`, or the last one there is.
pub(super) fn after(now: Timestamp, ttl: Duration) -> Timestamp {
    let ttl = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
    now.checked_add(ttl).map_or(Timestamp::MAX, |at| instant(micros_up(at)))
}
