//! What the estimator promises, fact by fact.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod asking;
mod book;
mod borders;
mod examples;
mod periods;
mod properties;
mod refusals;
mod serving;
mod shape;
