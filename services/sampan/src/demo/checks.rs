//! Counts what the demo has proven, and prints each check as it is made.

use std::fmt::Display;

use super::{say, tell};
use crate::client::Failure;
use crate::output::style;

/// The checks so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    passed: u32,
    failed: u32,
}

impl Checks {
    /// Prints `claim` and counts whether it holds.
    pub(super) fn holds(&mut self, claim: impl Display, holds: bool) -> Result<(), Failure> {
        if holds {
            self.passed += 1;
            tell(&format!("  {} ", style::good("✓")), &claim.to_string())
        } else {
            self.failed += 1;
            tell(&format!("  {} NOT TRUE: ", style::bad("✗")), &claim.to_string())
        }
    }

    /// Prints `claim` and counts whether `found` is `wanted`; tells what was found when it is not.
    pub(super) fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        claim: impl Display,
        found: T,
        wanted: T,
    ) -> Result<(), Failure> {
        let holds = found == wanted;
        self.holds(claim, holds)?;
        if holds { Ok(()) } else { say(&format!("      found {found:?}, not {wanted:?}")) }
    }

    pub(super) fn passed(&self) -> u32 {
        self.passed
    }

    pub(super) fn failed(&self) -> u32 {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_does_not_hold_counts_as_failed() {
        let mut checks = Checks::default();
        checks.holds("one is one", true).expect("printed");
        checks.equal("two is three", 2, 3).expect("printed");
        assert_eq!((checks.passed(), checks.failed()), (1, 1));
    }
}
