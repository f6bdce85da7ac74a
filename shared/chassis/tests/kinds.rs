//! What OperationService tells of copies and of changes of shares.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::sync::Arc;

use fake_store::{FakeStore, id, noon, running};
use sampan_chassis::{OperationApi, convert};
use sampan_core::Cloud;
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_server::OperationService as _;
use sampan_state::operation::{Operation, State, Target, TargetState};
use sampan_state::result::{CopiedImage, CopyResult, ImageAt, Leftover, ShareResult, SharedImage};
use serde_json::{Value, json};
use tonic::Request;

fn api(records: impl IntoIterator<Item = Operation>) -> OperationApi {
    let store = Arc::new(FakeStore::holding(records));
    fake_store::api(&store)
}

fn target(id: &str) -> Target {
    Target {
        id: id.to_owned(),
        label: id.to_owned(),
        state: TargetState::Succeeded,
        percent: None,
        cloud_ids: [("image".to_owned(), "img-2".to_owned())].into(),
        failure: None,
        attempts: 1,
        started: Some(noon()),
        last_progress: None,
        finished: Some(noon()),
        facts: Value::Null,
    }
}

fn ended(kind: &str, second: i64, result: Value) -> Operation {
    let mut record = running(id(second));
    record.kind = kind.to_owned();
    record.state = State::Succeeded;
    record.targets = vec![target("ap-shanghai")];
    record.result = Some(result);
    record
}

fn at(region: &str, image: &str) -> ImageAt {
    ImageAt {
        cloud: Cloud::Tencent,
        account: "prod".to_owned(),
        region: region.parse().unwrap(),
        image: image.parse().unwrap(),
    }
}

async fn told(record: Operation) -> pb::Operation {
    let api = api([record]);
    let page = api.list_operations(Request::new(pb::ListOperationsRequest::default())).await.unwrap().into_inner();
    page.operations.into_iter().next().unwrap()
}

fn estimate() -> billing_pb::Estimate {
    billing_pb::Estimate { region: "ap-shanghai".to_owned(), currency: "CNY".to_owned(), ..Default::default() }
}

fn copied() -> CopyResult {
    CopyResult {
        images: vec![CopiedImage {
            at: at("ap-shanghai", "img-2"),
            name: "nightly".to_owned(),
            snapshot_ids: vec!["snap-1".to_owned()],
            shared_with: vec!["100012345678".to_owned()],
            share_operation: Some("operations/x".to_owned()),
            snapshot_cost_per_month: Some("1.50".to_owned()),
            currency: Some("CNY".to_owned()),
        }],
        not_copied: vec!["the role".to_owned()],
        leftovers: vec![Leftover {
            region: "ap-beijing".parse().unwrap(),
            resource: "snapshot".to_owned(),
            id: "snap-9".to_owned(),
            cause: "refused".to_owned(),
        }],
        estimate: Some(convert::copy::kept_estimate(&estimate())),
    }
}

#[tokio::test]
async fn a_copy_tells_its_images_its_leftovers_and_its_price() {
    let told = told(ended("copy", 0, serde_json::to_value(copied()).unwrap())).await;
    assert_eq!(told.kind(), pb::OperationKind::Copy);
    assert_eq!((told.targets[0].id.as_str(), told.targets[0].disk.as_ref()), ("ap-shanghai", None));
    let Some(pb::operation::Result::CopyResult(result)) = told.result else { panic!("no result") };
    let image = &result.images[0];
    let reference = image.reference.as_ref().unwrap();
    assert_eq!((reference.region.as_str(), reference.image_id.as_str()), ("ap-shanghai", "img-2"));
    assert_eq!((image.snapshot_cost_per_month.as_str(), image.currency.as_str()), ("1.50", "CNY"));
    assert_eq!(
        (image.shared_with.as_slice(), image.share_operation.as_str()),
        (&["100012345678".to_owned()][..], "operations/x")
    );
    assert_eq!(result.not_copied, ["the role"]);
    assert_eq!(result.leftovers[0].id, "snap-9");
    assert_eq!(result.estimate.as_deref(), Some(&estimate()), "as billing has told it");
}

#[tokio::test]
async fn a_copy_without_a_price_or_with_a_broken_one_is_told_all_the_same() {
    for estimate in [None, Some("not base64!".to_owned()), Some("/////w==".to_owned())] {
        let result = CopyResult { estimate, ..copied() };
        let told = told(ended("copy", 0, serde_json::to_value(result).unwrap())).await;
        let Some(pb::operation::Result::CopyResult(result)) = told.result else { panic!("no result") };
        assert_eq!((result.images.len(), result.estimate), (1, None));
    }
}

#[tokio::test]
async fn a_share_tells_the_accounts_of_every_image() {
    let shared = SharedImage {
        at: at("ap-shanghai", "img-2"),
        added: vec!["1".to_owned()],
        removed: vec!["2".to_owned()],
        accounts: vec!["1".to_owned(), "3".to_owned()],
        drift: vec!["3".to_owned()],
    };
    let result = ShareResult { images: vec![shared] };
    let told = told(ended("share", 0, serde_json::to_value(result).unwrap())).await;
    assert_eq!(told.kind(), pb::OperationKind::Share);
    let Some(pb::operation::Result::ShareResult(result)) = told.result else { panic!("no result") };
    let image = &result.images[0];
    assert_eq!(image.reference.as_ref().unwrap().image_id, "img-2");
    assert_eq!((&image.added[..], &image.removed[..]), (&["1".to_owned()][..], &["2".to_owned()][..]));
    assert_eq!((&image.accounts[..], &image.drift[..]), (&["1".to_owned(), "3".to_owned()][..], &["3".to_owned()][..]));
}

#[tokio::test]
async fn a_result_that_cannot_be_read_hides_nothing_else() {
    let told = told(ended("share", 0, json!({"images": "many"}))).await;
    assert_eq!((told.state(), told.result), (pb::OperationState::Succeeded, None));
}

#[tokio::test]
async fn a_list_narrows_to_the_kinds_that_are_asked_for() {
    let kinds = ["export", "copy", "share"];
    let api = api(kinds.iter().zip(0..).map(|(kind, second)| ended(kind, second, Value::Null)));
    for (asked, expected) in [
        (vec![pb::OperationKind::Copy], vec![pb::OperationKind::Copy]),
        (vec![pb::OperationKind::Share], vec![pb::OperationKind::Share]),
        (
            vec![pb::OperationKind::Export, pb::OperationKind::Share],
            vec![pb::OperationKind::Share, pb::OperationKind::Export],
        ),
        (
            vec![pb::OperationKind::Unspecified, pb::OperationKind::Copy],
            vec![pb::OperationKind::Share, pb::OperationKind::Copy, pb::OperationKind::Export],
        ),
    ] {
        let request =
            pb::ListOperationsRequest { kinds: asked.into_iter().map(i32::from).collect(), ..Default::default() };
        let page = api.list_operations(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(page.operations.iter().map(pb::Operation::kind).collect::<Vec<_>>(), expected);
    }
}
