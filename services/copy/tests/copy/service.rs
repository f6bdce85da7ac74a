//! The face of the service: starts, previews, refusals.

use sampan_chassis::convert;
use sampan_copy_service::Service;
use sampan_core::Cloud;
use sampan_proto::billing::v1::CostLimit;
use sampan_proto::copy::v1 as pb;
use sampan_proto::copy::v1::copy_service_server::CopyService as _;
use sampan_proto::image::v1::ImageReference;
use sampan_state::Json;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::world::{World, accounts, limits};

fn service(world: &World) -> Service {
    Service::new(world.engine.clone(), accounts(&world.cloud), limits(), world.peers.pricing(), world.clock.clone())
}

fn message(world: &World) -> pb::CopySpec {
    let destination =
        |region: &sampan_core::Region| pb::Destination { region: region.to_string(), ..Default::default() };
    pb::CopySpec {
        image: Some(ImageReference {
            cloud: convert::image::cloud(world.spec.cloud) as i32,
            account: "prod".to_owned(),
            region: world.spec.region.to_string(),
            image_id: world.spec.image.to_string(),
        }),
        destinations: world.spec.destinations.iter().map(|known| destination(&known.region)).collect(),
        ..Default::default()
    }
}

async fn preview(world: &World, spec: pb::CopySpec) -> pb::PreviewCopyResponse {
    let request = pb::PreviewCopyRequest { spec: Some(spec), keep_for: None };
    service(world).preview_copy(Request::new(request)).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_start_is_answered_at_once_and_its_repetition_starts_nothing_new() {
    let world = World::new(Cloud::Tencent);
    let request = pb::CopyImageRequest {
        request_id: "0190a5b2-0000-7000-8000-000000000001".to_owned(),
        spec: Some(message(&world)),
        labels: Default::default(),
    };
    let first = service(&world).copy_image(Request::new(request.clone())).await.unwrap().into_inner();
    let again = service(&world).copy_image(Request::new(request)).await.unwrap().into_inner();
    let name = first.operation.unwrap().name;
    assert_eq!(again.operation.unwrap().name, name);
    let ended = world.end(name.parse().unwrap()).await;
    let told = convert::operation(&ended);
    let Some(sampan_proto::operation::v1::operation::Result::CopyResult(left)) = told.result else {
        panic!("no result")
    };
    assert_eq!((left.images.len(), world.cloud.copies()), (3, 3));
    assert!(left.estimate.is_some());
}

#[tokio::test]
async fn a_preview_tells_everything_and_changes_nothing() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let told = preview(&world, message(&world)).await;
        assert!(told.startable, "{:?}", told.violations);
        assert_eq!((told.destinations.len(), told.destinations[0].image_name.as_str()), (3, "web"));
        assert_eq!(told.destinations[0].image_count, Some(0));
        assert_eq!(told.destinations[0].image_limit, if cloud == Cloud::Tencent { Some(10) } else { None });
        assert_eq!(told.route, pb::CopyRoute::Image as i32);
        assert_eq!(told.estimate.unwrap().total.unwrap().expected, "150.000000");
        let mutating: Vec<_> = told.planned_calls.iter().filter(|call| call.mutating).collect();
        assert_eq!(mutating.len(), if cloud == Cloud::Tencent { 1 } else { 3 });
        assert!(told.not_copied.len() >= 3 && told.deadline.is_some());
        assert_eq!(world.cloud.count(world.cloud.copy_action()), 0);
    }
}

#[tokio::test]
async fn a_preview_of_broken_fields_still_looks_at_the_image() {
    let world = World::new(Cloud::Tencent);
    let mut spec = message(&world);
    spec.destinations[0].region = "na-ashburn".to_owned();
    spec.tags.insert("team".to_owned(), "images".to_owned());
    world.cloud.script().image.as_mut().unwrap().state = sampan_cloud::image::ImageState::Failed;
    let told = preview(&world, spec).await;
    let rules: Vec<_> = told.violations.iter().map(|violation| violation.rule.as_str()).collect();
    assert_eq!(rules, ["REGION_PAIR_UNSUPPORTED", "COPY_OPTION_UNSUPPORTED", "IMAGE_NOT_READY"]);
    assert!(!told.startable && told.image.is_some());
}

#[tokio::test]
async fn a_start_with_broken_fields_names_all_of_them() {
    let world = World::new(Cloud::Tencent);
    let mut spec = message(&world);
    spec.destinations[1].region = spec.destinations[0].region.clone();
    spec.destinations[2].region = "cn-beijing".to_owned();
    spec.destinations.push(pb::Destination { region: "na-ashburn".to_owned(), ..Default::default() });
    spec.share_with = vec!["bob".to_owned()];
    spec.route = 77;
    let request = pb::CopyImageRequest { spec: Some(spec), ..Default::default() };
    let refused = service(&world).copy_image(Request::new(request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let details = refused.get_error_details();
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "spec.destinations[1].region",
            "spec.destinations[2].region",
            "spec.route",
            "spec.destinations[3].region",
            "spec.share_with[0]"
        ]
    );
}

#[tokio::test]
async fn an_image_that_is_not_named_well_hides_no_fault_of_the_rest() {
    let fields = |status: &tonic::Status| -> Vec<(String, String)> {
        let wrong = status.get_error_details().bad_request().unwrap().field_violations.clone();
        wrong.into_iter().map(|wrong| (wrong.field, wrong.reason)).collect()
    };
    let pair = |field: &str, rule: &str| (field.to_owned(), rule.to_owned());
    let world = World::new(Cloud::Tencent);
    let mut spec = message(&world);
    spec.destinations[0].region = "na-ashburn".to_owned();
    spec.tags.insert("team".to_owned(), "images".to_owned());
    spec.share_with = vec!["bob".to_owned()];
    let others = [
        pair("spec.destinations[0].region", "REGION_PAIR_UNSUPPORTED"),
        pair("spec.tags", "COPY_OPTION_UNSUPPORTED"),
        pair("spec.share_with[0]", "FIELD_MALFORMED"),
    ];
    for (id, rule) in [("no id", "IMAGE_ID_MALFORMED"), ("", "FIELD_REQUIRED"), ("m-1", "IMAGE_ID_MALFORMED")] {
        spec.image.as_mut().unwrap().image_id = id.to_owned();
        let expected = [&[pair("spec.image.image_id", rule)], &others[..]].concat();
        let request = pb::CopyImageRequest { spec: Some(spec.clone()), ..Default::default() };
        let refused = service(&world).copy_image(Request::new(request)).await.unwrap_err();
        assert_eq!(fields(&refused), expected, "{id}");
        let told = preview(&world, spec.clone()).await;
        let told: Vec<_> = told.violations.into_iter().map(|found| (found.field, found.rule)).collect();
        assert_eq!(told, expected, "{id}");
    }
    spec.image.as_mut().unwrap().region = "AP".to_owned();
    spec.route = pb::CopyRoute::Snapshots.into();
    spec.image.as_mut().unwrap().account = "nobody".to_owned();
    let told = preview(&world, spec).await;
    let told: Vec<_> = told.violations.into_iter().map(|found| (found.field, found.rule)).collect();
    let named = [
        pair("spec.image.account", "ACCOUNT_UNKNOWN"),
        pair("spec.image.region", "FIELD_MALFORMED"),
        pair("spec.image.image_id", "IMAGE_ID_MALFORMED"),
    ];
    // Whether a region can be copied to, and by which route, is known with the region and the account alone.
    assert_eq!(told, [&named[..], &others[1..]].concat());
    assert!(world.cloud.count("DescribeImages") == 0);
}

#[tokio::test]
async fn a_start_above_its_limit_of_cost_is_refused_and_one_below_is_not() {
    let world = World::new(Cloud::Tencent);
    let start = async |amount: &str| {
        let limit = CostLimit { amount: amount.to_owned(), currency: String::new() };
        let spec = pb::CopySpec { max_cost: Some(limit), ..message(&world) };
        let request = pb::CopyImageRequest { spec: Some(spec), ..Default::default() };
        service(&world).copy_image(Request::new(request)).await
    };
    let refused = start("149").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "COST_ABOVE_LIMIT");
    assert_eq!(world.units().await, (0, 0, 0));
    let started = start("150").await.unwrap().into_inner().operation.unwrap();
    assert_eq!(world.end(started.name.parse().unwrap()).await.state, sampan_state::operation::State::Succeeded);
    world.peers.script().billing_is_down = true;
    let refused = start("1000").await.unwrap_err();
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "PRICE_UNAVAILABLE");
}

#[test]
fn the_text_of_a_request_stays_what_repeated_starts_are_told_by() {
    // Another order, or a new field that is written when nobody sets it, would refuse the repetition of a start by a
    // newer version.
    let spec = crate::world::spec(Cloud::Tencent);
    let known = r#"{"cloud":"tencent","account":"prod","region":"ap-guangzhou","image":"img-72n9mi0y","destinations":[
{"region":"ap-shanghai","image_name":null,"kms_key_id":null},{"region":"ap-beijing","image_name":null,"kms_key_id":null},
{"region":"ap-hongkong","image_name":null,"kms_key_id":null}],"image_name":null,"description":null,"encryption":null,
"resource_group_id":null,"tags":{},"share_with":[],"failure_policy":"best_effort","route":null,
"queue_when_quota_spent":false,"deadline_seconds":null,"stall_after_seconds":null}"#;
    assert_eq!(Json::of(&spec).unwrap().text(), known.replace("\n", ""));
}
