//! How results look: tables and bars for a person, JSON for a program.

pub mod copy;
pub mod estimate;
pub mod json;
pub mod operation;
pub mod preview;
pub mod progress;
pub mod quota;
pub mod share;
pub mod style;
mod table;
pub mod words;
