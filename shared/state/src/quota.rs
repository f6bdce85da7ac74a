//! The ledger of mutating calls per lane and day.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};

use crate::error::Error;

/// An operation in the waiting list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// The operation.
    pub operation: OperationId,
    /// Place in the list, 0 for the next.
    pub position: u32,
    /// When it can start at the earliest.
    pub earliest_start: Timestamp,
}

/// A lane's quota at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaPicture {
    /// The lane.
    pub lane: Lane,
    /// The day, in the rule's time zone.
    pub day: Date,
    /// Units per day; `None` when nothing is limited.
    pub limit: Option<u32>,
    /// Units used for good today.
    pub committed: u32,
    /// Units held by operations that have not called yet.
    pub reserved: u32,
    /// Units that somebody else is known to have used: what is left of the limit once the cloud said that the day is
    /// spent. 0 where nothing is limited, though nothing starts until the reset there either.
    pub spent_elsewhere: u32,
    /// When the next day begins.
    pub resets_at: Timestamp,
    /// The waiting list in order; the first 100 at most.
    pub waiting: Vec<Waiter>,
    /// Length of the whole waiting list.
    pub waiting_count: u32,
}

impl QuotaPicture {
    /// Returns the units that are left today; `None` when nothing is limited.
    pub fn remaining(&self) -> Option<u32> {
        let used = self.committed.saturating_add(self.reserved).saturating_add(self.spent_elsewhere);
        self.limit.map(|limit| limit.saturating_sub(used))
    }
}

/// Answer to an operation that asks for its units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The units are held for `day`.
    Reserved {
        /// The day that they count on.
        day: Date,
    },
    /// Not yet.
    Waiting {
        /// Place in the waiting list, 0 for the next.
        position: u32,
        /// When it can start at the earliest.
        earliest_start: Timestamp,
    },
}

/// The ledger of mutating calls per lane and calendar day; the day is that of the store's clock.
///
/// Units are held under an operation's id, so repeating any call counts nothing twice. A reservation lapses by
/// itself when its day ends.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// Gives the waiting (or lapsed) operation its units if it is its turn; else tells when.
    ///
    /// A holder of today's reservation or commitment gets [`Turn::Reserved`] again. An operation that is not in
    /// the waiting list yet takes the place that its age gives it (order of admission), so one whose reservation
    /// lapsed at midnight comes before those admitted after it. The record's `quota` follows, its `state` is left to
    /// the worker. A commitment of an earlier day stays counted there, and new units are given.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such operation, [`Error::Ended`] when it has ended, [`Error::Invalid`] for
    /// 0 units.
    async fn take_turn(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId, units: u32) -> Result<Turn, Error>;

    /// Turns the holder's reservation of today into use for good, before the cloud is called.
    ///
    /// Returns the day that it counts on. Repeating it changes nothing, on a later day too: what is committed stays on
    /// its day.
    ///
    /// # Errors
    /// [`Error::QuotaSpent`] when the holder has no reservation of today (it lapsed): nothing is counted then,
    /// and the operation must [`take_turn`](Self::take_turn) again. [`Error::NotFound`].
    async fn commit_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<Date, Error>;

    /// Gives the holder's units back, reserved or committed: the call surely never took effect. Wakes the next
    /// waiters: those that fit now are due at once. A holder without units, or without a record, is no error; leaves
    /// the waiting list too.
    async fn release_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<(), Error>;

    /// Uses units of today's allowance at once, for a mutating call that no operation of this lane makes: the work of
    /// an operation of another lane ends here, such as the removal of a copy in its destination.
    ///
    /// - `key`: what the call is, 1 to 200 bytes; repeating the same key on the same day counts nothing again.
    /// - Nobody in the waiting list is overtaken, and nothing waits: what is not there now is refused.
    /// - Returns the day that the units count on.
    ///
    /// # Errors
    /// [`Error::QuotaSpent`] when fewer units are left; nothing is counted then. [`Error::Invalid`] for 0 units or a
    /// key of another length.
    async fn spend_units(&self, lane: &Lane, rule: &QuotaRule, key: &str, units: u32) -> Result<Date, Error>;

    /// Marks the rest of today as used by somebody else, because the cloud said so; reservations that are not
    /// committed lapse, and their records say so (`Released`) when they are read. Waiters are due at their earliest start. Ends with the day.
    async fn mark_spent(&self, lane: &Lane, rule: &QuotaRule) -> Result<(), Error>;

    /// Returns the quota of a lane now.
    async fn quota(&self, lane: &Lane, rule: &QuotaRule) -> Result<QuotaPicture, Error>;
}

/// Longest key of [`QuotaLedger::spend_units`], in bytes.
const MOST_KEY_BYTES: usize = 200;

/// Refuses what [`QuotaLedger::spend_units`] does not take.
pub(crate) fn check_spending(key: &str, units: u32) -> Result<(), Error> {
    if units == 0 {
        return Err(Error::Invalid("units are spent by 1 or more".to_owned()));
    }
    if key.is_empty() || key.len() > MOST_KEY_BYTES {
        return Err(Error::Invalid(format!("units are spent under a key of 1 to {MOST_KEY_BYTES} bytes")));
    }
    Ok(())
}
