//! The rules that a change of shares must keep: pure functions from facts to findings.
//!
//! [`accounts`] looks at the accounts, alone and against the live list; [`image`] at the image; [`advice`] holds what
//! owners and receivers should know whatever the facts are. Limits come from data. What the facts are is found out
//! in [`crate::survey`].

pub mod accounts;
pub mod advice;
pub mod image;
pub(crate) mod sources;
