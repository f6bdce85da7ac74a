//! The gRPC face: previews, starts, lists.

use std::collections::HashMap;
use std::sync::Arc;

use sampan_core::Cloud;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::operation::v1::{OperationKind, OperationState};
use sampan_proto::share::v1 as pb;
use sampan_proto::share::v1::share_service_server::ShareService as _;
use sampan_share_service::Service;
use sampan_share_service::spec::Change;
use sampan_state::Json;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::world::{OWN, World, accounts, limits, numbers};

fn service(world: &World) -> Service {
    Service::new(world.engine.clone(), accounts(&world.cloud), limits(), Arc::clone(&world.clock) as _)
}

fn message(world: &World, accounts: &[String]) -> pb::ShareSpec {
    let cloud = match world.cloud.cloud {
        Cloud::Tencent => image_pb::Cloud::Tencent,
        Cloud::Alibaba => image_pb::Cloud::Alibaba,
    };
    pb::ShareSpec {
        image: Some(image_pb::ImageReference {
            cloud: cloud.into(),
            account: "prod".to_owned(),
            region: crate::cloud::region(world.cloud.cloud).to_string(),
            image_id: world.image.to_string(),
        }),
        account_ids: accounts.to_vec(),
        ..pb::ShareSpec::default()
    }
}

async fn preview(world: &World, change: pb::ShareChange, spec: pb::ShareSpec) -> pb::PreviewShareResponse {
    let request = pb::PreviewShareRequest { spec: Some(spec), change: change.into() };
    service(world).preview_share(Request::new(request)).await.unwrap().into_inner()
}

fn rules(violations: &[image_pb::Violation]) -> Vec<&str> {
    violations.iter().map(|violation| violation.rule.as_str()).collect()
}

#[tokio::test]
async fn a_preview_tells_what_becomes_of_each_account_and_changes_nothing() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..3));
    let told = preview(&world, pb::ShareChange::Set, message(&world, &numbers(2..5))).await;
    assert!(told.startable && told.violations.is_empty(), "{told:?}");
    assert_eq!((told.accounts_to_add, told.accounts_to_remove), (numbers(3..5), numbers(0..2)));
    assert_eq!(told.accounts_unchanged, numbers(2..3));
    let calls: Vec<_> = told.planned_calls.iter().filter(|call| call.mutating).collect();
    assert_eq!(
        calls.iter().map(|call| call.detail.as_str()).collect::<Vec<_>>(),
        ["removes 2 accounts", "adds 2 accounts"]
    );
    assert!(calls.iter().all(|call| call.quota_units == 1 && call.action == "ModifyImageSharePermission"));
    let warnings = rules(&told.warnings);
    for code in ["SHARE_NOT_REVIEWED", "SHARE_INSTANCES_ONLY", "SHARE_NAME_FROZEN", "SHARE_SAME_REGION"] {
        assert!(warnings.contains(&code), "{code}");
    }
    assert!(warnings.contains(&"UNSHARE_INSTANCES_LOSE_IMAGE"), "{warnings:?}");
    assert_eq!(told.image.unwrap().name, "web");
    assert_eq!((world.cloud.calls().len(), world.units().await), (0, (0, 0, 0)));
}

#[tokio::test]
async fn a_preview_tells_all_violations_at_once_those_of_the_cloud_too() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..50));
    let key = (crate::cloud::region(Cloud::Tencent), world.image.clone());
    world.cloud.script().images.get_mut(&key).unwrap().disks[0].encrypted = Some(true);
    let named = [OWN.to_owned(), "me@corp".to_owned(), numbers(99..100).remove(0)];
    let told = preview(&world, pb::ShareChange::Add, message(&world, &named)).await;
    assert!(!told.startable);
    let expected = ["SHARE_WITH_OWN_ACCOUNT", "SHARE_ACCOUNT_NOT_ROOT", "IMAGE_ENCRYPTED", "SHARE_QUOTA_SPENT"];
    assert_eq!(rules(&told.violations), expected);
    let unnamed = preview(&world, pb::ShareChange::Unspecified, message(&world, &[])).await;
    assert!(rules(&unnamed.violations).contains(&"FIELD_REQUIRED"), "{unnamed:?}");
}

#[tokio::test]
async fn an_image_that_is_not_named_well_hides_no_fault_of_the_accounts() {
    let world = World::new(Cloud::Tencent);
    let mut spec = message(&world, &["me@corp".to_owned(), "0123456".to_owned()]);
    spec.image.as_mut().unwrap().image_id = "no id".to_owned();
    let expected = ["IMAGE_ID_MALFORMED", "SHARE_ACCOUNT_NOT_ROOT", "SHARE_ACCOUNT_MALFORMED"];
    let told = preview(&world, pb::ShareChange::Add, spec.clone()).await;
    assert_eq!(rules(&told.violations), expected);
    let request = Request::new(pb::ShareImageRequest { spec: Some(spec), ..Default::default() });
    let refused = service(&world).share_image(request).await.unwrap_err();
    let wrong = refused.get_error_details().bad_request().unwrap().field_violations.clone();
    assert_eq!(wrong.iter().map(|wrong| wrong.reason.as_str()).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_preview_that_changes_nothing_may_start_on_a_spent_day() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..2));
    world.spend("ap-guangzhou", 5).await;
    assert!(!preview(&world, pb::ShareChange::Add, message(&world, &numbers(2..3))).await.startable);
    let queued = pb::ShareSpec {
        when_quota_spent: sampan_proto::quota::v1::WhenQuotaSpent::Queue.into(),
        ..message(&world, &numbers(2..3))
    };
    assert!(preview(&world, pb::ShareChange::Add, queued).await.startable);
}

#[tokio::test]
async fn a_preview_follows_the_copies() {
    let world = World::new(Cloud::Tencent);
    world.copied(("ap-guangzhou", world.image.as_str()), ("ap-shanghai", Some("img-sh1"))).await;
    world.cloud.shared_with(&"img-sh1".parse().unwrap(), &numbers(0..50));
    let spec = pb::ShareSpec { include_copies: true, ..message(&world, &numbers(60..61)) };
    let told = preview(&world, pb::ShareChange::Add, spec).await;
    assert!(told.startable, "what stands against a copy stops its part alone");
    assert_eq!(told.copies[0].image_id, "img-sh1");
    let regions: Vec<_> = told.planned_calls.iter().filter(|call| call.mutating).map(|call| &call.region).collect();
    assert_eq!(regions, ["ap-guangzhou", "ap-shanghai"]);
    let full = told.warnings.iter().find(|warning| warning.rule == "SHARE_QUOTA_SPENT").expect("the copy is full");
    assert!(full.message.contains("img-sh1 in ap-shanghai"), "{}", full.message);
}

#[tokio::test]
async fn all_wrong_fields_of_a_start_are_told_at_once_and_nothing_is_kept() {
    let world = World::new(Cloud::Tencent);
    let labels: HashMap<String, String> = HashMap::from([(String::new(), "x".to_owned())]);
    let request = pb::ShareImageRequest {
        request_id: "no uuid".to_owned(),
        spec: Some(message(&world, &["x".to_owned()])),
        labels,
    };
    let status = service(&world).share_image(Request::new(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields: Vec<_> =
        status.get_details_bad_request().unwrap().field_violations.into_iter().map(|one| one.field).collect();
    assert_eq!(fields, ["spec.account_ids[0]", "labels", "request_id"]);
    assert!(world.cloud.calls().is_empty());
}

#[tokio::test]
async fn a_start_answers_with_the_operation_and_its_repetition_with_the_same() {
    let world = World::new(Cloud::Tencent);
    let start = |accounts: &[String]| pb::SetImageSharesRequest {
        request_id: "0190a0aa-0000-7000-8000-000000000001".to_owned(),
        spec: Some(message(&world, accounts)),
        labels: HashMap::new(),
    };
    let call = async |accounts: &[String]| service(&world).set_image_shares(Request::new(start(accounts))).await;
    let first = call(&numbers(0..2)).await.unwrap().into_inner().operation.unwrap();
    assert_eq!((first.kind(), first.state()), (OperationKind::Share, OperationState::Running));
    let again = call(&numbers(0..2)).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(again.name, first.name);
    assert_eq!(call(&numbers(0..3)).await.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn the_list_of_shares_is_read_live() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.shared_with(&world.image, &numbers(0..2));
    let request = pb::ListImageSharesRequest { image: message(&world, &[]).image };
    let told = service(&world).list_image_shares(Request::new(request.clone())).await.unwrap().into_inner();
    let ids: Vec<_> = told.shares.iter().map(|share| share.account_id.clone()).collect();
    assert_eq!(ids, numbers(0..2));
    assert!(told.shares[0].share_time.is_some());
    world.cloud.script().images.clear();
    let status = service(&world).list_image_shares(Request::new(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let nobody = service(&world).list_image_shares(Request::new(pb::ListImageSharesRequest { image: None })).await;
    assert_eq!(nobody.unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn the_text_of_a_request_stays_what_repeated_starts_are_told_by() {
    // Another order, or a new field that is written when nobody sets it, would refuse the repetition of a start by a
    // newer version.
    let spec = crate::world::spec(Cloud::Tencent, Change::Add, vec!["1000000000000001".to_owned()]);
    let known = r#"{"cloud":"tencent","account":"prod","region":"ap-guangzhou","image":"img-72n9mi0y","change":"add",
"account_ids":["1000000000000001"],"include_copies":false,"queue_when_quota_spent":false}"#;
    assert_eq!(Json::of(&spec).unwrap().text(), known.replace("\n", ""));
}
