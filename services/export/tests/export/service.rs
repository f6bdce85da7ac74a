//! The gRPC face: previews, starts, and links.

use std::collections::HashMap;
use std::sync::Arc;

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_export_service::Service;
use sampan_proto::export::v1 as pb;
use sampan_proto::export::v1::export_service_server::ExportService as _;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_state::Json;
use tonic::{Code, Request};

use crate::world::{World, accounts, limits, succeeded};

pub fn service(world: &World) -> Service {
    let pricing = world.estimator.pricing();
    Service::new(world.engine.clone(), accounts(&world.cloud), limits(), pricing, Arc::clone(&world.clock) as _)
}

pub fn message(world: &World) -> pb::ExportSpec {
    let cloud = match world.spec.cloud {
        Cloud::Tencent => image_pb::Cloud::Tencent,
        Cloud::Alibaba => image_pb::Cloud::Alibaba,
    };
    pb::ExportSpec {
        image: Some(image_pb::ImageReference {
            cloud: cloud.into(),
            account: "prod".to_owned(),
            region: world.spec.region.to_string(),
            image_id: world.spec.image.to_string(),
        }),
        bucket: world.spec.bucket.clone(),
        prefix: world.spec.prefix.clone(),
        ..pb::ExportSpec::default()
    }
}

pub async fn preview(world: &World, spec: pb::ExportSpec) -> pb::PreviewExportResponse {
    let request = Request::new(pb::PreviewExportRequest { spec: Some(spec) });
    service(world).preview_export(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_preview_of_a_good_export_tells_calls_objects_and_times_and_changes_nothing() {
    let world = World::new(Cloud::Tencent);
    let told = preview(&world, message(&world)).await;
    assert!(told.startable && told.violations.is_empty() && told.warnings.is_empty(), "{told:?}");
    let keys: Vec<_> = told.expected_objects.iter().map(|object| object.key_pattern.as_str()).collect();
    assert_eq!(keys, ["nightly_img-72n9mi0y_system_snap-aa.raw", "nightly_img-72n9mi0y_data_snap-bb.raw"]);
    let mutating: Vec<_> = told.planned_calls.iter().filter(|call| call.mutating).collect();
    assert_eq!((mutating.len(), mutating[0].action.as_str(), mutating[0].quota_units), (1, "ExportImages", 1));
    assert_eq!((told.deadline.unwrap().seconds, told.stall_after.unwrap().seconds), (7200, 1800));
    assert_eq!(world.cloud.script().start_calls, 0);
    assert_eq!(world.units().await, (0, 0, 0));
}

#[tokio::test]
async fn a_preview_counts_no_quota_where_the_cloud_counts_no_day() {
    let world = World::new(Cloud::Alibaba);
    let told = preview(&world, message(&world)).await;
    assert!(told.planned_calls.iter().all(|call| call.quota_units == 0));
    let keys: Vec<_> = told.expected_objects.iter().map(|object| object.key_pattern.as_str()).collect();
    assert_eq!(
        keys,
        ["nightly_m-bp67acfmxazb4p0001_system.raw.tar.gz", "nightly_m-bp67acfmxazb4p0001_data_xvdb.raw.tar.gz"]
    );
}

#[tokio::test]
async fn a_preview_tells_every_broken_rule_with_limit_source_and_fix() {
    let world = World::new(Cloud::Tencent);
    {
        let mut script = world.cloud.script();
        let image = script.image.as_mut().unwrap();
        image.is_windows = true;
        image.disks[0].size_gib = 501;
        script.bucket.as_mut().unwrap().region = Some("ap-beijing".to_owned());
    }
    let told = preview(&world, message(&world)).await;
    let rules: Vec<_> = told.violations.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules, ["IMAGE_WINDOWS", "IMAGE_DISK_TOO_LARGE", "BUCKET_ELSEWHERE"]);
    assert!(!told.startable);
    for found in &told.violations {
        assert!(!found.source.is_empty() && !found.fix.is_empty() && !found.limit.is_empty(), "{found:?}");
    }
}

#[tokio::test]
async fn a_preview_with_a_broken_field_still_tells_what_stands_against_the_image_and_the_bucket() {
    let world = World::new(Cloud::Tencent);
    {
        let mut script = world.cloud.script();
        script.image.as_mut().unwrap().is_windows = true;
        script.bucket.as_mut().unwrap().region = Some("ap-beijing".to_owned());
        // The vendor's own check would carry the broken field to the cloud.
        script.checks.push_back((CallClass::Caller, Reason::CloudRefused));
    }
    let spec = pb::ExportSpec { prefix: Some("a b".to_owned()), ..message(&world) };
    let told = preview(&world, spec.clone()).await;
    let rules: Vec<_> = told.violations.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules, ["PREFIX_MALFORMED", "IMAGE_WINDOWS", "BUCKET_ELSEWHERE"]);
    assert!(!told.startable && told.image.is_some());

    let told = preview(&world, pb::ExportSpec { bucket: "no bucket".to_owned(), ..spec }).await;
    let rules: Vec<_> = told.violations.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules, ["BUCKET_NAME_MALFORMED", "PREFIX_MALFORMED", "IMAGE_WINDOWS"]);
    assert_eq!(world.cloud.script().checks.len(), 1, "the vendor's check was not asked");
}

#[tokio::test]
async fn a_busy_image_warns_in_a_preview_and_a_spent_quota_stops_who_does_not_queue() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().checks.push_back((CallClass::Busy, Reason::CloudBusy));
    let told = preview(&world, message(&world)).await;
    assert!(told.startable && told.warnings[0].rule == "CLOUD_BUSY");

    for (cloud, queues, startable) in [
        (Cloud::Tencent, false, false),
        (Cloud::Tencent, true, true),
        (Cloud::Alibaba, true, false),
        (Cloud::Alibaba, false, false),
    ] {
        let world = World::new(cloud);
        world.cloud.script().checks.push_back((CallClass::Quota, Reason::CloudQuotaSpent));
        let when = if queues { WhenQuotaSpent::Queue } else { WhenQuotaSpent::Fail };
        let spec = pb::ExportSpec { when_quota_spent: when.into(), ..message(&world) };
        let told = preview(&world, spec).await;
        assert_eq!(told.startable, startable, "{cloud}, queues: {queues}");
        let list = if startable { &told.warnings } else { &told.violations };
        assert_eq!(list[0].rule, "CLOUD_QUOTA_SPENT");
    }
}

#[tokio::test]
async fn a_start_tells_every_wrong_field_at_once_and_starts_nothing() {
    let world = World::new(Cloud::Alibaba);
    let spec = pb::ExportSpec { prefix: Some("no/slash".to_owned()), format: 77, ..message(&world) };
    let labels = HashMap::from([(String::new(), "x".to_owned())]);
    let request = pb::ExportImageRequest { request_id: "not a uuid".to_owned(), spec: Some(spec), labels };
    let refused = service(&world).export_image(Request::new(request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let details = String::from_utf8_lossy(refused.details()).into_owned();
    for field in ["spec.format", "labels", "request_id"] {
        assert!(details.contains(field), "{field} in {details}");
    }
    assert!(world.engine.list(&Default::default()).await.unwrap().operations.is_empty());
}

#[tokio::test]
async fn a_repeated_start_returns_the_first_operation_and_another_body_is_refused() {
    let world = World::new(Cloud::Tencent);
    let request = |prefix: &str| pb::ExportImageRequest {
        request_id: "0192f3a4-7b3c-7d7e-8f90-a1b2c3d4e5f6".to_owned(),
        spec: Some(pb::ExportSpec { prefix: Some(prefix.to_owned()), ..message(&world) }),
        labels: HashMap::new(),
    };
    let service = service(&world);
    let first = service.export_image(Request::new(request("a"))).await.unwrap().into_inner().operation.unwrap();
    let again = service.export_image(Request::new(request("a"))).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(first.name, again.name);
    let other = service.export_image(Request::new(request("b"))).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn links_are_made_for_what_has_been_proven_only() {
    let world = World::new(Cloud::Tencent);
    let id = world.start().await;
    let ask = |name: String, seconds: i64| {
        let valid_for = Some(prost_types::Duration { seconds, nanos: 0 });
        Request::new(pb::CreateDownloadUrlsRequest { operation_name: name, valid_for })
    };
    let service = service(&world);
    let early = service.create_download_urls(ask(id.name(), 60)).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition);
    succeeded(&world.end(id).await);
    let urls = service.create_download_urls(ask(id.name(), 60)).await.unwrap().into_inner().urls;
    assert_eq!(urls.len(), 2);
    for wrong in [ask(id.name(), 59), ask(id.name(), 7 * 24 * 3600 + 1), ask("operations/42".to_owned(), 60)] {
        assert_eq!(service.create_download_urls(wrong).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn the_text_of_a_request_stays_what_repeated_starts_are_told_by() {
    // Another order, or a new field that is written when nobody sets it, would refuse the repetition of a start by a
    // newer version.
    let spec = crate::world::spec(Cloud::Tencent);
    let known = r#"{"cloud":"tencent","account":"prod","region":"ap-guangzhou","image":"img-72n9mi0y",
"bucket":"images-1250000000","prefix":"nightly","format":"raw","only_root_disk":false,"role_name":null,
"queue_when_quota_spent":false,"deadline_seconds":null,"stall_after_seconds":null}"#;
    assert_eq!(Json::of(&spec).unwrap().text(), known.replace("\n", ""));
}
