//! Support for the end-to-end tests: the real binary as child processes, talked to over the real wire.
//!
//! A [`World`] is a simulator and a server with temporary folders and free ports; what the clouds saw is read from
//! the simulator's audit log ([`Simulator::audit`]). Children are ended by their process id when their handles are
//! dropped. The binary is that of `SAMPAN_BIN`, or `cargo build -p sampan` makes it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its ground does not hold")]

mod api;
mod audit;
mod binary;
mod child;
pub mod day;
mod ground;
mod mesh;
mod proxy;
mod redis;
mod refusal;
mod server;
mod simulator;
mod spec;
mod world;

pub use api::{Api, Places};
pub use audit::{AuditLine, Seen};
pub use binary::binary;
pub use child::{Child, command, command_of};
pub use ground::Ground;
pub use mesh::{Mesh, REPLICAS, ROLES};
pub use proxy::Proxy;
pub use redis::{Redis, free_port};
pub use refusal::{Refusal, is_passing};
pub use server::{Server, ServerFolder, run_at};
pub use simulator::Simulator;
pub use spec::{ALIBABA, Lane, TENCENT, duration, request, spec_of};
pub use world::{Setup, World, prepare};
