//! Decides what time it is in the simulated clouds, and which calendar day an operation counts for.

use jiff::{SignedDuration, Timestamp};

/// The world's clock: a base clock, sped up and moved forward.
#[derive(Debug, Clone, Copy)]
pub(super) struct WarpedClock {
    speed: f64,
    base_anchor: Timestamp,
    world_anchor: Timestamp,
}

/// Fastest speed that can be set: a day in less than a second.
pub(super) const MAX_SPEED: f64 = 100_000.0;

impl WarpedClock {
    /// Starts at the base clock's time, at its speed.
    pub(super) fn new(base_now: Timestamp) -> Self {
        Self { speed: 1.0, base_anchor: base_now, world_anchor: base_now }
    }

    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    pub(super) fn now(&self, base_now: Timestamp) -> Timestamp {
        let elapsed = base_now.duration_since(self.base_anchor).as_secs_f64() * self.speed;
        SignedDuration::try_from_secs_f64(elapsed)
            .ok()
            .and_then(|elapsed| self.world_anchor.checked_add(elapsed).ok())
            .unwrap_or(self.world_anchor)
    }

    /// Goes on from the present world time at another speed.
    pub(super) fn set_speed(&mut self, base_now: Timestamp, speed: f64) {
        self.world_anchor = self.now(base_now);
        self.base_anchor = base_now;
        self.speed = speed;
    }

    /// Moves the world's time; the limit of what a timestamp can hold is kept.
    pub(super) fn jump(&mut self, by: SignedDuration) {
        self.world_anchor = self.world_anchor.checked_add(by).unwrap_or(self.world_anchor);
    }
}

/// Hours by which the vendors' calendar day is ahead of UTC.
const DAY_OFFSET: SignedDuration = SignedDuration::from_hours(8);

/// Returns the calendar day of UTC+8, such as `2026-11-21`.
pub fn quota_day(now: Timestamp) -> String {
    let shifted = now.checked_add(DAY_OFFSET).unwrap_or(now);
    shifted.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_changes_at_sixteen_hours_utc() {
        assert_eq!(quota_day(at("2026-11-21T15:59:59Z")), "2026-11-21");
        assert_eq!(quota_day(at("2026-11-21T16:00:00Z")), "2026-11-22");
    }

    #[test]
    fn a_change_of_speed_keeps_the_time_that_has_passed() {
        let mut clock = WarpedClock::new(at("2026-11-21T00:00:00Z"));
        clock.set_speed(at("2026-11-21T00:00:10Z"), 60.0);
        assert_eq!(clock.now(at("2026-11-21T00:00:10Z")), at("2026-11-21T00:00:10Z"));
        assert_eq!(clock.now(at("2026-11-21T00:00:11Z")), at("2026-11-21T00:01:10Z"));
        clock.jump(SignedDuration::from_hours(24));
        assert_eq!(clock.now(at("2026-11-21T00:00:11Z")), at("2026-11-22T00:01:10Z"));
    }
}
