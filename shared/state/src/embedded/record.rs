//! Decides how an operation's record and the store's own entry about it are kept and read.

use jiff::Timestamp;
use sampan_core::{Lane, OperationId};
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::keys;
use super::line::Place;
use super::rows::{Halt, Rows, read_json};
use crate::error::Error;
use crate::operation::Operation;
pub(super) use crate::record::{after, instant, micros_up, parse};

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
    /// Its place in the line for its lane, kept while it is woken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) in_line: Option<Place>,
}

impl Entry {
    /// Returns whether somebody has the right to work on the operation at `now_us`.
    pub(super) fn is_leased(&self, now_us: i64) -> bool {
        self.lease.as_ref().is_some_and(|held| now_us < held.expires_us)
    }

    /// Moves the operation to another place of the due queue, or out of it.
    pub(super) fn move_due(&mut self, batch: &mut Batch<'_>, id: OperationId, due_us: Option<i64>) -> Result<(), Halt> {
        if let Some(old) = self.due_us {
            batch.remove(&keys::due(&self.kind, old, id));
        }
        if let Some(new) = due_us {
            batch.put(&keys::due(&self.kind, new, id), &[]);
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
