//! The accounts that a process is configured with.

use std::collections::BTreeMap;
use std::sync::Arc;

use sampan_core::AccountName;

use crate::Account;

/// Finds configured accounts by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Accounts(Arc<BTreeMap<AccountName, Account>>);

impl Accounts {
    /// Returns the account of that name.
    pub fn get(&self, name: &AccountName) -> Option<&Account> {
        self.0.get(name)
    }

    /// Returns every account in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.values()
    }
}

impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Self {
        Self(Arc::new(accounts.into_iter().map(|account| (account.name.clone(), account)).collect()))
    }
}
