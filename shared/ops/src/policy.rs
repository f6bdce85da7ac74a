//! Decides how long to wait before an operation is looked at again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sampan_core::Lane;
use sampan_core::retry::RetryPolicy;

/// A stretch of a step's age in which it is looked at in equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollPhase {
    /// Age of the step at which the phase ends.
    pub until: Duration,
    /// Distance of two looks.
    pub every: Duration,
}

/// How often work at the cloud is looked at: often at first, rarely later.
#[derive(Debug, Clone, PartialEq)]
pub struct PollPolicy {
    /// Phases in order of `until`.
    pub phases: Vec<PollPhase>,
    /// Distance after the last phase.
    pub then: Duration,
    /// Share of a distance by which chance changes it, 0.0 to 1.0.
    pub jitter: f64,
    /// Factor on every distance, age and wish: below 1.0 where the cloud is a simulator with a fast clock.
    pub scale: f64,
}

impl Default for PollPolicy {
    fn default() -> Self {
        let phase = |until, every| PollPhase { until: Duration::from_secs(until), every: Duration::from_secs(every) };
        Self {
            phases: vec![phase(60, 5), phase(600, 15), phase(3600, 30)],
            then: Duration::from_secs(60),
            jitter: 0.2,
            scale: 1.0,
        }
    }
}

impl PollPolicy {
    /// Returns the wait before the next look.
    ///
    /// - `age`: time since the step was begun first.
    /// - `hint`: a wish that wins over the schedule; chance does not change it.
    /// - `chance`: 0.0 to 1.0; 0.5 changes nothing.
    pub fn delay(&self, age: Duration, hint: Option<Duration>, chance: f64) -> Duration {
        if let Some(hint) = hint {
            return times(hint, self.scale);
        }
        spread(self.every(age), self.jitter, chance)
    }

    /// Returns the end of the wait before the next look, the same for all operations of a lane that are about as old:
    /// whoever claims them finds them due together, and asks the cloud for all of them in one call.
    ///
    /// Chance has no part in it: lanes differ by where their beat begins.
    pub fn beat(&self, age: Duration, lane: &Lane, now: Timestamp) -> Timestamp {
        let every = self.every(age).as_nanos().max(1);
        // Beats of older work are beats of younger work, too.
        let first = self.every(Duration::ZERO).as_nanos().max(1);
        let begins = u128::from(fingerprint(lane)) % first;
        let now_nanos = u128::try_from(now.as_nanosecond()).unwrap_or(0);
        // The beat that is nearest to one distance from now, so a late worker falls into step again.
        let beats = (now_nanos + every + every / 2).saturating_sub(begins) / every;
        i128::try_from(begins + beats * every)
            .ok()
            .and_then(|nanos| Timestamp::from_nanosecond(nanos).ok())
            .unwrap_or(Timestamp::MAX)
    }

    /// Returns the distance of two looks at work of this age.
    fn every(&self, age: Duration) -> Duration {
        let phase = self.phases.iter().find(|phase| age < times(phase.until, self.scale));
        times(phase.map_or(self.then, |phase| phase.every), self.scale)
    }
}

/// Every wait of the planner.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Looks at work that runs at the cloud.
    pub poll: PollPolicy,
    /// Waits between runs of a step that failed in a way worth repeating; its bounds of attempts and time are not
    /// used, the deadline of the operation bounds.
    pub retry: RetryPolicy,
    /// Wait when the cloud is busy with other work and says no time.
    pub busy: Duration,
    /// Middle of the wait after a lease was lost.
    pub lease_lost: Duration,
    /// How long a step may be repeated in an operation without a deadline, or be busy in any.
    pub patience: Duration,
    /// How long a cancel may go on after it was asked for, at least.
    pub cancel_patience: Duration,
    /// Failures of one undo after which it is given up with a warning.
    pub undo_failures: u32,
    /// Panics in a row after which a step is given up.
    pub panics: u32,
    /// No mutating call begins this short before the day of its quota turns.
    pub day_end_margin: Duration,
    /// Nor this short after the turn; then it is tried again.
    pub after_reset: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            poll: PollPolicy::default(),
            retry: RetryPolicy {
                first_delay: Duration::from_secs(5),
                max_delay: Duration::from_secs(300),
                multiplier: 2.0,
                // Chance comes from the planner's own source, so that a test can hold it still.
                jitter: 0.0,
                max_attempts: u32::MAX,
                max_elapsed: Duration::MAX,
            },
            busy: Duration::from_secs(120),
            lease_lost: Duration::from_millis(500),
            patience: Duration::from_secs(24 * 3600),
            cancel_patience: Duration::from_secs(3600),
            undo_failures: 8,
            panics: 3,
            day_end_margin: Duration::from_secs(45),
            after_reset: Duration::from_secs(2),
        }
    }
}

impl Policy {
    /// Returns the default policy with every wait for the cloud multiplied by `scale`.
    pub fn at_scale(scale: f64) -> Self {
        let mut policy = Self::default();
        policy.poll.scale = scale;
        policy.retry.first_delay = times(policy.retry.first_delay, scale);
        policy.retry.max_delay = times(policy.retry.max_delay, scale);
        policy.busy = times(policy.busy, scale);
        policy
    }

    /// Returns the wait before a failed step is repeated; it grows with `failures` in a row, 1 or more.
    pub fn retry_delay(&self, failures: u32, hint: Option<Duration>, chance: f64) -> Duration {
        let mut schedule = self.retry.schedule();
        let mut delay = self.retry.first_delay;
        // The schedule has reached its ceiling long before.
        for _ in 0..failures.clamp(1, 24) {
            delay = schedule.next_delay(Duration::ZERO, None).unwrap_or(self.retry.max_delay);
        }
        spread(delay, self.poll.jitter, chance).max(hint.unwrap_or(Duration::ZERO))
    }

    /// Returns the wait after a lease was lost.
    pub fn lost_delay(&self, chance: f64) -> Duration {
        spread(self.lease_lost, 0.5, chance)
    }
}

/// A source of chance that a test can seed.
#[derive(Debug)]
pub struct Chance(Mutex<StdRng>);

impl Chance {
    /// Starts from the system's entropy.
    pub fn fresh() -> Self {
        Self(Mutex::new(rand::make_rng()))
    }

    /// Starts from `seed`: the same seed draws the same.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Draws a number from 0.0 to 1.0.
    pub fn draw(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}

/// Tells lanes apart, in every process and version alike (FNV-1a).
fn fingerprint(lane: &Lane) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    lane.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor.max(0.0)).unwrap_or(duration)
}

fn spread(duration: Duration, jitter: f64, chance: f64) -> Duration {
    times(duration, 1.0 + jitter * (2.0 * chance - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn looks_get_rarer_with_the_age_of_the_step() {
        let poll = PollPolicy::default();
        let at = |age| poll.delay(secs(age), None, 0.5);
        assert_eq!([at(0), at(59)], [secs(5); 2]);
        assert_eq!([at(60), at(599)], [secs(15); 2]);
        assert_eq!([at(600), at(3599)], [secs(30); 2]);
        assert_eq!([at(3600), at(360_000)], [secs(60); 2]);
    }

    #[test]
    fn chance_changes_a_distance_by_a_fifth_at_most() {
        let poll = PollPolicy::default();
        assert_eq!(poll.delay(secs(0), None, 0.0), secs(4));
        assert_eq!(poll.delay(secs(0), None, 1.0), secs(6));
    }

    #[test]
    fn a_wish_wins_over_the_schedule_and_a_scale_shortens_both() {
        let poll = PollPolicy { scale: 0.1, ..PollPolicy::default() };
        assert_eq!(poll.delay(secs(0), Some(secs(3)), 0.9), Duration::from_millis(300));
        assert_eq!(poll.delay(secs(0), None, 0.5), Duration::from_millis(500));
        assert_eq!(poll.delay(secs(6), None, 0.5), Duration::from_millis(1500));
    }

    fn lane(region: &str) -> Lane {
        Lane { cloud: sampan_core::Cloud::Alibaba, account: "prod".parse().unwrap(), region: region.parse().unwrap() }
    }

    #[test]
    fn operations_of_a_lane_are_looked_at_together_about_one_distance_later() {
        let poll = PollPolicy::default();
        let at = |second: i64| Timestamp::from_second(1_790_000_000 + second).unwrap();
        for (age, every) in [(0, 5), (60, 15), (600, 30), (3600, 60)] {
            let beat = |second: i64| poll.beat(secs(age), &lane("cn-hangzhou"), at(second));
            let next = beat(0);
            let wait = next.duration_since(at(0)).as_secs_f64();
            assert!((wait - f64::from(every)).abs() <= f64::from(every) / 2.0, "{wait} of {every}");
            // From one beat it is one distance to the next, and who is a little late comes to the same.
            let after = poll.beat(secs(age), &lane("cn-hangzhou"), next);
            assert_eq!(after.duration_since(next).as_secs(), i64::from(every));
            let late = next + jiff::SignedDuration::from_millis(i64::from(every) * 400);
            assert_eq!(poll.beat(secs(age), &lane("cn-hangzhou"), late), after);
            // The beats of old work are beats of fresh work.
            let fresh = poll.beat(secs(0), &lane("cn-hangzhou"), next);
            assert_eq!(fresh.duration_since(next).as_secs(), 5);
        }
        let elsewhere = poll.beat(secs(0), &lane("cn-shanghai"), at(0));
        assert_ne!(elsewhere, poll.beat(secs(0), &lane("cn-hangzhou"), at(0)), "lanes spread themselves");
    }

    #[test]
    fn retries_wait_longer_each_time_up_to_the_ceiling_and_obey_a_longer_hint() {
        let policy = Policy::default();
        let delays: Vec<_> = [1, 2, 3, 4, 30].map(|failures| policy.retry_delay(failures, None, 0.5)).into();
        assert_eq!(delays, [5, 10, 20, 40, 300].map(secs));
        assert_eq!(policy.retry_delay(1, Some(secs(90)), 0.5), secs(90));
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(Chance::seeded(7).draw(), Chance::seeded(7).draw());
    }
}
