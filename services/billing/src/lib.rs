//! The billing estimator: what an export, a copy and a download will cost, before they happen.
//!
//! [`book`] holds the prices, [`money`] counts exactly, [`request`] reads what is asked, [`estimate`] is the pure
//! calculation, [`service`] is the gRPC face. Nothing here asks a cloud: whoever knows an image fills its disks in.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod book;
mod class;
mod convert;
pub mod estimate;
pub mod money;
pub mod request;
pub mod service;

pub use book::PriceBook;
pub use class::storage_classes;
pub use service::{Billing, Service};
