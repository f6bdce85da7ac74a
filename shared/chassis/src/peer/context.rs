//! Decides what a call to a peer takes along of the call in hand: what is left of its time, its trace, its id.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use opentelemetry::propagation::{Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use sampan_cloud::audit::CallContext;
use tokio::time::Instant;
use tonic::body::Body;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::Options;
use crate::layers::path::CallKind;
use crate::layers::{authenticate, deadline, request_id, trace};

/// The time of one call with all its attempts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) time: Duration,
    pub(super) deadline: Instant,
}

/// Writes the headers of the call in hand into the request, and returns how long it may take: the least of what the
/// call in hand has left, what its maker has set, and what calls of its kind are given.
pub(super) fn pass_on(request: &mut Request<Body>, options: &Options) -> Allowed {
    let given = match CallKind::of(request.uri().path()) {
        CallKind::Waiting => options.waiting_timeout,
        CallKind::Short | CallKind::Infrastructure => options.timeout,
    };
    let now = Instant::now();
    let left = deadline::current().map(|deadline| deadline.0.saturating_duration_since(now));
    let asked = deadline::asked_for(request.headers());
    let time = [left, asked].into_iter().flatten().fold(given, Duration::min);
    let headers = request.headers_mut();
    set_timeout(headers, time);
    if let Some(id) = request_id::current().and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert(request_id::HEADER, id);
    }
    pass_on_caller(headers);
    pass_on_trace(headers);
    Allowed { time, deadline: now + time }
}

/// Tells the peer how long it has, in the eight digits that the header permits.
pub(super) fn set_timeout(headers: &mut HeaderMap, time: Duration) {
    let millis = time.as_millis().clamp(1, 99_999_999);
    if let Ok(value) = HeaderValue::from_str(&format!("{millis}m")) {
        headers.insert(deadline::HEADER, value);
    }
}

/// A call in hand has a caller; a step of an operation works for the one who started it.
fn pass_on_caller(headers: &mut HeaderMap) {
    let caller = authenticate::current().unwrap_or_else(|| CallContext::current().caller.clone());
    let caller = HeaderValue::from_bytes(caller.as_bytes()).ok().filter(|caller| !caller.is_empty());
    // A header that came along from outside says nothing about who calls.
    headers.remove(authenticate::ON_BEHALF_OF);
    headers.extend(caller.map(|caller| (HeaderName::from_static(authenticate::ON_BEHALF_OF), caller)));
}

/// The current span is the parent where spans are exported; otherwise the caller's is handed through.
fn pass_on_trace(headers: &mut HeaderMap) {
    if let Some(through) = trace::current() {
        headers.extend(through.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    TraceContextPropagator::new().inject_context(&tracing::Span::current().context(), &mut Headers(headers));
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // Without an exporter there is nothing to inject but an empty state, which would hide the caller's.
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(key.as_bytes()), HeaderValue::from_str(&value)) {
            self.0.insert(name, value);
        }
    }
}
