//! The export service: an image to a bucket, proven and downloadable.
//!
//! [`service`] is the gRPC face, [`spec`] reads requests, [`survey`] asks the cloud, [`rules`] judges, [`saga`] does
//! the work.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod names;
mod preview;
pub mod rules;
pub mod saga;
pub mod service;
pub mod spec;
pub mod survey;
mod urls;
pub mod waiting;

pub use saga::ExportSaga;
pub use service::Service;
