//! The rules that a copy must keep: pure functions from facts to violations.
//!
//! [`request`] looks at the request alone, [`image`] at the image, [`destination`] at each destination. Limits come
//! from data. What the facts are is found out in [`crate::survey`].

pub mod destination;
pub mod image;
mod options;
mod regions;
pub mod request;
pub(crate) mod sources;

pub use sampan_core::finding::{Finding, shown, split};
