//! The gRPC edge: what every service of Sampan shares between the wire and its own work.
//!
//! [`status`] says how refusals look, [`convert`] how records look on the wire, [`layers`] what every call passes,
//! [`server`] how a process starts and stops, [`peer`] how services reach each other, [`cost`] how they ask for a price
//! and hold a limit, [`telemetry`] where logs and traces go, [`metrics`] what is counted, [`audit`] where records are kept. The two
//! services that every role serves are [`operation_service`] and [`quota_service`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod audit;
pub mod auth;
pub mod convert;
pub mod cost;
pub mod layers;
pub mod metrics;
pub mod operation_service;
pub mod peer;
pub mod quota_service;
pub mod server;
pub mod status;
pub mod telemetry;
pub mod tls;

pub use operation_service::{OperationApi, Retry};
pub use peer::{PeerTransport, Peers};
pub use quota_service::{LaneRules, QuotaApi};
pub use server::{Listener, MAX_MESSAGE_BYTES, Server, Services};
pub use status::{FieldProblem, Problem};
