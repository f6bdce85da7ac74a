//! Decides how many mutating image calls an account has made in a region today.

use std::collections::HashMap;

use jiff::Timestamp;
use sampan_core::Cloud;

use super::state::State;
use super::time::quota_day;

/// Used operations per cloud, account and region, of one day each.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    used: HashMap<(Cloud, String, String), (String, u32)>,
}

impl State {
    /// Counts `n` accepted operations.
    pub(super) fn spend(&mut self, cloud: Cloud, account: &str, region: &str, n: u32, now: Timestamp) {
        let today = quota_day(now);
        let key = (cloud, account.to_owned(), region.to_owned());
        let entry = self.ledger.used.entry(key).or_insert_with(|| (today.clone(), 0));
        if entry.0 != today {
            *entry = (today, 0);
        }
        entry.1 = entry.1.saturating_add(n);
    }

    /// Returns how many operations of the day are used.
    pub(super) fn used_operations(&self, cloud: Cloud, account: &str, region: &str, now: Timestamp) -> u32 {
        let key = (cloud, account.to_owned(), region.to_owned());
        self.ledger.used.get(&key).filter(|(day, _)| *day == quota_day(now)).map_or(0, |(_, used)| *used)
    }
}
