//! Decides how a JSON line tells which trace it belongs to: `trace_id` and `span_id` as its first members.
//!
//! Where spans are exported, they are those of the span in hand. Otherwise the caller's trace is named, if it sent one,
//! so that its own tools find our lines.

use std::fmt::{self, Write};

use opentelemetry::Context as TraceContext;
use opentelemetry::trace::TraceContextExt as _;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::layers::trace;

/// Writes the lines of `F`, which are JSON objects, with ids before their own members.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Correlated<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for Correlated<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let span = TraceContext::map_current(|current| current.span().span_context().clone());
        if span.is_valid() {
            write!(writer, "{{\"trace_id\":\"{}\",\"span_id\":\"{}\",", span.trace_id(), span.span_id())?;
        } else if let Some(sent) = trace::current().as_deref().and_then(trace_id_of) {
            write!(writer, "{{\"trace_id\":\"{sent}\",")?;
        } else {
            return self.0.format_event(context, writer, event);
        }
        let mut rest = WithoutBrace { inner: &mut writer, is_open: false };
        self.0.format_event(context, Writer::new(&mut rest), event)
    }
}

/// Returns the id in a `traceparent`, `00-TRACE-PARENT-FLAGS`; nothing else gets into the line.
fn trace_id_of(headers: &http::HeaderMap) -> Option<&str> {
    let id = headers.get("traceparent")?.to_str().ok()?.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then_some(id)
}

/// Leaves out the first character, the brace of an object that has been opened already.
struct WithoutBrace<'a, W> {
    inner: &'a mut W,
    is_open: bool,
}

impl<W: Write> Write for WithoutBrace<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_open || text.is_empty() {
            return self.inner.write_str(text);
        }
        self.is_open = true;
        self.inner.write_str(text.strip_prefix('{').unwrap_or(text))
    }
}
