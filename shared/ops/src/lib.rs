//! Durable operations: a service describes its work as a [`Saga`], and this package runs it through crashes.
//!
//! - [`engine`]: what services call: start, read, watch, cancel, try again.
//! - [`runner`]: claims what is due, runs one step at a time, commits.
//! - [`plan`] and [`after`] decide; both are pure. [`policy`] holds the waits.
//! - `crash_checks` (feature `crash-checks`): the checks that every saga has to pass.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod after;
mod announce;
pub mod context;
#[cfg(any(test, feature = "crash-checks"))]
pub mod crash_checks;
mod digest;
mod drive;
mod ending;
pub mod engine;
pub mod error;
pub mod failure;
mod leases;
pub mod metrics;
pub mod plan;
pub mod policy;
mod progress;
mod repeat;
pub mod rules;
pub mod runner;
mod runs;
pub mod saga;
mod trace;
mod waiting;

pub use context::{Announcement, Settled, StepContext};
pub use engine::{Engine, StartRequest};
pub use error::Error;
pub use policy::{Chance, Policy, PollPolicy};
pub use rules::LaneRules;
pub use runner::{Runner, RunnerOptions};
pub use saga::{CancelOutcome, Conclusion, Outcome, Reopening, Saga, Step, StepError};
