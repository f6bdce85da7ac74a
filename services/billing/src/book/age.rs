//! Decides which prices are too old to be trusted without a look.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit as Span};

use super::Row;

/// Age in days beyond which a price is reported.
pub const DEFAULT_MAX_AGE_DAYS: i32 = 365;

/// A price that is older than the set age.
#[derive(Debug, Clone, Copy)]
pub struct Stale<'b> {
    /// The price.
    pub row: &'b Row,
    /// Days since its date.
    pub age_days: i32,
}

impl Row {
    /// Returns the days between the date of the price and `today`; negative for a date that is still to come.
    ///
    /// A year or a month alone counts from its first day: rather a warning too early than too late.
    pub fn age_days(&self, today: Date) -> i32 {
        self.dated.until((Span::Day, today)).map_or(i32::MAX, |span| span.get_days())
    }
}

/// Returns those of `rows` that are older than `max_age_days` on the day of `now` (in UTC), each once.
pub(crate) fn stale<'b>(rows: impl Iterator<Item = &'b Row>, now: Timestamp, max_age_days: i32) -> Vec<Stale<'b>> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut stale: Vec<Stale<'b>> = Vec::new();
    for row in rows {
        let age_days = row.age_days(today);
        if age_days > max_age_days && !stale.iter().any(|known| std::ptr::eq(known.row, row)) {
            stale.push(Stale { row, age_days });
        }
    }
    stale
}
