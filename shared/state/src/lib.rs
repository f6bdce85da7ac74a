//! Locks, quota, operations and admission: small semantic traits, and the backends that keep their promises.
//!
//! [`Store`] is the sum of the traits. Every backend passes the one conformance suite. All times are the
//! store's own: a caller with a wrong clock changes nothing.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod admission;
#[cfg(any(test, feature = "conformance"))]
#[macro_use]
pub mod conformance;
pub mod embedded;
pub mod error;
pub mod json;
pub mod lease;
pub mod operation;
pub mod operations;
pub mod quota;
mod record;
pub mod redis;
pub mod result;

pub use admission::{Admission, Admitted, NewOperation, OnSpent, QuotaRequest};
pub use embedded::{Embedded, OpenError};
pub use error::Error;
pub use json::Json;
pub use lease::{LaneLease, LaneLocks, WorkLease};
pub use operation::Operation;
pub use operations::{Claim, Commit, ListPage, ListQuery, Next, Operations};
pub use quota::{QuotaLedger, QuotaPicture, Turn};
pub use redis::{Redis, RedisUrl};

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

/// Tells whether a backend can be used, and what time it is there.
#[async_trait]
pub trait Health: Send + Sync {
    /// Returns the store's clock.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store cannot be reached.
    async fn now(&self) -> Result<Timestamp, Error>;

    /// Checks with one cheap read and one cheap write that the store works.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    async fn check(&self) -> Result<(), Error>;
}

/// Everything that Sampan keeps.
pub trait Store: Admission + Operations + LaneLocks + QuotaLedger + Health + fmt::Debug {}

impl<T: Admission + Operations + LaneLocks + QuotaLedger + Health + fmt::Debug> Store for T {}

/// A store that many parts of a process share.
pub type SharedStore = Arc<dyn Store>;
