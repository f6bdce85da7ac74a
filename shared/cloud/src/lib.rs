//! The cloud port and the HTTP call stack.
//!
//! [`image`], [`bucket`], [`copy`] and [`share`] are what the services see of a cloud; each vendor package implements
//! them. [`error`] is how every failed call looks, [`audit`] what is recorded of calls that change something. [`stack`] is the tower of layers that each vendor call goes
//! through.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod accounts;
pub mod audit;
pub mod bucket;
pub mod copy;
pub mod error;
pub mod image;
pub mod share;
pub mod stack;
#[cfg(feature = "unasked")]
pub mod unasked;

pub use accounts::Accounts;
pub use bucket::BucketStore;
pub use copy::CopyCloud;
pub use error::{CallClass, CallError};
pub use image::ImageCloud;
pub use share::ShareCloud;

use std::fmt;
use std::sync::Arc;

use sampan_core::{AccountName, Cloud};

/// The ports of one account, as a vendor package opens them.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Image calls of the account.
    pub images: Arc<dyn ImageCloud>,
    /// Copies of images and snapshots.
    pub copies: Arc<dyn CopyCloud>,
    /// Shares of images.
    pub shares: Arc<dyn ShareCloud>,
    /// Bucket calls of the account.
    pub buckets: Arc<dyn BucketStore>,
}

/// One configured account.
#[derive(Clone)]
pub struct Account {
    /// The configured name.
    pub name: AccountName,
    /// The cloud of the account.
    pub cloud: Cloud,
    /// Number of the account at the cloud, as shares name it; `None` when it is not configured.
    pub number: Option<String>,
    /// Image calls of the account.
    pub images: Arc<dyn ImageCloud>,
    /// Copies of images and snapshots.
    pub copies: Arc<dyn CopyCloud>,
    /// Shares of images.
    pub shares: Arc<dyn ShareCloud>,
    /// Bucket calls of the account.
    pub buckets: Arc<dyn BucketStore>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("cloud", &self.cloud).finish_non_exhaustive()
    }
}
