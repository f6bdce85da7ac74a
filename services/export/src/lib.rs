//! The export service: an image to a bucket, proven and downloadable.
//!
//! [`spec`] reads requests, [`survey`] asks the cloud, [`rules`] judges, [`saga`] does the work.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod rules;
pub mod saga;
pub mod spec;
pub mod survey;
pub mod waiting;
