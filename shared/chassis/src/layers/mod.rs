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
use tower::layer::util::{Identity, Stack};

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

type Layers = Stack<
    AroundLayer<authenticate::Authenticate>,
    Stack<
        AroundLayer<deadline::Deadline>,
        Stack<
            AroundLayer<in_flight::InFlight>,
            Stack<
                AroundLayer<drain::Drain>,
                Stack<
                    AroundLayer<complete::Complete>,
                    Stack<
                        AroundLayer<panic::PanicGuard>,
                        Stack<AroundLayer<trace::Trace>, Stack<AroundLayer<request_id::NameCall>, Identity>>,
                    >,
                >,
            >,
        >,
    >,
>;

/// Returns all layers in their order; `closing` is cancelled when the server begins to drain.
pub fn stack(limits: &EdgeLimits, auth: Arc<Auth>, closing: CancellationToken) -> Layers {
    tower::ServiceBuilder::new()
        .layer(AroundLayer::new(request_id::NameCall))
        .layer(AroundLayer::new(trace::Trace))
        .layer(AroundLayer::new(panic::PanicGuard))
        .layer(AroundLayer::new(complete::Complete))
        .layer(AroundLayer::new(drain::Drain::new(closing)))
        .layer(AroundLayer::new(in_flight::InFlight::new(&limits.in_flight)))
        .layer(AroundLayer::new(deadline::Deadline::new(limits.deadlines.clone())))
        .layer(AroundLayer::new(authenticate::Authenticate::new(auth)))
        .into_inner()
}
