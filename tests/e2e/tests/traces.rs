//! What a collector receives of real processes: one trace from the caller to the clouds, links of what goes on later,
//! audit records, metrics; and that a collector that is away disturbs nobody.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod otlp_support;

use std::fs;
use std::time::{Duration, Instant};

use otlp_support::{Arrived, Collector, Span};
use sampan_proto::export::v1 as pb;
use sampan_proto::operation::v1::OperationState;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_e2e::{Ground, Redis, Server, ServerFolder, Setup, TENCENT, free_port, request, spec_of};
use serde_json::Value;
use tokio::net::TcpListener;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Adds sections to the configuration of a process.
fn configure(files: &ServerFolder, sections: &str) {
    let text = fs::read_to_string(&files.config).unwrap();
    let text = text.replace("[telemetry]\n", &format!("[telemetry]\n{sections}\n"));
    assert!(text.contains(sections), "{text}");
    fs::write(&files.config, text).unwrap();
}

fn send_to(files: &ServerFolder, collector: &str) {
    configure(files, &format!("otlp_endpoint = \"{collector}\""));
}

/// Returns a request that comes out of a trace.
fn traced<T>(message: T, flags: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let parent = format!("00-{TRACE}-{CALLER}-{flags}");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    request
}

/// Returns the ids that the clouds gave to the calls that they saw.
async fn vendor_request_ids(ground: &Ground) -> Vec<String> {
    let control = ground.clouds.ready()["addresses"]["control"].as_str().unwrap();
    let text = ground.clouds.fetch(&format!("{control}/_sim/audit")).await.text().await.unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["request_id"].as_str().unwrap().to_owned();
    text.lines().map(id).collect()
}

fn log_lines(files: &ServerFolder) -> Vec<Value> {
    let text = fs::read_to_string(files.stem.with_extension("stderr")).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Whether a span stands, directly or not, in one of that name.
fn is_in(arrived: &Arrived, span: &Span, name: &str) -> bool {
    arrived.line(span).iter().any(|outer| outer.name == name)
}

#[tokio::test]
async fn one_trace_goes_from_the_caller_through_service_peer_and_store_to_every_attempt() {
    let Some(redis) = Redis::start().await else { return };
    let ground = Ground::new(&Setup::default()).await;
    let collector = Collector::start().await;
    let port = free_port();
    let billing = ground.process("billing", &redis.store(), &[]);
    let export = ground.process("export", &redis.store(), &[("billing", &[format!("http://127.0.0.1:{port}")])]);
    send_to(&billing, collector.url());
    send_to(&export, collector.url());
    let billing = Server::start_role("billing", &billing, &format!("127.0.0.1:{port}")).await;
    let server = Server::start_role("export", &export, "127.0.0.1:0").await;
    // The first attempt fails, so that the call has two.
    ground.clouds.fault(TENCENT.cloud, "DescribeImages", "throttle", 1).await;
    let preview = pb::PreviewExportRequest { spec: Some(spec_of(&TENCENT, TENCENT.image("ubuntu"))) };
    let answer = server.api().export.preview_export(traced(preview, "01")).await.unwrap().into_inner();
    assert!(answer.estimate.is_some(), "billing was asked: {answer:#?}");
    let vendor = vendor_request_ids(&ground).await;
    assert!(server.stop().await.success() && billing.stop().await.success());

    let arrived = collector.arrived();
    let mut ours = arrived.clone();
    ours.spans.retain(|span| span.trace == TRACE);
    let call = ours.named("/sampan.export.v1.ExportService/PreviewExport").next().expect("the call");
    assert_eq!((call.parent.as_str(), call.process.as_str()), (CALLER, "sampan-export"));
    assert_eq!(call.field("rpc.grpc.status_code"), "0");
    let peer = ours.spans.iter().find(|span| span.process == "sampan-billing").expect("the peer");
    assert!(is_in(&ours, peer, &call.name), "{peer:#?}");
    let stored = ours.named("quota").next().expect("a call to the store");
    assert!(is_in(&ours, stored, &call.name), "{stored:#?}");
    let attempts: Vec<_> = ours.named("cloud_attempt").collect();
    let described: Vec<_> = attempts.iter().filter(|span| span.field("action") == "DescribeImages").collect();
    let numbers: Vec<_> = described.iter().map(|span| (span.field("attempt"), span.field("class"))).collect();
    assert!(numbers.contains(&("1", "Throttled")) && numbers.contains(&("2", "")), "{numbers:?}");
    assert!(attempts.len() >= 4, "{attempts:#?}");
    for attempt in &attempts {
        assert!(is_in(&ours, attempt, &call.name), "{attempt:#?}");
        let id = attempt.field("vendor_request_id");
        assert!(vendor.iter().any(|known| known == id), "`{id}` is none of {vendor:?}");
    }
}

#[tokio::test]
async fn the_process_that_goes_on_with_an_operation_links_its_runs_to_the_start_and_records_what_it_does() {
    let Some(redis) = Redis::start().await else { return };
    // Longer than spans wait to be sent, so that those of the first process arrive before it is killed.
    let setup = Setup { lease_seconds: 1, export_takes: Duration::from_secs(12), ..Setup::default() };
    let ground = Ground::new(&setup).await;
    let collector = Collector::start().await;
    let (first, second) = (ground.process("first", &redis.store(), &[]), ground.process("second", &redis.store(), &[]));
    for files in [&first, &second] {
        send_to(files, collector.url());
    }
    let server = Server::start(&first).await;
    let start = request(spec_of(&TENCENT, TENCENT.image("ubuntu")));
    let started = server.api().export.export_image(traced(start, "01")).await.unwrap().into_inner();
    let name = started.operation.unwrap().name;
    server.api().until(&name, |operation| operation.step == "await_completion").await;
    let id = name.trim_start_matches("operations/").to_owned();
    let run_of = |span: &Span| span.name == "run" && span.field("operation") == id;
    // What the killed process had not sent is lost with it; its first runs are waited for.
    let path = "/sampan.export.v1.ExportService/ExportImage";
    let before = collector
        .until("the first process", |arrived| arrived.spans.iter().any(run_of) && arrived.named(path).next().is_some())
        .await;
    server.kill();
    let follower = Server::start(&second).await;
    let ended = follower.api().ended(&name).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    assert!(follower.stop().await.success());

    let arrived = collector.arrived();
    let start = arrived.named(path).next().expect("the start");
    assert_eq!((start.trace.as_str(), start.parent.as_str()), (TRACE, CALLER));
    let origin = (start.trace.clone(), start.id.clone());
    let runs: Vec<_> = arrived.spans.iter().filter(|span| run_of(span)).collect();
    assert!(runs.len() > before.spans.iter().filter(|span| run_of(span)).count(), "the second process ran too");
    for run in &runs {
        assert_eq!((&run.links, run.parent.as_str()), (&vec![origin.clone()], ""), "{run:#?}");
        assert_ne!(run.trace, TRACE, "a run is a trace of its own");
    }
    let last = runs.last().unwrap();
    let within: Vec<_> = arrived.spans.iter().filter(|span| span.trace == last.trace).collect();
    for name in ["step", "commit", "cloud_attempt"] {
        let found = within.iter().find(|span| span.name == name);
        let found = found.unwrap_or_else(|| panic!("no {name} in {within:#?}"));
        assert!(arrived.line(found).iter().any(|outer| outer.id == last.id), "{found:#?}");
    }

    // The one mutating call, as it was announced and as it ended.
    let of = |phase: &str| {
        let mut found = arrived.records.iter().filter(|record| record.fields["audit.phase"] == phase);
        let record = found.next().unwrap_or_else(|| panic!("{phase}: {:#?}", arrived.records)).clone();
        assert!(found.next().is_none(), "one {phase}");
        record
    };
    let (call, outcome) = (of("call"), of("outcome"));
    assert_eq!(call.fields["audit.id"], outcome.fields["audit.id"]);
    for record in [&call, &outcome] {
        let body: Value = serde_json::from_str(&record.body).unwrap();
        assert_eq!((&record.fields["operation"], &body["operation"]), (&name, &Value::from(name.clone())));
        assert_eq!((&*record.fields["action"], &*record.fields["units"]), ("ExportImages", "1"));
        assert!(record.fields.contains_key("caller"), "{record:#?}");
        let run = arrived.spans.iter().find(|span| span.trace == record.trace && span.name == "run");
        assert_eq!(run.expect("the run that made it").field("operation"), id);
    }
    let vendor = vendor_request_ids(&ground).await;
    assert!(vendor.contains(&outcome.fields["vendor_request_id"]), "{outcome:#?}");

    for secret in ground.clouds.secrets() {
        assert!(!arrived.text.contains(&secret), "a secret was sent");
    }
    for mark in ["ignature=", "q-ak=", "ecurity-token=", "TC3-HMAC", "ACS3-HMAC"] {
        assert!(!arrived.text.contains(mark), "{mark}");
    }
    lines_name_the_trace(&first, &second, &arrived, &id);
}

/// Lines of the steps name trace and span of the run that they belong to.
fn lines_name_the_trace(first: &ServerFolder, second: &ServerFolder, arrived: &Arrived, id: &str) {
    let lines: Vec<_> = [first, second].into_iter().flat_map(log_lines).collect();
    let moved: Vec<_> = lines.iter().filter(|line| line["message"] == "operation moved").collect();
    assert!(moved.len() >= 3, "{lines:#?}");
    for line in moved.iter().filter(|line| line["operation"] == id) {
        let (trace, span) = (line["trace_id"].as_str().unwrap(), line["span_id"].as_str().unwrap());
        assert_eq!((trace.len(), span.len()), (32, 16), "{line}");
        let Some(sent) = arrived.span(span) else { continue };
        assert_eq!(sent.trace, trace, "{line}");
    }
    let known = moved.iter().filter(|line| arrived.span(line["span_id"].as_str().unwrap()).is_some()).count();
    assert!(known > 0, "no line names a span that arrived");
}

#[tokio::test]
async fn a_start_that_is_not_sampled_leaves_no_link_and_the_log_names_the_callers_trace_without_a_collector() {
    let ground = Ground::new(&Setup { log: "debug", ..Setup::default() }).await;
    let collector = Collector::start().await;
    let files = ground.process("sampled", "memory", &[]);
    send_to(&files, collector.url());
    let server = Server::start(&files).await;
    let start = request(spec_of(&TENCENT, TENCENT.image("ubuntu")));
    let started = server.api().export.export_image(traced(start, "00")).await.unwrap().into_inner();
    server.api().ended(&started.operation.unwrap().name).await;
    assert!(server.stop().await.success());
    let arrived = collector.arrived();
    assert!(arrived.named("run").count() > 0);
    assert!(arrived.spans.iter().all(|span| span.links.is_empty() && span.trace != TRACE), "{:#?}", arrived.spans);

    let files = ground.process("quiet", "memory", &[]);
    let server = Server::start(&files).await;
    let refused = server.api().export.export_image(traced(pb::ExportImageRequest::default(), "01")).await;
    assert!(refused.is_err());
    assert!(server.stop().await.success());
    let lines = log_lines(&files);
    let line = lines.iter().find(|line| line["message"] == "call ended" && line["span"]["rpc.method"] == "ExportImage");
    assert_eq!(line.expect("the line of the call")["trace_id"], TRACE, "{lines:#?}");
    assert!(lines.iter().all(|line| line.get("span_id").is_none()));
}

/// What is promised of each metric besides its name: the labels of its points.
const METRICS: &[(&str, &[&str])] = &[
    ("rpc.server.duration", &["rpc.grpc.status_code", "rpc.method", "rpc.service"]),
    ("sampan.operations", &["kind", "state"]),
    ("sampan.operations.oldest.age", &["kind", "state"]),
    ("sampan.operations.stalled", &["kind", "state"]),
    ("sampan.operations.ended", &["kind", "state"]),
    ("sampan.operations.duration", &["kind", "state"]),
    ("sampan.queue.length", &["account", "cloud", "region"]),
    ("sampan.queue.position", &["account", "cloud", "region"]),
    ("sampan.queue.wait", &["account", "cloud", "region"]),
    ("sampan.quota.used", &["account", "cloud", "region"]),
    ("sampan.quota.limit", &["account", "cloud", "region"]),
    ("sampan.lane.wait", &["account", "cloud", "region"]),
    ("sampan.leases.lost", &[]),
    ("sampan.operations.stalls", &[]),
    ("sampan.lane.held", &[]),
    ("sampan.cloud.attempts", &["action", "attempt", "class", "cloud"]),
    ("sampan.cloud.attempt.duration", &["action", "class", "cloud"]),
    ("sampan.store.up", &[]),
];

#[tokio::test]
async fn a_collector_receives_every_metric_with_its_labels_at_the_end_at_the_latest() {
    let ground = Ground::new(&Setup::default()).await;
    let collector = Collector::start().await;
    let files = ground.process("measured", "memory", &[]);
    send_to(&files, collector.url());
    let server = Server::start(&files).await;
    let api = server.api();
    let mut first = String::new();
    // A day has five units: the sixth has to wait.
    for number in 0..6 {
        let image = ground.clouds.add_image(&TENCENT, &format!("image{number}")).await;
        let spec = pb::ExportSpec { when_quota_spent: WhenQuotaSpent::Queue.into(), ..spec_of(&TENCENT, image) };
        let name = api.start(spec).await.name;
        if number == 0 {
            first = name;
        }
    }
    assert_eq!(api.ended(&first).await.state(), OperationState::Succeeded);
    // The gauges of the store are looked at now and then, and nobody scrapes.
    collector.until("the gauges", |arrived| arrived.metrics.contains_key("sampan.quota.used")).await;
    assert!(server.stop().await.success());
    let arrived = collector.arrived();
    for (name, labels) in METRICS {
        let points = arrived.metrics.get(*name).unwrap_or_else(|| panic!("no {name} in {:?}", arrived.metrics.keys()));
        let wanted: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        assert!(points.contains(&wanted), "{name} has {points:?}");
    }
    assert!(!arrived.metrics.values().flatten().flatten().any(|label| label == "operation" || label == "caller"));
}

#[tokio::test]
async fn a_collector_that_is_away_or_never_answers_slows_neither_calls_nor_the_end() {
    let ground = Ground::new(&Setup::default()).await;
    // Accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [format!("http://{}", silent.local_addr().unwrap()), format!("http://127.0.0.1:{}", free_port())];
    for (number, address) in addresses.iter().enumerate() {
        let files = ground.process(&format!("alone{number}"), "memory", &[]);
        send_to(&files, address);
        let server = Server::start(&files).await;
        let api = server.api();
        let name = api.start(spec_of(&TENCENT, ground.clouds.add_image(&TENCENT, "one").await)).await.name;
        assert_eq!(api.ended(&name).await.state(), OperationState::Succeeded);
        // More spans than its memory holds.
        let began = Instant::now();
        for _ in 0..2200 {
            api.get(&name).await;
        }
        let each = began.elapsed() / 2200;
        assert!(each < Duration::from_millis(20), "a call took {each:?} with {address}");
        let asked = Instant::now();
        assert!(server.stop().await.success());
        // The bound, and room for a debug build on a busy machine.
        assert!(asked.elapsed() < Duration::from_secs(9), "the end took {:?} with {address}", asked.elapsed());
    }
}
