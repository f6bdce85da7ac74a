//! Durable operations: a service describes its work as a [`Saga`], and this package runs it through crashes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod context;
pub mod saga;

pub use context::{Settled, StepContext};
pub use saga::{CancelOutcome, Conclusion, Outcome, Saga, Step, StepError};
