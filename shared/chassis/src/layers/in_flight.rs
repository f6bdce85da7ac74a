//! Refuses calls that are too many at once, instead of letting all of them become slow.
//!
//! A call counts until the last byte of its answer is written. Waiting calls cost next to nothing and have a limit of
//! their own; health and reflection are never refused.

use std::sync::Arc;

use http::{Request, Response};
use sampan_core::Reason;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::body::Body;

use super::around::{Around, Next};
use super::body::poll_with;
use super::path::CallKind;
use crate::status::{Problem, TRANSIENT_RETRY};

/// How many calls may be at work at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlightLimits {
    /// Calls that are answered as fast as possible.
    pub short: usize,
    /// Calls that wait for or watch an operation.
    pub waiting: usize,
}

impl InFlightLimits {
    /// Returns the usual bounds of all callers together.
    pub const fn of_all() -> Self {
        Self { short: 1_024, waiting: 10_000 }
    }

    /// Returns the usual bounds of one caller: a quarter, so that it takes more than one to keep others out.
    pub const fn of_one() -> Self {
        Self { short: 256, waiting: 2_500 }
    }
}

impl Default for InFlightLimits {
    fn default() -> Self {
        Self::of_all()
    }
}

/// The layer.
#[derive(Debug, Clone)]
pub struct InFlight {
    limits: InFlightLimits,
    short: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl InFlight {
    /// Starts with nothing in flight.
    pub fn new(limits: &InFlightLimits) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self { short: semaphore(limits.short), waiting: semaphore(limits.waiting), limits: limits.clone() }
    }
}

impl Around for InFlight {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let (gate, limit) = match CallKind::of(request.uri().path()) {
            CallKind::Short => (&self.short, ("server.max_in_flight", self.limits.short)),
            CallKind::Waiting => (&self.waiting, ("server.max_waiting", self.limits.waiting)),
            CallKind::Infrastructure => return next.run(request).await,
        };
        let Ok(permit) = Arc::clone(gate).try_acquire_owned() else {
            return overloaded("the server has as many requests in flight as it takes", limit);
        };
        let response = next.run(request).await;
        response.map(|body| {
            poll_with(body, move |inner, context| {
                let _held = &permit;
                http_body::Body::poll_frame(inner, context)
            })
        })
    }
}

/// Refuses a call above a limit: the key of its configuration, and its value.
pub(super) fn overloaded(what: &str, (key, value): (&'static str, usize)) -> Response<Body> {
    let problem = Problem::new(Reason::Overloaded, format!("{what} ({key} = {value})"));
    let problem = problem.with("limit", key).with("limit_calls", value.to_string());
    Status::from(problem.retry_after(TRANSIENT_RETRY)).into_http()
}
