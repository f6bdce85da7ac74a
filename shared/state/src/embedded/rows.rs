//! Decides how rows are read, from a snapshot or from a batch that is being written ([`super::batch`]).

use std::fmt::Display;
use std::ops::ControlFlow;

use redb::{ReadOnlyTable, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;

use super::keys;
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

pub(super) fn get_from(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, Halt> {
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

pub(super) fn unreadable(key: &[u8], problem: &serde_json::Error) -> Halt {
    Halt::Refused(Error::Corrupt { key: printable(key), message: problem.to_string() })
}

/// Returns a key in a form for people.
pub(super) fn printable(key: &[u8]) -> String {
    keys::read_operation(key).map_or_else(|| key.escape_ascii().to_string(), |id| id.name())
}
