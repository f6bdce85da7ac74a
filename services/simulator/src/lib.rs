//! Both clouds on the wire: CVM, COS, ECS and OSS for demos, tests and users' own CI.
//!
//! Decides how the parts are put together: one [`world::World`], five listeners (control, CVM, COS, ECS, OSS), one
//! start and one stop. What the clouds hold and allow is in [`world`]; what their bytes look like in [`content`];
//! how each vendor speaks is in the vendors' own modules.
//!
//! The simulator is the judge of the services in tests, so it shares no rule with them: it has its own copies of
//! every limit and naming scheme.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod alibaba;
pub mod content;
pub mod control;
mod header_case;
pub mod listen;
mod start;
pub mod tencent;
pub mod world;

pub use start::{Addresses, Options, Running, StartError, start};
