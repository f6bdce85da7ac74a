//! The layers that every call passes at the edge, outermost first.
//!
//! [`request_id`] names the call, [`trace`] gives it a span and a log line, [`mod@panic`] turns a panic into a status,
//! [`complete`] gives statuses that tonic made by itself their reason, [`drain`] lets go of waiting calls when the
//! server stops, [`in_flight`] refuses what is too much, [`deadline`] bounds the time, and [`authenticate`] finds out
//! who calls. [`stack`] puts them together in this order.

pub mod around;
pub mod authenticate;
pub mod caller;
pub mod complete;
pub mod deadline;
pub mod drain;
pub mod in_flight;
pub mod panic;
pub mod path;
pub mod request_id;
pub mod trace;

pub(crate) mod body;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::auth::Auth;

pub use around::{Around, AroundLayer};
pub use caller::Caller;
pub use deadline::{CallDeadline, Deadlines};
pub use in_flight::InFlightLimits;

/// Bounds that the layers enforce.
#[derive(Debug, Clone, Default)]
pub struct EdgeLimits {
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// How many calls may be at work.
    pub in_flight: InFlightLimits,
}

/// Returns all layers in their order; `closing` is cancelled when the server begins to drain.
pub fn stack(limits: &EdgeLimits, auth: Arc<Auth>, closing: CancellationToken) -> AroundLayer<impl Around + use<>> {
    AroundLayer::new(concerns(limits, auth, closing))
}

/// Returns the concerns of [`stack`], for further ones around them or within.
pub(crate) fn concerns(limits: &EdgeLimits, auth: Arc<Auth>, closing: CancellationToken) -> impl Around + use<> {
    request_id::NameCall
        .then(trace::Trace)
        .then(panic::PanicGuard)
        .then(complete::Complete)
        .then(drain::Drain::new(closing))
        .then(in_flight::InFlight::new(&limits.in_flight))
        .then(deadline::Deadline::new(limits.deadlines.clone()))
        .then(authenticate::Authenticate::new(auth))
}
