//! The share service: images shared with other accounts, added, removed or set exactly.
//!
//! [`service`] is the gRPC face, [`spec`] reads requests, [`survey`] asks the cloud, [`rules`] judges, [`plan`] works
//! out what changes, [`copies`] finds what a share follows to, [`saga`] does the work.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod copies;
pub mod plan;
mod preview;
pub mod rules;
pub mod saga;
pub mod service;
pub mod spec;
pub mod survey;

pub use saga::ShareSaga;
pub use service::Service;
