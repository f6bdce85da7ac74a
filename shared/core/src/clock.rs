//! Decides what time it is.
//!
//! Every instant in Sampan comes from a [`Clock`]; nothing else may ask the operating system. Sleeping is not
//! here: runtimes sleep, clocks only tell.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the current instant.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the current instant, in UTC, with at least millisecond resolution.
    fn now(&self) -> Timestamp;

    /// Returns whether this is the machine's own clock: then a store with a clock of its own follows that one.
    fn is_machine(&self) -> bool {
        false
    }
}

/// A clock that many parts of a process share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one owner of the system clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn is_machine(&self) -> bool {
        true
    }
}

/// Returns the machine's clock behind a [`SharedClock`].
pub fn system() -> SharedClock {
    Arc::new(SystemClock)
}

/// The machine's clock plus an offset that can be moved: lets a demo or a test cross midnight.
#[derive(Debug)]
pub struct OffsetClock {
    base: SharedClock,
    offset_millis: AtomicI64,
}

impl OffsetClock {
    /// Starts without an offset from `base`.
    pub fn new(base: SharedClock) -> Self {
        Self { base, offset_millis: AtomicI64::new(0) }
    }

    /// Moves the clock by `by`, forward or back, from where it is now.
    pub fn shift(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Returns how far the clock is ahead of its base (negative when behind).
    pub fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.offset_millis.load(Ordering::SeqCst))
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        let base = self.base.now();
        // An offset beyond the range of Timestamp leaves the base: better than a panic in a demo.
        base.checked_add(self.offset()).unwrap_or(base)
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
}

impl ManualClock {
    /// Starts at `at`.
    pub fn new(at: Timestamp) -> Self {
        Self { millis: AtomicI64::new(at.as_millisecond()) }
    }

    /// Moves forward (or back, when negative) by `by`.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(0);
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Jumps to `at`.
    pub fn set(&self, at: Timestamp) {
        self.millis.store(at.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
