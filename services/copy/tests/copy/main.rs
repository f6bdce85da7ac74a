//! What the copy promises, over a fake cloud, a fake estimator, a fake share service and a clock by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod calls;
mod cancelling;
mod cloud;
mod copying;
mod crash;
mod lost;
mod peers;
mod retrying;
mod rules;
mod service;
mod sharing;
mod snapshots;
mod undoing;
mod world;
