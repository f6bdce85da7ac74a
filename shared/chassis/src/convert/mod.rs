//! Translates between the records that are kept and the messages that callers see.
//!
//! Nothing is decided here: a record is told as it is.

pub mod copy;
pub mod estimate;
pub mod export;
pub mod image;
pub mod operation;
pub mod quota;
pub mod request;
mod share;
pub mod spec;
pub mod time;

pub use operation::operation;
pub use quota::quota;
