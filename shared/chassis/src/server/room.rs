//! Decides how many connections are open at once, so that nobody takes all files and all memory of the process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::metrics::edge as metrics;

/// How often a line tells that there is no room; the metric counts each.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The places that connections have.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    free: Arc<Semaphore>,
    told: Option<Instant>,
}

/// The place of one connection; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Room {
    /// Starts with `most` places, all free.
    pub(super) fn new(most: usize) -> Self {
        Self { most, free: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))), told: None }
    }

    /// Returns a place, or counts a connection that has none.
    pub(super) fn enter(&mut self) -> Option<Place> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            metrics::connected();
            return Some(Place(permit));
        }
        metrics::turned_away();
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!(limit = "server.max_connections", most = self.most, "connections are refused");
        }
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::disconnected();
    }
}
