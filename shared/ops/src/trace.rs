//! Ties the runs of an operation to the call that started it.
//!
//! An operation outlives the call, and often the process: hours, killed replicas, a night in the waiting list. So each
//! run is a trace of its own with a link to the start. One trace over all would have to be kept open by every collector
//! until the operation ends, and most cut it off before.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use sampan_state::operation::Operation;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const HEADER: &str = "traceparent";

/// Returns the span in hand as a `traceparent`; `None` when nobody will see it, and a link would lead nowhere.
pub(crate) fn current() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_sampled() {
        return None;
    }
    let mut headers = HashMap::with_capacity(2);
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    headers.remove(HEADER)
}

/// Returns the span of one run, linked to the start.
pub(crate) fn run(operation: &Operation) -> Span {
    let Operation { id, kind, lane, trace_parent, .. } = operation;
    let span = info_span!(parent: None, "run", otel.kind = "consumer", operation = %id, kind, %lane);
    if let Some(started) = trace_parent {
        let headers = HashMap::from([(HEADER.to_owned(), started.clone())]);
        let context = TraceContextPropagator::new().extract(&headers);
        span.add_link(context.span().span_context().clone());
    }
    span
}
