//! Decides which calendar day a unit of quota belongs to and when the next one begins.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// How many mutating image calls a lane may make in one calendar day, and where that day begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRule {
    /// Mutating image calls per day; `None` means that nothing is counted against a limit.
    pub daily_units: Option<u32>,
    /// Offset of the vendor's day from UTC, in whole minutes; 480 for UTC+8.
    pub utc_offset_minutes: i16,
}

/// Offset of the day that both vendors count in: UTC+8.
pub const CHINA_OFFSET_MINUTES: i16 = 480;

impl QuotaRule {
    /// Returns a rule of `units` calls per day of UTC+8.
    pub fn per_china_day(units: u32) -> Self {
        Self { daily_units: Some(units), utc_offset_minutes: CHINA_OFFSET_MINUTES }
    }

    /// Returns a rule that counts in UTC+8 and refuses nothing.
    pub fn unlimited() -> Self {
        Self { daily_units: None, utc_offset_minutes: CHINA_OFFSET_MINUTES }
    }

    /// Returns the calendar day of `now` under this rule.
    pub fn day(&self, now: Timestamp) -> Date {
        self.zone().to_datetime(now).date()
    }

    /// Returns the instant at which the day after `now`'s day begins.
    pub fn resets_at(&self, now: Timestamp) -> Timestamp {
        let fallback = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now);
        self.day(now)
            .checked_add(1.day())
            .ok()
            .and_then(|next| next.to_zoned(self.zone()).ok())
            .map_or(fallback, |midnight| midnight.timestamp())
    }

    /// Returns the time zone of the day, as `UTC+08:00`.
    pub fn zone_name(&self) -> String {
        let sign = if self.utc_offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.utc_offset_minutes.unsigned_abs();
        format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn zone(&self) -> TimeZone {
        let seconds = i32::from(self.utc_offset_minutes) * 60;
        Offset::from_seconds(seconds).map_or(TimeZone::UTC, TimeZone::fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_sixteen_hours_utc() {
        let rule = QuotaRule::per_china_day(5);
        let before: Timestamp = "2026-11-21T15:59:59Z".parse().unwrap();
        let after: Timestamp = "2026-11-21T16:00:00Z".parse().unwrap();
        assert_eq!(rule.day(before).to_string(), "2026-11-21");
        assert_eq!(rule.day(after).to_string(), "2026-11-22");
        assert_eq!(rule.resets_at(before), after);
        assert_eq!(rule.zone_name(), "UTC+08:00");
    }
}
