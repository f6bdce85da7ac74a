//! The layers that every call passes at the edge, outermost first.
//!
//! [`request_id`] names the call, [`trace`] gives it a span and a log line, [`mod@panic`] turns a panic into a status,
//! [`complete`] gives statuses that tonic made by itself their reason, [`header_size`] refuses headers that are too
//! large, [`drain`] lets go of waiting calls when the server stops, [`in_flight`] refuses what is too much,
//! [`deadline`] bounds the time, [`authenticate`] finds out who calls, and [`per_caller`] refuses what is too much of
//! one caller. [`stack`] puts them together in this order.

pub mod around;
pub mod authenticate;
pub mod complete;
pub mod deadline;
pub mod drain;
pub mod header_size;
pub mod in_flight;
pub mod panic;
pub mod path;
pub mod per_caller;
pub mod request_id;
pub mod trace;

pub(crate) mod body;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::auth::Auth;

pub use around::{Around, AroundLayer};
pub use deadline::{CallDeadline, Deadlines};
pub use in_flight::InFlightLimits;

/// Bounds that the layers enforce.
#[derive(Debug, Clone)]
pub struct EdgeLimits {
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// How many calls may be at work.
    pub in_flight: InFlightLimits,
    /// How many of them may be those of one caller that is known.
    pub per_caller: InFlightLimits,
    /// Most bytes of the headers of a request, counted as HTTP/2 does: name, value and 32 for each.
    pub header_bytes: usize,
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            deadlines: Deadlines::default(),
            in_flight: InFlightLimits::of_all(),
            per_caller: InFlightLimits::of_one(),
            header_bytes: 16 * 1024,
        }
    }
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
        .then(header_size::HeaderSize::new(limits.header_bytes))
        .then(drain::Drain::new(closing))
        .then(in_flight::InFlight::new(&limits.in_flight))
        .then(deadline::Deadline::new(limits.deadlines.clone()))
        .then(authenticate::Authenticate::new(auth))
        .then(per_caller::PerCaller::new(limits.per_caller.clone()))
}
