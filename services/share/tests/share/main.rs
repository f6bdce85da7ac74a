//! What changes of shares promise, over a fake cloud and a clock by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod cancelling;
mod changes;
mod cloud;
mod copies;
mod crash;
mod lost;
mod mixed;
mod quota;
mod rules;
mod service;
mod world;
