//! The share port: who an image is shared with, and how that is changed.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Cloud, ImageId, Region};
use serde::{Deserialize, Serialize};

use crate::error::CallError;

/// What the shares of a cloud can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareTraits {
    /// The vendor's name of the mutating call.
    pub action: &'static str,
    /// Most accounts that one call handles; `None` when a call takes all that are permitted.
    pub accounts_per_call: Option<usize>,
    /// One call can add and remove; otherwise one call each.
    pub adds_and_removes_at_once: bool,
}

/// A change of the accounts that an image is shared with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCall {
    /// Accounts to add; within [`ShareTraits::accounts_per_call`].
    pub add: Vec<String>,
    /// Accounts to remove; within [`ShareTraits::accounts_per_call`]. Empty besides `add` where a call does one
    /// thing.
    pub remove: Vec<String>,
}

/// One account that an image is shared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Number of the account at the cloud.
    pub account_id: String,
    /// Since when, where the cloud tells it.
    pub since: Option<Timestamp>,
}

/// Puts shares in the order of their accounts' numbers, each account once.
pub fn ascending(mut shares: Vec<Share>) -> Vec<Share> {
    // Numbers are texts without leading zeros, so that a longer one is larger.
    shares.sort_by(|one, other| {
        (one.account_id.len(), &one.account_id).cmp(&(other.account_id.len(), &other.account_id))
    });
    // A list may have moved between two pages.
    shares.dedup_by(|one, other| one.account_id == other.account_id);
    shares
}

/// Share calls of one account of one cloud; the rules of [`ImageCloud`](crate::ImageCloud) hold.
#[async_trait]
pub trait ShareCloud: Send + Sync + fmt::Debug {
    /// Returns the cloud.
    fn cloud(&self) -> Cloud;

    /// Returns what shares can do on this cloud.
    fn share_traits(&self) -> ShareTraits;

    /// Changes the accounts that an image is shared with, and returns the vendor's request id. Mutating: one unit of
    /// the lane. Never repeated inside.
    async fn change_shares(&self, region: &Region, image: &ImageId, call: &ShareCall) -> Result<String, CallError>;

    /// Returns every account that an image is shared with, ascending by number; all pages are read.
    async fn shares(&self, region: &Region, image: &ImageId) -> Result<Vec<Share>, CallError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_ascend_by_number_and_stand_once() {
        let share = |account: &str| Share { account_id: account.to_owned(), since: None };
        let shares = ascending(["1000", "900", "1000", "70"].map(share).to_vec());
        assert_eq!(shares, ["70", "900", "1000"].map(share));
    }
}
