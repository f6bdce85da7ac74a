//! Decides what readers, the writer and watchers share: the open database, the clock, and who waits for what.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use redb::{Database, ReadableDatabase};
use sampan_core::OperationId;
use sampan_core::clock::SharedClock;
use tokio::sync::watch;

use super::open::Medium;
use super::record::instant;
use super::rows::{Halt, ROWS, Snapshot};
use crate::error::Error;

/// The clock may jump without telling anybody, so no wait for a due operation sleeps longer than this.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// What readers, the writer and watchers share.
pub(super) struct Core {
    medium: Medium,
    pub(super) database: RwLock<Option<Database>>,
    clock: SharedClock,
    watchers: Mutex<HashMap<OperationId, watch::Sender<()>>>,
    due: watch::Sender<()>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("medium", &self.medium).finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new(medium: Medium, database: Database, clock: SharedClock) -> Self {
        Self {
            medium,
            database: RwLock::new(Some(database)),
            clock,
            watchers: Mutex::new(HashMap::new()),
            due: watch::Sender::new(()),
        }
    }

    /// Returns the store's time, cut to microseconds: the resolution that due times and leases are kept in.
    pub(super) fn now(&self) -> Timestamp {
        instant(self.clock.now().as_microsecond())
    }

    /// Returns where the store lies, for logs.
    pub(super) fn place(&self) -> &Medium {
        &self.medium
    }

    /// Opens the database again after it was closed because of a failure.
    pub(super) fn ensure_open(&self) -> Result<(), Halt> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            *database = Some(self.medium.open().map_err(Halt::broken)?);
        }
        Ok(())
    }

    /// Closes the database; readers that are at work finish first.
    pub(super) fn close(&self) {
        let closed = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        // Closing writes, and a damaged file can make that panic.
        drop(catch_unwind(AssertUnwindSafe(|| drop(closed))));
    }

    /// Reads from a snapshot of what is durable.
    pub(super) fn read<T>(&self, reader: impl FnOnce(&Snapshot) -> Result<T, Halt>) -> Result<T, Error> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = guard.as_ref() else {
            return Err(Error::Unavailable(format!("{} is closed after a failed write", self.medium)));
        };
        let read = || -> Result<T, Halt> {
            let transaction = database.begin_read()?;
            reader(&Snapshot(transaction.open_table(ROWS)?))
        };
        catch_unwind(AssertUnwindSafe(read))
            .unwrap_or_else(|_| Err(Halt::broken(format!("{} is damaged", self.medium))))
            .map_err(Error::from)
    }

    /// Wakes who waits for these operations, and who waits for something to be due soon.
    pub(super) fn announce(&self, changed: &[OperationId], earliest_due: Option<i64>) {
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        for id in changed {
            if let Some(watcher) = watchers.get(id) {
                watcher.send_replace(());
            }
        }
        drop(watchers);
        let horizon = i64::try_from(LONGEST_SLEEP.as_micros()).unwrap_or(i64::MAX);
        let soon = self.now().as_microsecond().saturating_add(horizon);
        if earliest_due.is_some_and(|due| due <= soon) {
            self.due.send_replace(());
        }
    }

    /// Returns how many operations somebody waits for.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns what tells about new work.
    pub(super) fn watch_due(&self) -> watch::Receiver<()> {
        self.due.subscribe()
    }

    /// Returns what tells about changes of one operation.
    pub(super) fn watch(&self, id: OperationId) -> Watcher<'_> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = watchers.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Watcher { core: self, id, receiver: Some(receiver) }
    }
}

/// A wait for changes of one operation; leaves nothing behind when dropped.
pub(super) struct Watcher<'a> {
    core: &'a Core,
    id: OperationId,
    receiver: Option<watch::Receiver<()>>,
}

impl Watcher<'_> {
    /// Waits for the next change since the last call.
    pub(super) async fn changed(&mut self) {
        if let Some(receiver) = &mut self.receiver {
            // The sender lives as long as a receiver does, so there is always something to wait for.
            drop(receiver.changed().await);
        }
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        let mut watchers = self.core.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if let Slot::Occupied(slot) = watchers.entry(self.id)
            && slot.get().receiver_count() == 0
        {
            slot.remove();
        }
    }
}
