//! Decides how rows are read and written: a snapshot for readers, and a batch whose refused decisions leave no trace.

use std::fmt::Display;
use std::ops::ControlFlow;

use redb::{ReadOnlyTable, ReadableTable, Table, TableDefinition};
use sampan_core::OperationId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{self, Key};
use crate::error::Error;

/// The one table of the store.
pub(super) const ROWS: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("rows");

/// Why a decision stopped.
#[derive(Debug)]
pub(super) enum Halt {
    /// It was refused; the others of the batch go on.
    Refused(Error),
    /// The file failed; nothing of the batch is kept.
    Broken(String),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Halt> for Error {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Refused(error) => error,
            Halt::Broken(message) => Self::Unavailable(message),
        }
    }
}

impl Halt {
    pub(super) fn broken(cause: impl Display) -> Self {
        Self::Broken(cause.to_string())
    }
}

macro_rules! broken_by {
    ($($cause:ty),+) => {$(
        impl From<$cause> for Halt {
            fn from(cause: $cause) -> Self {
                Self::broken(cause)
            }
        }
    )+};
}

broken_by!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);

/// What a visitor of rows says: go on, or enough.
pub(super) type Visit = Result<ControlFlow<()>, Halt>;

/// Rows that can be read.
pub(super) trait Rows {
    /// Returns the value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Halt>;

    /// Visits the rows from `from` to before `to`, upwards.
    fn scan(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt>;

    /// Visits the rows from before `to` down to `from`.
    fn scan_back(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt>;
}

fn get_from(table: &impl ReadableTable<&'static [u8], &'static [u8]>, key: &[u8]) -> Result<Option<Vec<u8>>, Halt> {
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}

fn scan_over(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    (from, to, back): (&[u8], &[u8], bool),
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
) -> Result<(), Halt> {
    let mut range = table.range::<&[u8]>(from..to)?;
    while let Some(row) = if back { range.next_back() } else { range.next() } {
        let (key, value) = row?;
        if visit(key.value(), value.value())?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The rows as they were after the last commit.
pub(super) struct Snapshot(pub(super) ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Rows for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Halt> {
        get_from(&self.0, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt> {
        scan_over(&self.0, (from, to, false), visit)
    }

    fn scan_back(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt> {
        scan_over(&self.0, (from, to, true), visit)
    }
}

/// Rows of a transaction that is being written, with what is needed to take one decision back.
pub(super) struct Batch<'txn> {
    table: Table<'txn, &'static [u8], &'static [u8]>,
    undo: Vec<(Key, Option<Vec<u8>>)>,
    dirty: bool,
    changed: Vec<OperationId>,
    earliest_due: Option<i64>,
}

impl Rows for Batch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Halt> {
        get_from(&self.table, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt> {
        scan_over(&self.table, (from, to, false), visit)
    }

    fn scan_back(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt> {
        scan_over(&self.table, (from, to, true), visit)
    }
}

impl<'txn> Batch<'txn> {
    pub(super) fn new(table: Table<'txn, &'static [u8], &'static [u8]>) -> Self {
        Self { table, undo: Vec::new(), dirty: false, changed: Vec::new(), earliest_due: None }
    }

    /// Writes a row.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Halt> {
        let old = self.table.insert(key, value)?.map(|old| old.value().to_vec());
        self.undo.push((key.to_vec(), old));
        Ok(())
    }

    /// Writes a row as JSON.
    pub(super) fn put_json(&mut self, key: &[u8], value: &impl Serialize) -> Result<(), Halt> {
        let bytes = serde_json::to_vec(value).map_err(|problem| unreadable(key, &problem))?;
        self.put(key, &bytes)
    }

    /// Removes a row; one that is not there is no error.
    pub(super) fn remove(&mut self, key: &[u8]) -> Result<(), Halt> {
        let old = self.table.remove(key)?.map(|old| old.value().to_vec());
        if old.is_some() {
            self.undo.push((key.to_vec(), old));
        }
        Ok(())
    }

    /// Remembers that watchers of the operation are to be woken.
    pub(super) fn note_change(&mut self, id: OperationId) {
        self.changed.push(id);
    }

    /// Remembers that something is due at the given time.
    pub(super) fn note_due(&mut self, due_us: i64) {
        self.earliest_due = Some(self.earliest_due.map_or(due_us, |known| known.min(due_us)));
    }

    /// Keeps what the last decision wrote.
    pub(super) fn accept(&mut self) {
        self.dirty |= !self.undo.is_empty();
        self.undo.clear();
    }

    /// Takes back what the last decision wrote.
    pub(super) fn refuse(&mut self) -> Result<(), Halt> {
        while let Some((key, old)) = self.undo.pop() {
            match old {
                Some(value) => drop(self.table.insert(key.as_slice(), value.as_slice())?),
                None => drop(self.table.remove(key.as_slice())?),
            }
        }
        Ok(())
    }

    /// Returns whether there is anything to commit, which operations changed, and the earliest due time written.
    pub(super) fn finish(self) -> (bool, Vec<OperationId>, Option<i64>) {
        (self.dirty, self.changed, self.earliest_due)
    }
}

/// Reads a row that is kept as JSON.
pub(super) fn read_json<T: DeserializeOwned>(rows: &impl Rows, key: &[u8]) -> Result<Option<T>, Halt> {
    match rows.get(key)? {
        None => Ok(None),
        Some(bytes) => parse_json(key, &bytes).map(Some),
    }
}

/// Parses a row that is kept as JSON.
pub(super) fn parse_json<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, Halt> {
    serde_json::from_slice(bytes).map_err(|problem| unreadable(key, &problem))
}

fn unreadable(key: &[u8], problem: &serde_json::Error) -> Halt {
    Halt::Refused(Error::Corrupt { key: printable(key), message: problem.to_string() })
}

/// Returns a key in a form for people.
pub(super) fn printable(key: &[u8]) -> String {
    keys::read_operation(key).map_or_else(|| key.escape_ascii().to_string(), |id| id.name())
}
