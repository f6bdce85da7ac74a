//! Gives every call a span, joined to the caller's trace, and one log line at its end.
//!
//! The line of a call that succeeded is for the level `debug`: writing it costs as much as answering a short call.
//! Who counts calls has the metrics, who follows one has its trace, and what was changed is in the audit log.
//! Fields are those of [`crate::telemetry::fields`]; bodies and other headers are never recorded.

use std::sync::Arc;
use std::task::Poll;

use http::{HeaderMap, HeaderName, Request, Response};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::Status as SpanStatus;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::around::{Around, Next};
use super::body::poll_with;
use super::path::{self, CallKind};
use super::request_id;
use crate::metrics::edge as metrics;

tokio::task_local! {
    static CURRENT: Arc<HeaderMap>;
}

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// Returns the trace headers of the call that the current task works on, as its caller sent them.
pub(crate) fn current() -> Option<Arc<HeaderMap>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The layer.
#[derive(Debug, Clone, Copy)]
pub struct Trace;

impl Around for Trace {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let sent = trace_headers(request.headers()).map(Arc::new);
        let span = span(&request, sent.as_deref());
        let mut ending = Ending {
            span: span.clone(),
            sent: sent.clone(),
            started: Instant::now(),
            is_quiet: CallKind::of(request.uri().path()) == CallKind::Infrastructure,
            code: None,
            method: metrics::labels(request.uri().path()),
        };
        let response = match sent {
            Some(headers) => CURRENT.scope(headers, next.run(request).instrument(span.clone())).await,
            None => next.run(request).instrument(span.clone()).await,
        };
        ending.observe(response.headers());
        response.map(|body| {
            poll_with(body, move |inner, context| {
                let polled = ending.span.in_scope(|| http_body::Body::poll_frame(inner, context));
                match &polled {
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Some(trailers) = frame.trailers_ref() {
                            ending.observe(trailers);
                        }
                    }
                    Poll::Ready(Some(Err(status))) => ending.code = Some(status.code()),
                    Poll::Ready(None) => ending.code = ending.code.or(Some(Code::Ok)),
                    Poll::Pending => {}
                }
                polled
            })
        })
    }
}

fn span(request: &Request<Body>, sent: Option<&HeaderMap>) -> Span {
    let (service, method) = path::split(request.uri().path());
    let id = request_id::current();
    let span = tracing::info_span!(
        "rpc",
        otel.name = request.uri().path(),
        otel.kind = "server",
        rpc.service = service,
        rpc.method = method,
        request_id = id.as_ref().map(request_id::CallId::as_str),
        caller = tracing::field::Empty,
    );
    if let Some(sent) = sent {
        let parent = TraceContextPropagator::new().extract(&Headers(sent));
        // Fails only when no exporter listens, and then there is no trace to join.
        let _ = span.set_parent(parent);
    }
    span
}

/// Returns the headers that carry a trace; one without a parent is none.
fn trace_headers(headers: &HeaderMap) -> Option<HeaderMap> {
    let parent = headers.get(&PARENT)?.clone();
    let mut found = HeaderMap::with_capacity(2);
    found.insert(PARENT, parent);
    if let Some(state) = headers.get(&STATE) {
        found.insert(STATE, state.clone());
    }
    Some(found)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// Writes the log line when the call is over: answered, or left by its caller.
struct Ending {
    span: Span,
    sent: Option<Arc<HeaderMap>>,
    started: Instant,
    is_quiet: bool,
    code: Option<Code>,
    method: (&'static str, &'static str),
}

impl Ending {
    fn observe(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.code = Some(status.code());
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Nobody read the answer to its end: the caller went away.
        let code = self.code.unwrap_or(Code::Cancelled);
        metrics::called(self.method, code, self.started.elapsed());
        // For traces alone: the lines have the code in words.
        self.span.set_attribute("rpc.grpc.status_code", i64::from(i32::from(code)));
        if is_our_fault(code) {
            self.span.set_status(SpanStatus::error(""));
        }
        match self.sent.take() {
            Some(sent) => CURRENT.sync_scope(sent, || self.log(code)),
            None => self.log(code),
        }
    }
}

impl Ending {
    fn log(&self, code: Code) {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let _entered = self.span.enter();
        match code {
            _ if is_our_fault(code) => tracing::error!(grpc.code = ?code, elapsed_ms, "call failed"),
            _ if self.is_quiet || code == Code::Ok => tracing::debug!(grpc.code = ?code, elapsed_ms, "call ended"),
            _ => tracing::info!(grpc.code = ?code, elapsed_ms, "call ended"),
        }
    }
}

fn is_our_fault(code: Code) -> bool {
    matches!(code, Code::Internal | Code::Unknown | Code::DataLoss)
}
