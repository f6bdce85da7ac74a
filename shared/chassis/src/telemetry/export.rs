//! Takes secrets out of spans on their way to a collector, as [`redact`](super::redact) does with log lines.
//!
//! This runs on the exporter's own thread: calls do not wait for it.

use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::redact::redact;

/// Sends spans by `E`, without secrets.
#[derive(Debug)]
pub(super) struct Redacted<E>(pub(super) E);

impl<E: SpanExporter> SpanExporter for Redacted<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(clean);
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn clean(span: &mut SpanData) {
    span.name = masked(std::mem::take(&mut span.name));
    clean_attributes(&mut span.attributes);
    for event in &mut span.events.events {
        event.name = masked(std::mem::take(&mut event.name));
        clean_attributes(&mut event.attributes);
    }
    if let Status::Error { description } = &mut span.status {
        *description = masked(std::mem::take(description));
    }
}

fn clean_attributes(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        if let Value::String(text) = &attribute.value
            && let Cow::Owned(clean) = redact(text.as_str())
        {
            attribute.value = Value::from(clean);
        }
    }
}

fn masked(text: Cow<'static, str>) -> Cow<'static, str> {
    match redact(&text) {
        Cow::Owned(clean) => Cow::Owned(clean),
        Cow::Borrowed(_) => text,
    }
}
