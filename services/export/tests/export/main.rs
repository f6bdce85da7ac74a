//! What the export promises, over a fake cloud and a clock by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod cancelling;
mod cloud;
mod crash;
mod ending;
mod estimator;
mod lost;
mod price;
mod service;
mod world;
