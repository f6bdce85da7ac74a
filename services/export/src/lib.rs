//! The export service: an image to a bucket, proven and downloadable.
//!
//! [`service`] is the gRPC face, [`spec`] reads requests, [`survey`] asks the cloud, [`price`] asks the estimator,
//! [`rules`] judges, [`saga`] does the work.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod estimate;
mod expected_use;
mod names;
mod preview;
mod price;
pub mod rules;
pub mod saga;
pub mod service;
pub mod spec;
pub mod survey;
mod urls;
pub mod waiting;

pub use expected_use::ExpectedUse;
pub use saga::ExportSaga;
pub use service::Service;
