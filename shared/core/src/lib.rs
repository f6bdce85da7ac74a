//! Values and rules without I/O: what every other package of Sampan agrees on.
//!
//! This package decides names, identifiers, limits, reasons and schedules. It opens no socket and no file;
//! the one thing it reads from outside is the clock, behind [`clock::Clock`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod clock;
pub mod finding;
pub mod format;
pub mod ids;
pub mod limits;
pub mod quota_day;
pub mod reason;
pub mod retry;
pub mod violation;

pub use clock::{Clock, SharedClock};
pub use finding::Finding;
pub use format::{DiskRole, ImageFormat};
pub use ids::{AccountName, Cloud, ImageId, Lane, OperationId, Region, RequestId};
pub use reason::Reason;
pub use violation::{Severity, Violation};
