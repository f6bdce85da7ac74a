//! Bounds the repeated attempts of one account, so that an ailing cloud is not hit by all of them at once.

use std::sync::atomic::{AtomicU32, Ordering};

/// Tenths of a repeated attempt that one success gives back.
const PER_SUCCESS: u32 = 2;
/// Tenths that one repeated attempt costs.
const PER_RETRY: u32 = 10;

/// A bucket of repeated attempts that successes refill: five successes pay for one.
///
/// First attempts are always free, so an empty budget slows nobody down who succeeds.
#[derive(Debug)]
pub struct RetryBudget {
    capacity: u32,
    tenths: AtomicU32,
}

impl RetryBudget {
    /// Makes a full budget of `retries` repeated attempts.
    pub fn new(retries: u32) -> Self {
        let capacity = retries.saturating_mul(PER_RETRY);
        Self { capacity, tenths: AtomicU32::new(capacity) }
    }

    /// Takes one repeated attempt; `false` when none is left.
    pub fn withdraw(&self) -> bool {
        self.tenths.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(PER_RETRY)).is_ok()
    }

    /// Gives back what one success earns, up to the capacity.
    pub fn deposit(&self) {
        let refill = |left: u32| Some(left.saturating_add(PER_SUCCESS).min(self.capacity));
        // The closure always returns Some, so the update cannot fail.
        let _ = self.tenths.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refill);
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_successes_pay_for_one_repeated_attempt() {
        let budget = RetryBudget::new(1);
        assert!(budget.withdraw());
        for _ in 0..4 {
            budget.deposit();
        }
        assert!(!budget.withdraw());
        budget.deposit();
        assert!(budget.withdraw());
    }

    #[test]
    fn successes_never_fill_beyond_the_capacity() {
        let budget = RetryBudget::new(1);
        (0..100).for_each(|_| budget.deposit());
        assert!(budget.withdraw());
        assert!(!budget.withdraw());
    }
}
