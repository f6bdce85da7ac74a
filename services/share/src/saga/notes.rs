//! What the first step keeps between its runs.

use std::collections::BTreeMap;

use sampan_state::operation::Failure;
use serde::{Deserialize, Serialize};

/// How far the calls are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Notes {
    /// Calls that took effect, wholly or in part.
    pub(super) used: u32,
    /// The announced call was accepted; the list does not show all of it yet.
    pub(super) accepted: bool,
    /// Looks at the list for the effect of the announced call.
    pub(super) looks: u32,
    /// Repetitions of calls whose answers were lost without an effect.
    pub(super) repeats: u32,
    /// Accounts go one by one: the cloud refused several at once and named none.
    pub(super) one_by_one: bool,
    /// Accounts that are given up, and why.
    pub(super) refused: BTreeMap<String, Failure>,
}

impl Notes {
    /// Forgets what was noted about the announced call, which is settled.
    pub(super) fn settled(&mut self) {
        self.accepted = false;
        self.looks = 0;
    }

    /// Gives accounts up.
    pub(super) fn refuse(&mut self, accounts: impl IntoIterator<Item = String>, failure: &Failure) {
        for account in accounts {
            self.refused.entry(account).or_insert_with(|| failure.clone());
        }
    }
}
