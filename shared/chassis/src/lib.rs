//! The gRPC edge: what every service of Sampan shares between the wire and its own work.
//!
//! [`status`] says how refusals look, [`convert`] how records look on the wire, [`layers`] what every call passes,
//! [`server`] how a process starts and stops, [`telemetry`] where logs and traces go. The two services that every
//! role serves are [`operation_service`] and [`quota_service`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod layers;
pub mod server;
pub mod status;
pub mod telemetry;

pub use server::{Listener, MAX_MESSAGE_BYTES, Server, Services};
pub use status::{FieldProblem, Problem};
