//! What log lines hold, and what they never hold.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use sampan_chassis::layers::{EdgeLimits, stack};
use sampan_chassis::telemetry::{LogFormat, fields, lines};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn logged(format: LogFormat, is_terminal: bool) -> (Memory, tracing::subscriber::DefaultGuard) {
    let memory = Memory::default();
    let writer = memory.clone();
    let subscriber = tracing_subscriber::registry().with(lines(format, is_terminal, move || writer.clone()));
    (memory, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn a_call_leaves_one_json_line_with_listed_fields_only() {
    let (memory, guard) = logged(LogFormat::Json, false);
    let service = ServiceBuilder::new()
        .layer(stack(&EdgeLimits::default(), Arc::default(), CancellationToken::new()))
        .service(service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) }));
    let request = Request::builder()
        .uri("/sampan.quota.v1.QuotaService/GetQuota")
        .header("authorization", "Bearer hunter2")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body(Body::empty())
        .unwrap();
    drop(service.oneshot(request).await.unwrap());
    drop(guard);

    let text = memory.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("hunter2"));
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    let own = ["timestamp", "level", "message", "target", "span", "spans"];
    let event = line.as_object().unwrap().keys().filter(|key| !own.contains(&key.as_str()));
    let span = line["span"].as_object().unwrap();
    let span = span.keys().filter(|key| *key != "name");
    for field in event.chain(span) {
        assert!(fields::ALL.contains(&field.as_str()), "{field}");
    }
    assert_eq!(line["span"]["rpc.method"], "GetQuota");
    assert!(line["elapsed_ms"].is_u64());
}

#[test]
fn a_signed_url_that_slips_into_a_log_line_loses_its_signature() {
    for format in [LogFormat::Json, LogFormat::Pretty] {
        let (memory, guard) = logged(format, false);
        tracing::warn!(error = "GET https://b/k?x-oss-signature=10b595e2&x-oss-date=1 failed", "download broke");
        drop(guard);
        let text = memory.text();
        assert!(text.contains("x-oss-signature=***"), "{text}");
        assert!(!text.contains("10b595e2"), "{text}");
    }
}

#[test]
fn lines_are_for_people_on_a_terminal_and_json_otherwise() {
    for (format, is_terminal, is_json) in [
        (LogFormat::Auto, true, false),
        (LogFormat::Auto, false, true),
        (LogFormat::Json, true, true),
        (LogFormat::Pretty, false, false),
    ] {
        let (memory, guard) = logged(format, is_terminal);
        tracing::info!("hello");
        drop(guard);
        let text = memory.text();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), is_json, "{format:?} {text}");
        assert!(is_terminal || !text.contains('\u{1b}'), "no colour into a pipe");
    }
}

#[test]
fn the_list_of_fields_is_sorted_and_has_no_duplicates() {
    assert!(fields::ALL.is_sorted_by(|a, b| a < b));
}
