//! The roles that a process can have, a file each. To add one: its file, and its line in [`ALL`].

mod billing;
mod copy;
mod export;
mod share;

use std::sync::Arc;

use sampan_chassis::cost::Pricing;
use sampan_chassis::{Peers, Services};
use sampan_cloud::Accounts;
use sampan_core::SharedClock;
use sampan_core::limits::Limits;
use sampan_ops::{Engine, LaneRules, Saga};
use sampan_state::SharedStore;

use crate::client::Failure;
use crate::config::Config;
use crate::exit::Exit;

/// Every role, in the order in which they are told.
pub(super) const ALL: &[&dyn Role] = &[&export::Export, &copy::Copy, &share::Share, &billing::Billing];

/// A part of Sampan that can run in a process of its own.
pub(super) trait Role: Sync {
    /// The word by which configuration and peers name it.
    fn name(&self) -> &'static str;

    /// Makes the sagas that a process of this role works on; none by default.
    ///
    /// # Errors
    /// [`Failure`] that says what of the configuration cannot be used.
    fn sagas(&self, ground: &Ground<'_>) -> Result<Vec<Arc<dyn Saga>>, Failure> {
        let _ = ground;
        Ok(Vec::new())
    }

    /// Adds the services of the role.
    ///
    /// # Errors
    /// [`Failure`] that says what of the configuration cannot be used.
    fn serve(&self, ground: &Ground<'_>, engine: &Engine, services: Services) -> Result<Services, Failure>;
}

/// What roles are made of.
pub(super) struct Ground<'a> {
    /// The whole configuration.
    pub(super) config: &'a Config,
    /// The clock of store, signatures and ids.
    pub(super) clock: SharedClock,
    /// The configured accounts.
    pub(super) accounts: Accounts,
    /// Limits in force.
    pub(super) limits: Arc<Limits>,
    /// The ways to the other roles.
    pub(super) peers: Peers,
    /// The store of the operations.
    pub(super) store: SharedStore,
}

impl Ground<'_> {
    /// Returns how many mutating calls each lane may make per day.
    pub(super) fn lane_rules(&self) -> LaneRules {
        let offset = self.config.operations.quota_day_offset_minutes;
        LaneRules::new(Arc::clone(&self.limits)).with_utc_offset_minutes(offset)
    }

    /// Returns how a service asks what a job costs.
    pub(super) fn pricing(&self) -> Pricing {
        let sites =
            self.config.accounts.iter().filter_map(|(name, account)| Some((name.clone(), account.site?.wire())));
        Pricing::new(self.peers.to("billing"), sites)
    }
}

/// Returns the roles that were chosen, all of them when none is named.
///
/// # Errors
/// [`Failure`] for a word that is no role.
pub(super) fn chosen(words: &[String]) -> Result<Vec<&'static dyn Role>, Failure> {
    if let Some(unknown) = words.iter().find(|word| !ALL.iter().any(|role| role.name() == word.as_str())) {
        let known: Vec<_> = ALL.iter().map(|role| role.name()).collect();
        return Err(Failure::new(Exit::Usage, format!("`{unknown}` is no role"))
            .advice(format!("the roles of this version: {}", known.join(", "))));
    }
    let is_chosen = |role: &&&'static dyn Role| words.is_empty() || words.iter().any(|word| word == role.name());
    Ok(ALL.iter().filter(is_chosen).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        chosen(&words).unwrap().iter().map(|role| role.name()).collect()
    }

    #[test]
    fn a_process_has_the_roles_that_it_was_told_each_once_and_all_without_a_word() {
        assert_eq!(names(&["billing", "billing"]), ["billing"]);
        assert_eq!(names(&[]).len(), ALL.len());
        let refused = chosen(&["biling".to_owned()]).err().unwrap();
        assert!(refused.within(None).contains("billing"), "{refused:?}");
    }
}
