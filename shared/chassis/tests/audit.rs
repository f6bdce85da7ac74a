//! What the audit file promises, and which refused requests it tells of; one fact a test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use http::{Request, Response};
use sampan_chassis::Problem;
use sampan_chassis::audit::{AuditFile, Named, Places, Refusals};
use sampan_chassis::layers::{AroundLayer, EdgeLimits, stack};
use sampan_cloud::audit::{AuditEvent, AuditLog, AuditRecord, CallContext, CloudCall};
use sampan_core::{Cloud, Reason, clock};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

const EXPORT: &str = "/sampan.export.v1.ExportService/ExportImage";
const PREVIEW: &str = "/sampan.export.v1.ExportService/PreviewExport";

fn record(id: &str) -> AuditRecord {
    let call = CloudCall {
        cloud: Cloud::Tencent,
        account: "prod".to_owned(),
        region: "ap-guangzhou".parse().unwrap(),
        action: "ExportImages",
    };
    let context = CallContext { operation: Some("operations/1".to_owned()), ..CallContext::default() };
    AuditRecord { time: clock::system().now(), id: id.to_owned(), context, event: AuditEvent::Call(call) }
}

fn ids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is one JSON object"));
    lines.map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_announced_record_is_in_the_file_when_it_is_answered_and_only_its_owner_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let file = AuditFile::open(&path).unwrap();
    file.announce(&record("1")).await.unwrap();
    assert_eq!(ids(&path), ["1"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_there_already_stays_and_what_waits_is_written_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let first = AuditFile::open(&path).unwrap();
    first.announce(&record("1")).await.unwrap();
    drop(first);
    let second = AuditFile::open(&path).unwrap();
    (2..200).for_each(|number| second.note(&record(&number.to_string())));
    drop(second);
    assert_eq!(ids(&path), (1..200).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn records_of_many_calls_at_once_are_all_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let file = AuditFile::open(&path).unwrap();
    let records: Vec<_> = (0..300).map(|number| record(&number.to_string())).collect();
    let kept = futures::future::join_all(records.iter().map(|record| file.announce(record))).await;
    assert!(kept.iter().all(Result::is_ok));
    assert_eq!(ids(&path).len(), 300);
}

#[tokio::test]
async fn after_a_rotation_records_go_into_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rotated) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
    let file = AuditFile::open(&path).unwrap();
    file.announce(&record("1")).await.unwrap();
    fs::rename(&path, &rotated).unwrap();
    file.announce(&record("2")).await.unwrap();
    fs::remove_file(&path).unwrap();
    file.announce(&record("3")).await.unwrap();
    assert_eq!((ids(&rotated), ids(&path)), (vec!["1".to_owned()], vec!["3".to_owned()]));
}

#[tokio::test]
async fn a_full_disk_refuses_a_record_and_room_accepts_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let file = AuditFile::open(&path).unwrap();
    let error = file.announce(&record("1")).await.unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(file.is_failing() && file.failures() == 1);
    fs::remove_file(&path).unwrap();
    file.announce(&record("2")).await.unwrap();
    assert!(!file.is_failing());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with('{') && text.contains("\"id\":\"2\"") && !text.contains("\"id\":\"1\""));
}

#[tokio::test]
async fn a_folder_that_does_not_exist_refuses_the_start() {
    assert!(AuditFile::open(Path::new("/nowhere/audit.jsonl")).is_err());
}

/// Sends one request through the edge with records in `path`; the service answers `answer`.
async fn asked(path: &Path, method: &str, answer: Option<Reason>) -> Status {
    let file = Some(AuditFile::open(path).unwrap());
    let places: Arc<dyn AuditLog> = Arc::new(Places { file, collector: None });
    if path.is_symlink() {
        // What a call of an operation has run into.
        places.announce(&record("x")).await.unwrap_err();
    }
    let service = ServiceBuilder::new()
        .layer(AroundLayer::new(Refusals::new(places, clock::system())))
        .layer(stack(&EdgeLimits::default(), Arc::default(), CancellationToken::new()))
        .layer(AroundLayer::new(Named))
        .service(service_fn(move |_: Request<Body>| async move {
            Ok::<_, Infallible>(match answer {
                None => Response::new(Body::empty()),
                Some(reason) => {
                    let words = "no: https://b/k?q-signature=topsecret";
                    Status::from(Problem::new(reason, words).with("missing", "bucket")).into_http()
                }
            })
        }));
    let request = Request::builder().uri(method).header("x-request-id", "ci-42").body(Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok(""))
}

async fn recorded(method: &str, answer: Option<Reason>) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    asked(&path, method, answer).await;
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("topsecret"), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_refused_change_is_recorded_with_its_reason_and_without_secrets() {
    let lines = recorded(EXPORT, Some(Reason::QuotaSpent)).await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["phase"], &line["method"]), (&"refused".into(), &EXPORT.into()));
    assert_eq!((&line["reason"], &line["request_id"]), (&Reason::QuotaSpent.as_str().into(), &"ci-42".into()));
    assert_eq!(line["details"], serde_json::json!({ "missing": "bucket" }));
}

#[tokio::test]
async fn a_look_is_recorded_when_the_caller_may_not_and_not_when_it_merely_fails() {
    assert_eq!(recorded(PREVIEW, Some(Reason::PolicyDenied)).await.len(), 1);
    assert_eq!(recorded(PREVIEW, Some(Reason::CallerUnknown)).await[0]["code"], "UNAUTHENTICATED");
    assert_eq!(recorded(PREVIEW, Some(Reason::CloudUnavailable)).await.len(), 0);
}

#[tokio::test]
async fn what_is_answered_is_not_recorded_as_refused() {
    assert_eq!(recorded(EXPORT, None).await.len(), 0);
}

#[tokio::test]
async fn while_records_cannot_be_kept_new_work_is_refused_with_the_reason_and_looks_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let status = asked(&path, EXPORT, None).await;
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_error_info().unwrap().reason, "AUDIT_UNAVAILABLE");
    assert!(status.get_details_retry_info().is_some());
    for method in [PREVIEW, "/sampan.operation.v1.OperationService/CancelOperation"] {
        assert_eq!(asked(&path, method, None).await.code(), Code::Ok, "{method}");
    }
}
