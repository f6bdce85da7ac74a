//! Decides what the decisions of one transaction see and leave behind: each sees what those before it wrote, a
//! refused one leaves no trace, and every row goes into the file once, however often it was written.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::{Bound, ControlFlow};

use redb::{ReadableTable, Table};
use sampan_core::OperationId;
use serde::Serialize;

use super::keys::Key;
use super::rows::{Halt, Rows, Visit, get_from, unreadable};

type Value = Vec<u8>;

/// Rows of a transaction that is being written, with what is needed to take one decision back.
pub(super) struct Batch<'txn> {
    /// The rows as they were before; written in [`Batch::finish`] alone.
    table: Table<'txn, &'static [u8], &'static [u8]>,
    /// Rows that were written since, and those that were removed: without a value.
    written: BTreeMap<Key, Option<Value>>,
    /// What stood in `written` before the decision that is being made.
    undo: Vec<(Key, Option<Option<Value>>)>,
    changed: Vec<OperationId>,
    earliest_due: Option<i64>,
}

impl Rows for Batch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Halt> {
        match self.written.get(key) {
            Some(value) => Ok(value.clone()),
            None => get_from(&self.table, key),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt> {
        self.scan_both((from, to, false), visit)
    }

    fn scan_back(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit) -> Result<(), Halt> {
        self.scan_both((from, to, true), visit)
    }
}

impl<'txn> Batch<'txn> {
    pub(super) fn new(table: Table<'txn, &'static [u8], &'static [u8]>) -> Self {
        Self { table, written: BTreeMap::new(), undo: Vec::new(), changed: Vec::new(), earliest_due: None }
    }

    /// Visits the rows of the table and the written ones as if they were one.
    fn scan_both(
        &self,
        (from, to, back): (&[u8], &[u8], bool),
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), Halt> {
        if from >= to {
            return Ok(());
        }
        let mut below = self.table.range::<&[u8]>(from..to)?;
        let mut above = self.written.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let mut next_below = || if back { below.next_back() } else { below.next() }.transpose();
        let mut next_above = || if back { above.next_back() } else { above.next() };
        let (mut row, mut change) = (next_below()?, next_above());
        loop {
            let order = match (&row, change) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((key, _)), Some((changed, _))) if back => changed.as_slice().cmp(key.value()),
                (Some((key, _)), Some((changed, _))) => key.value().cmp(changed.as_slice()),
            };
            let seen = match (&row, change) {
                (Some((key, value)), _) if order.is_lt() => visit(key.value(), value.value())?,
                (_, Some((key, Some(value)))) => visit(key, value)?,
                _ => ControlFlow::Continue(()),
            };
            if seen.is_break() {
                return Ok(());
            }
            if order.is_le() {
                row = next_below()?;
            }
            if order.is_ge() {
                change = next_above();
            }
        }
    }

    fn write(&mut self, key: &[u8], value: Option<Value>) {
        let old = match self.written.entry(key.to_vec()) {
            Entry::Vacant(free) => {
                free.insert(value);
                None
            }
            Entry::Occupied(mut known) => Some(known.insert(value)),
        };
        self.undo.push((key.to_vec(), old));
    }

    /// Writes a row.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.write(key, Some(value.to_vec()));
    }

    /// Writes a row as JSON.
    pub(super) fn put_json(&mut self, key: &[u8], value: &impl Serialize) -> Result<(), Halt> {
        let bytes = serde_json::to_vec(value).map_err(|problem| unreadable(key, &problem))?;
        self.write(key, Some(bytes));
        Ok(())
    }

    /// Removes a row; one that is not there is no error.
    pub(super) fn remove(&mut self, key: &[u8]) {
        self.write(key, None);
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
        self.undo.clear();
    }

    /// Takes back what the last decision wrote.
    pub(super) fn refuse(&mut self) {
        while let Some((key, old)) = self.undo.pop() {
            match old {
                Some(value) => drop(self.written.insert(key, value)),
                None => drop(self.written.remove(&key)),
            }
        }
    }

    /// Writes the rows into the transaction; returns whether there is anything to commit, which operations changed,
    /// and the earliest due time written.
    pub(super) fn finish(mut self) -> Result<(bool, Vec<OperationId>, Option<i64>), Halt> {
        let mut is_dirty = false;
        // In the order of the keys, so that neighbours go into the same pages one after the other.
        for (key, value) in &self.written {
            is_dirty |= match value {
                Some(value) => {
                    self.table.insert(key.as_slice(), value.as_slice())?;
                    true
                }
                None => self.table.remove(key.as_slice())?.is_some(),
            };
        }
        Ok((is_dirty, self.changed, self.earliest_due))
    }
}
