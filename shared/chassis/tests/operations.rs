//! What OperationService promises, over a store that the tests drive.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::sync::Arc;
use std::time::Duration;

use fake_store::{FakeStore, api, id, noon, running};
use futures::{FutureExt as _, StreamExt as _};
use sampan_chassis::OperationApi;
use sampan_chassis::auth::{Access, Identity, Proof};
use sampan_chassis::layers::CallDeadline;
use sampan_core::{DiskRole, ImageFormat, OperationId, Reason};
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_server::OperationService as _;
use sampan_state::operation::{Failure, Operation, QuotaHold, State, Target, TargetState};
use sampan_state::result::{Artifact, ExportResult, Packing};
use tokio::time::Instant;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

fn with(records: impl IntoIterator<Item = Operation>) -> (Arc<FakeStore>, OperationApi) {
    let store = Arc::new(FakeStore::holding(records));
    let api = api(&store);
    (store, api)
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("an ErrorInfo").reason
}

fn get(id: OperationId) -> Request<pb::GetOperationRequest> {
    Request::new(pb::GetOperationRequest { name: id.name() })
}

fn disk(size_bytes: Option<u64>) -> serde_json::Value {
    let mut facts = serde_json::json!({
        "role": "system", "device": "xvda", "size_gib": 50, "snapshot_id": "snap-1", "encrypted": false
    });
    if let Some(size) = size_bytes {
        facts["size_bytes"] = size.into();
    }
    facts
}

fn target(state: TargetState, facts: serde_json::Value) -> Target {
    Target {
        id: "xvda".to_owned(),
        label: "system disk, 50 GiB".to_owned(),
        state,
        percent: Some(40),
        cloud_ids: [("task".to_owned(), "t-1".to_owned())].into(),
        failure: None,
        attempts: 1,
        started: Some(noon()),
        last_progress: None,
        finished: None,
        facts,
    }
}

#[tokio::test]
async fn a_record_is_told_with_its_image_targets_quota_and_times() {
    let mut record = running(id(0));
    record.targets = vec![target(TargetState::Running, disk(None))];
    record.quota = QuotaHold::Waiting { position: 0, earliest_start: Some(noon()) };
    record.percent = Some(40);
    record.stalled_since = Some(noon());
    let (_, api) = with([record]);
    let told = api.get_operation(get(id_of(&api).await)).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(told.kind(), pb::OperationKind::Export);
    assert_eq!(told.state(), pb::OperationState::Running);
    assert!(!told.done);
    let image = told.image.as_ref().unwrap();
    assert_eq!(
        (image.account.as_str(), image.region.as_str(), image.image_id.as_str()),
        ("prod", "ap-guangzhou", "img-72n9mi0y")
    );
    let quota = told.quota.as_ref().unwrap();
    assert_eq!(quota.status(), pb::QuotaStatus::Waiting);
    assert_eq!(quota.waiting_position, Some(1), "people count from one");
    assert_eq!(told.create_time.unwrap().seconds, noon().as_second());
    assert_eq!(told.stalled_since_time.unwrap().seconds, noon().as_second());
    assert_eq!((told.step.as_str(), told.progress_percent), ("submit", Some(40)));
    let disk = told.targets[0].disk.as_ref().unwrap();
    assert_eq!((disk.device.as_str(), disk.size_gib, disk.encrypted), ("xvda", 50, Some(false)));
    assert_eq!(told.targets[0].size_bytes, None);
}

async fn id_of(api: &OperationApi) -> OperationId {
    let page = api.list_operations(Request::new(pb::ListOperationsRequest::default())).await.unwrap().into_inner();
    page.operations[0].name.parse().unwrap()
}

#[tokio::test]
async fn a_finished_export_tells_its_manifest() {
    let artifact = Artifact {
        role: DiskRole::System,
        device: "xvda".to_owned(),
        size_gib: 50,
        snapshot_id: None,
        bucket: "images-1250000000".to_owned(),
        key: "nightly_img-1_system.raw".to_owned(),
        size_bytes: 7,
        etag: "e".to_owned(),
        crc64: Some(u64::MAX),
        last_modified: Some(noon()),
        storage_class: "STANDARD".to_owned(),
        format: ImageFormat::Raw,
        packing: Packing::TarGzip,
        unpack_command: "tar -xzf".to_owned(),
    };
    let mut record = running(id(0));
    record.state = State::Succeeded;
    record.targets = vec![target(TargetState::Succeeded, serde_json::to_value(&artifact).unwrap())];
    record.result = Some(
        serde_json::to_value(ExportResult {
            bucket: "images-1250000000".to_owned(),
            region: "ap-guangzhou".to_owned(),
            artifacts: vec![artifact.clone(), Artifact { size_bytes: 5, ..artifact }],
            fstab_reminder: "check".to_owned(),
            notes: Vec::new(),
            first_estimate: None,
            estimate: None,
        })
        .unwrap(),
    );
    let (_, api) = with([record]);
    let told = api.get_operation(get(id_of(&api).await)).await.unwrap().into_inner().operation.unwrap();
    assert!(told.done);
    assert_eq!(told.targets[0].size_bytes, Some(7));
    let Some(pb::operation::Result::ExportResult(result)) = told.result else { panic!("no result") };
    assert_eq!(result.total_size_bytes, 12);
    assert_eq!(result.artifacts[0].crc64, "18446744073709551615");
    assert_eq!(result.artifacts[0].packing(), pb::Packing::TarGzip);
}

#[tokio::test]
async fn a_failure_tells_code_reason_remedy_and_the_words_of_the_vendor() {
    let mut record = running(id(0));
    record.state = State::Failed;
    record.failure = Some(Failure {
        reason: "IMAGE_WINDOWS".to_owned(),
        message: "it is a Windows".to_owned(),
        vendor_code: Some("InvalidImageOsType".to_owned()),
        vendor_request_id: Some("r-1".to_owned()),
        violations: Vec::new(),
    });
    let (_, api) = with([record]);
    let told = api.get_operation(get(id_of(&api).await)).await.unwrap().into_inner().operation.unwrap();
    let error = told.error.unwrap();
    assert_eq!(error.code, i32::from(Code::FailedPrecondition));
    assert_eq!(error.remedy, Reason::ImageWindows.remedy());
    assert_eq!((error.vendor_code.as_str(), error.vendor_request_id.as_str()), ("InvalidImageOsType", "r-1"));
}

#[tokio::test]
async fn names_that_are_missing_malformed_or_unknown_are_told_apart() {
    let (store, api) = with([]);
    for (name, code, expected) in [
        ("", Code::InvalidArgument, "FIELD_REQUIRED"),
        ("operations/42", Code::InvalidArgument, "FIELD_MALFORMED"),
        (id(0).name().as_str(), Code::NotFound, "OPERATION_NOT_FOUND"),
    ] {
        let refused = api.get_operation(Request::new(pb::GetOperationRequest { name: name.to_owned() })).await;
        let status = refused.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{name}");
    }
    store.fail(true);
    let status = api.get_operation(get(id(0))).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "STORE_UNAVAILABLE"));
}

#[tokio::test]
async fn pages_follow_each_other_newest_first_without_gap_or_repeat() {
    let (_, api) = with((0..7).map(|second| running(id(second))));
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let request = pb::ListOperationsRequest { page_size: 3, page_token: token, ..Default::default() };
        let page = api.list_operations(Request::new(request)).await.unwrap().into_inner();
        names.extend(page.operations.into_iter().map(|operation| operation.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 7);
    let mut sorted = names.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!(names, sorted);
}

#[tokio::test]
async fn a_page_token_is_refused_with_other_filters() {
    let (_, api) = with((0..3).map(|second| running(id(second))));
    let first = pb::ListOperationsRequest { page_size: 1, account: "prod".to_owned(), ..Default::default() };
    let token = api.list_operations(Request::new(first)).await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    for page_token in [token, "nonsense".to_owned()] {
        let other =
            pb::ListOperationsRequest { page_size: 1, page_token, account: "test".to_owned(), ..Default::default() };
        let status = api.list_operations(Request::new(other)).await.unwrap_err();
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "page_token");
    }
}

#[tokio::test]
async fn all_wrong_filters_are_told_at_once() {
    let (_, api) = with([]);
    let wrong = pb::ListOperationsRequest {
        page_size: -1,
        kinds: vec![99],
        states: vec![77],
        cloud: 55,
        account: "Not An Account".to_owned(),
        ..Default::default()
    };
    let status = api.list_operations(Request::new(wrong)).await.unwrap_err();
    let mut fields: Vec<_> =
        status.get_details_bad_request().unwrap().field_violations.into_iter().map(|field| field.field).collect();
    fields.sort();
    assert_eq!(fields, ["account", "cloud", "kinds", "page_size", "states"]);
}

fn wait(id: OperationId, timeout: Option<i64>) -> Request<pb::WaitOperationRequest> {
    let timeout = timeout.map(|seconds| prost_types::Duration { seconds, nanos: 0 });
    Request::new(pb::WaitOperationRequest { name: id.name(), timeout })
}

#[tokio::test]
async fn a_wait_ends_with_the_operation() {
    let (store, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    let mut waiting = Box::pin(api.wait_operation(wait(operation, None)));
    assert!(waiting.as_mut().now_or_never().is_none());
    store.change(operation, |record| record.percent = Some(50));
    assert!(waiting.as_mut().now_or_never().is_none(), "progress is no end");
    store.change(operation, |record| record.state = State::Succeeded);
    let told = waiting.await.unwrap().into_inner().operation.unwrap();
    assert!(told.done);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_runs_out_answers_with_the_state_so_far() {
    let (_, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    let began = Instant::now();
    let told = api.wait_operation(wait(operation, Some(90))).await.unwrap().into_inner().operation.unwrap();
    assert!(!told.done);
    assert_eq!(began.elapsed(), Duration::from_secs(90));

    let mut hurried = wait(operation, Some(90));
    hurried.extensions_mut().insert(CallDeadline(Instant::now() + Duration::from_secs(10)));
    let began = Instant::now();
    let told = api.wait_operation(hurried).await.unwrap().into_inner().operation.unwrap();
    assert!(!told.done);
    assert!(began.elapsed() < Duration::from_secs(10), "before the call's own deadline");
}

#[tokio::test]
async fn a_wait_longer_than_ten_minutes_or_negative_is_refused() {
    let (_, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    for seconds in [601, -1] {
        let status = api.wait_operation(wait(operation, Some(seconds))).await.unwrap_err();
        assert_eq!(reason(&status), "NUMBER_OUT_OF_RANGE");
    }
}

async fn watch(
    api: &OperationApi,
    id: OperationId,
    from_revision: Option<u64>,
) -> impl futures::Stream<Item = pb::Operation> + Unpin + use<> {
    let request = Request::new(pb::WatchOperationRequest { name: id.name(), from_revision });
    let stream = api.watch_operation(request).await.unwrap().into_inner();
    stream.map(|sent| sent.unwrap().operation.unwrap())
}

#[tokio::test]
async fn a_watch_begins_with_the_present_skips_what_is_outdated_and_ends_with_the_final_state() {
    let (store, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    let mut watched = watch(&api, operation, None).await;
    assert_eq!(watched.next().await.unwrap().revision, 1);
    assert!(watched.next().now_or_never().is_none(), "nothing new");
    for percent in 1..=20 {
        store.change(operation, |record| record.percent = Some(percent));
    }
    let newest = watched.next().await.unwrap();
    assert_eq!((newest.revision, newest.progress_percent), (21, Some(20)), "a slow reader gets the newest alone");
    store.change(operation, |record| record.state = State::Cancelled);
    assert!(watched.next().await.unwrap().done);
    assert!(watched.next().await.is_none());
}

#[tokio::test]
async fn a_watch_resumes_from_a_revision_and_never_misses_the_end() {
    let (store, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    store.change(operation, |record| record.percent = Some(1));
    let mut seen = watch(&api, operation, Some(2)).await;
    assert!(seen.next().now_or_never().is_none(), "revision 2 was seen");
    let mut behind = watch(&api, operation, Some(1)).await;
    assert_eq!(behind.next().await.unwrap().revision, 2);
    store.change(operation, |record| record.state = State::Succeeded);
    assert_eq!(seen.next().await.unwrap().revision, 3);
    let mut late = watch(&api, operation, Some(3)).await;
    assert!(late.next().await.unwrap().done, "the final state is sent again");
    assert!(late.next().await.is_none());
}

#[tokio::test]
async fn a_watch_ends_with_a_status_when_the_store_is_lost() {
    let (store, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    let request = Request::new(pb::WatchOperationRequest { name: operation.name(), from_revision: None });
    let mut stream = api.watch_operation(request).await.unwrap().into_inner();
    stream.next().await.unwrap().unwrap();
    store.fail(true);
    assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_cancel_is_kept_with_who_asked_and_an_ended_operation_refuses_it() {
    let (store, api) = with([running(id(0))]);
    let operation = id_of(&api).await;
    let cancel = || {
        let mut request = Request::new(pb::CancelOperationRequest { name: operation.name(), remove_result: true });
        let bob = Identity { subject: "bob".to_owned(), proof: Proof::Bearer };
        request.extensions_mut().insert(Access::new(bob, None));
        request
    };
    let told = api.cancel_operation(cancel()).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(told.state(), pb::OperationState::Cancelling);
    let cancellation = told.cancellation.unwrap();
    assert_eq!((cancellation.requested_by.as_str(), cancellation.remove_result), ("bob", true));
    store.change(operation, |record| record.state = State::Cancelled);
    let status = api.cancel_operation(cancel()).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "OPERATION_FINISHED"));
}

#[tokio::test]
async fn a_retry_goes_to_the_one_who_can_and_its_refusal_comes_back() {
    let (_, api) = with([running(id(0))]);
    let request = Request::new(pb::RetryOperationRequest { name: id_of(&api).await.name() });
    let status = api.retry_operation(request).await.unwrap_err();
    assert_eq!(reason(&status), "OPERATION_NOT_RETRYABLE");
}
