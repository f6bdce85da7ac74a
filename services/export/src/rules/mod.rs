//! The rules that an export must keep: pure functions from facts to violations.
//!
//! [`request`] looks at the request alone, [`image`] at the image, [`bucket`] at the bucket. Every rule has one
//! function; limits come from data. What the facts are is found out in [`crate::survey`].

pub mod bucket;
pub mod image;
pub mod request;
pub(crate) mod sources;

pub use sampan_core::finding::{Finding, split};

pub(crate) use sampan_core::finding::shown;
