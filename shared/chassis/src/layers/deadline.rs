//! Bounds the time of a call: the caller's `grpc-timeout`, or a default, and never more than a maximum.
//!
//! What was started goes on after its call has ended: operations are durable.

use std::time::Duration;

use http::{HeaderMap, Request, Response};
use sampan_core::Reason;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::around::{Around, Next};
use super::path::CallKind;
use crate::status::Problem;

/// Header by which a caller says how long it waits.
pub(crate) const HEADER: http::HeaderName = http::HeaderName::from_static("grpc-timeout");

tokio::task_local! {
    static CURRENT: CallDeadline;
}

/// Returns when the call that the current task works on has to be answered; `None` outside of calls.
pub fn current() -> Option<CallDeadline> {
    CURRENT.try_with(|deadline| *deadline).ok()
}

/// How long calls may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// Of a call whose caller names no time.
    pub default: Duration,
    /// Of any call that does not wait by its nature.
    pub maximum: Duration,
    /// Of a call that waits for an operation.
    pub waiting: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            default: Duration::from_secs(30),
            maximum: Duration::from_secs(120),
            waiting: Duration::from_secs(11 * 60),
        }
    }
}

/// When the call in hand has to be answered; in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallDeadline(pub Instant);

/// The layer.
#[derive(Debug, Clone)]
pub struct Deadline {
    limits: Deadlines,
}

impl Deadline {
    /// Enforces `limits`.
    pub fn new(limits: Deadlines) -> Self {
        Self { limits }
    }

    fn allowed(&self, request: &Request<Body>) -> Duration {
        let asked = asked_for(request.headers()).map(answerable);
        match CallKind::of(request.uri().path()) {
            CallKind::Waiting => asked.unwrap_or(self.limits.waiting).min(self.limits.waiting),
            CallKind::Short | CallKind::Infrastructure => asked.unwrap_or(self.limits.default).min(self.limits.maximum),
        }
    }
}

impl Around for Deadline {
    async fn around<N: Next>(&self, mut request: Request<Body>, next: N) -> Response<Body> {
        let allowed = self.allowed(&request);
        let deadline = Instant::now() + allowed;
        request.extensions_mut().insert(CallDeadline(deadline));
        match timeout_at(deadline, CURRENT.scope(CallDeadline(deadline), next.run(request))).await {
            Ok(response) => response,
            Err(_) => {
                let problem = Problem::new(
                    Reason::RequestDeadlinePassed,
                    format!("the request took longer than the {} ms that it had", allowed.as_millis()),
                );
                Status::from(problem).into_http()
            }
        }
    }
}

/// Reads `grpc-timeout`: at most eight digits and a unit. Anything else counts as absent, as in other servers.
pub(crate) fn asked_for(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(count * 3_600)),
        'M' => Some(Duration::from_secs(count * 60)),
        'S' => Some(Duration::from_secs(count)),
        'm' => Some(Duration::from_millis(count)),
        'u' => Some(Duration::from_micros(count)),
        'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// Leaves a moment of the caller's time for the answer, so that it sees our reason and not its own timer.
fn answerable(asked: Duration) -> Duration {
    asked.saturating_sub((asked / 10).min(Duration::from_millis(50)))
}
