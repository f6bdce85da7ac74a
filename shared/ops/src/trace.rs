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

#[cfg(test)]
mod tests {
    use opentelemetry::Context;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn caller(flags: &str) -> Context {
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        TraceContextPropagator::new().extract(&HashMap::from([(HEADER.to_owned(), parent)]))
    }

    #[test]
    fn the_span_in_hand_is_kept_when_it_is_sampled_and_nothing_otherwise() {
        assert_eq!(current(), None, "nobody listens");
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        assert_eq!(current(), None, "outside of calls");

        let call = info_span!("call");
        call.set_parent(caller("01")).unwrap();
        let kept = call.in_scope(current).unwrap();
        assert!(kept.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && kept.ends_with("-01"), "{kept}");
        assert_eq!(kept.len(), 55);
        assert!(kept.contains(&call.context().span().span_context().span_id().to_string()), "{kept}");

        let quiet = info_span!("call");
        quiet.set_parent(caller("00")).unwrap();
        assert_eq!(quiet.in_scope(current), None, "a link to it would lead nowhere");
    }
}
