//! Decides how long to wait between two attempts of one call: the only file that names the `backoff` crate.
//!
//! What is worth a second attempt, and how many the budget still allows, is decided in the retry layer of the
//! call stack.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// Bounds of an exponential schedule with jitter.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Middle of the first delay.
    pub first_delay: Duration,
    /// Upper bound of the middle of any delay.
    pub max_delay: Duration,
    /// Factor between one delay and the next, 1.0 or more.
    pub multiplier: f64,
    /// Share of a delay by which chance may change it, from 0.0 to 1.0.
    pub jitter: f64,
    /// Attempts in all, the first one included; at least 1.
    pub max_attempts: u32,
    /// Time after which no further attempt begins, counted from the first.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
            multiplier: 2.0,
            jitter: 0.5,
            max_attempts: 6,
            max_elapsed: Duration::from_secs(90),
        }
    }
}

impl RetryPolicy {
    /// Returns the schedule of one call, at its beginning.
    pub fn schedule(&self) -> Schedule {
        let inner = ExponentialBackoff {
            current_interval: self.first_delay,
            initial_interval: self.first_delay,
            randomization_factor: self.jitter,
            multiplier: self.multiplier,
            max_interval: self.max_delay,
            // The caller counts elapsed time on its own clock, which a test can hold still.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Schedule { inner, attempts: 1, policy: self.clone() }
    }
}

/// The delays of one call.
#[derive(Debug)]
pub struct Schedule {
    inner: ExponentialBackoff,
    attempts: u32,
    policy: RetryPolicy,
}

impl Schedule {
    /// Returns the delay before the next attempt, or `None` when the call has used up its attempts or its time.
    ///
    /// - `elapsed`: time since the first attempt began.
    /// - `hint`: the server's own wish (`Retry-After`); it wins over a shorter delay of the schedule.
    pub fn next_delay(&mut self, elapsed: Duration, hint: Option<Duration>) -> Option<Duration> {
        if self.attempts >= self.policy.max_attempts {
            return None;
        }
        self.attempts += 1;
        let planned = self.inner.next_backoff()?;
        let delay = hint.map_or(planned, |wish| wish.max(planned));
        (elapsed + delay <= self.policy.max_elapsed).then_some(delay)
    }

    /// Returns the number of attempts begun or granted so far; the first counts as 1.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_within_the_jitter_and_end_with_the_attempts() {
        let policy = RetryPolicy { jitter: 0.0, max_attempts: 4, ..RetryPolicy::default() };
        let mut schedule = policy.schedule();
        let delays: Vec<_> = std::iter::from_fn(|| schedule.next_delay(Duration::ZERO, None)).collect();
        assert_eq!(delays, [500, 1000, 2000].map(Duration::from_millis));
    }

    #[test]
    fn the_hint_of_the_server_wins_over_a_shorter_delay() {
        let mut schedule = RetryPolicy::default().schedule();
        let hint = Duration::from_secs(30);
        assert_eq!(schedule.next_delay(Duration::ZERO, Some(hint)), Some(hint));
    }

    #[test]
    fn no_attempt_begins_after_the_time_is_used_up() {
        let policy = RetryPolicy { max_elapsed: Duration::from_secs(1), ..RetryPolicy::default() };
        let mut schedule = policy.schedule();
        assert_eq!(schedule.next_delay(Duration::from_secs(1), None), None);
    }
}
