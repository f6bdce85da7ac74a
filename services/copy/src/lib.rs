//! The copy service: an image to other regions of its account, or within its region to encrypt or to own it.
//!
//! [`service`] is the gRPC face, [`spec`] reads requests, [`survey`] asks the cloud, [`rules`] judges, [`saga`] does
//! the work; `sharing` and `price` ask the share and the billing service.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod fields;
mod keys;
mod preview;
mod price;
pub mod rules;
pub mod saga;
pub mod service;
mod sharing;
pub mod spec;
pub mod survey;
pub mod waiting;

pub use saga::CopySaga;
pub use service::Service;
