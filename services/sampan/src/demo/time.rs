//! Decides when the demo's clock stands where, so that no midnight comes in between by itself.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sampan_core::Clock as _;
use sampan_core::clock::{self, OffsetClock};
use sampan_core::quota_day::QuotaRule;

/// Longest that the part before the jump may take; nearer to the reset, the demo begins at noon instead.
const ROOM: SignedDuration = SignedDuration::from_mins(60);

/// Returns the demo's clock: the machine's, or noon of the same quota day when the day is about to end.
pub(super) fn begin() -> Arc<OffsetClock> {
    let clock = OffsetClock::new(clock::system());
    clock.shift(shift_from_midnight(clock.now()));
    Arc::new(clock)
}

fn shift_from_midnight(now: Timestamp) -> SignedDuration {
    let left = QuotaRule::per_china_day(1).resets_at(now).duration_since(now);
    if left < ROOM { left - SignedDuration::from_hours(12) } else { SignedDuration::ZERO }
}

/// Moves the clock to a quarter of an hour after `instant`; never back.
pub(super) fn jump_beyond(clock: &OffsetClock, instant: Timestamp) -> SignedDuration {
    let by = instant.duration_since(clock.now()) + SignedDuration::from_mins(15);
    let by = by.max(SignedDuration::ZERO);
    clock.shift(by);
    by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_demo_that_begins_shortly_before_the_reset_is_held_at_noon_of_that_day() {
        let late = at("2026-11-21T15:59:30Z");
        assert_eq!(late + shift_from_midnight(late), at("2026-11-21T04:00:00Z"));
        let early = at("2026-11-21T16:00:30Z");
        assert_eq!(shift_from_midnight(early), SignedDuration::ZERO);
    }
}
