//! What log lines hold, and what they never hold.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body as _;
use sampan_chassis::layers::{EdgeLimits, stack};
use sampan_chassis::telemetry::{LogFormat, fields, lines};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tracing::field::{Empty, debug};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

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
    let lines = lines(format, is_terminal, move || writer.clone());
    // What its library says of metrics that nobody set up here is not ours.
    let ours = Targets::new().with_default(LevelFilter::TRACE).with_target("opentelemetry", LevelFilter::OFF);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(ours));
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
    // No collector is set up: the line is found by the trace of the caller.
    assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(line.get("span_id").is_none());
}

#[tokio::test]
async fn what_is_no_trace_is_not_named_as_one() {
    for sent in
        ["", "hello", "00-\",\"x\":\"-b7ad6b7169203331-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"]
    {
        let (memory, guard) = logged(LogFormat::Json, false);
        let service = ServiceBuilder::new()
            .layer(stack(&EdgeLimits::default(), Arc::default(), CancellationToken::new()))
            .service(service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) }));
        let request = Request::builder().uri("/sampan.quota.v1.QuotaService/GetQuota").header("traceparent", sent);
        drop(service.oneshot(request.body(Body::empty()).unwrap()).await.unwrap());
        drop(guard);
        let line: serde_json::Value = serde_json::from_str(&memory.text()).unwrap();
        assert!(line.get("trace_id").is_none(), "{line}");
    }
}

#[tokio::test]
async fn the_line_of_a_call_that_succeeded_is_for_debugging_only() {
    for (code, level) in [("0", "DEBUG"), ("14", "INFO"), ("13", "ERROR")] {
        let (memory, guard) = logged(LogFormat::Json, false);
        let service = ServiceBuilder::new()
            .layer(stack(&EdgeLimits::default(), Arc::default(), CancellationToken::new()))
            .service(service_fn(move |_: Request<Body>| async move {
                let mut response = Response::new(Body::empty());
                response.headers_mut().insert(GRPC_STATUS, HeaderValue::from_static(code));
                Ok::<_, Infallible>(response)
            }));
        let request = Request::builder().uri("/sampan.quota.v1.QuotaService/GetQuota").body(Body::empty()).unwrap();
        let mut body = service.oneshot(request).await.unwrap().into_body();
        assert!(std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.is_none());
        drop(body);
        drop(guard);

        let text = memory.text();
        let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(line["level"], level, "{text}");
    }
}

#[test]
fn fields_that_a_span_learns_later_stand_beside_its_first_ones() {
    let (memory, guard) = logged(LogFormat::Json, false);
    let span = tracing::info_span!("work", key = "a\"b\\c", attempt = 3, kind = Empty, error = Empty);
    let bare = span.in_scope(|| tracing::info_span!("bare", state = Empty));
    span.record("kind", "export");
    span.record("error", debug(Some("x\ny")));
    span.record("attempt", 4);
    bare.record("state", true);
    let _both = (span.enter(), bare.enter());
    tracing::info!("hello");
    drop(guard);

    let line: serde_json::Value = serde_json::from_str(&memory.text()).unwrap();
    let work = serde_json::json!({ "name": "work", "key": "a\"b\\c", "attempt": 4, "kind": "export", "error": "Some(\"x\\ny\")" });
    assert_eq!(line["spans"], serde_json::json!([work, { "name": "bare", "state": true }]));
    assert_eq!(line["span"], line["spans"][1]);
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
