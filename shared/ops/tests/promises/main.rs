//! What durable operations promise, claimed one by one over a toy saga, the embedded store and a clock in hand.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "tests")]

mod cancelling;
mod flaky;
mod leases;
mod quota;
mod running;
mod store_down;
mod toy;
mod waiting;
mod watching;
