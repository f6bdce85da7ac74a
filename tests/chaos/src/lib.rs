//! Support for tests of many processes on one Redis: a fleet of replicas, its clouds, and the storm over them.
//!
//! A [`Fleet`] starts everything itself, on free ports and in a temporary folder, and ends it by process id. The judge
//! is the simulator's audit log, see [`verdict`].
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its ground does not hold")]

mod fleet;
mod job;
mod lanes;
mod storm;
pub mod verdict;

pub use fleet::{Fleet, REPLICAS, Replica};
pub use job::{Job, KINDS, Kind, Start, jobs};
pub use lanes::{LANES, neighbour, prepare_lanes};
pub use storm::{Storm, Tally};
