//! What an export costs: told by previews, held against the caller's limit, and told again by the real sizes.

use sampan_core::Cloud;
use sampan_export_service::Service;
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use sampan_proto::export::v1::export_service_server::ExportService as _;
use sampan_state::operation::State;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::service::{message, preview, service};
use crate::world::{World, accounts, limits, reason, succeeded, warned};

const REQUEST_ID: &str = "0192f3a4-7b3c-7d7e-8f90-a1b2c3d4e5f6";

/// The disks have 150 GiB: expected 150 dollars, at most 300.
fn limited(world: &World, amount: &str) -> pb::ExportSpec {
    let max_cost = billing_pb::CostLimit { amount: amount.to_owned(), currency: String::new() };
    pb::ExportSpec { max_cost: Some(max_cost), ..message(world) }
}

async fn start(world: &World, spec: pb::ExportSpec, request_id: &str) -> Result<String, Status> {
    let request = pb::ExportImageRequest { request_id: request_id.to_owned(), spec: Some(spec), ..Default::default() };
    let started = service(world).export_image(Request::new(request)).await?;
    Ok(started.into_inner().operation.unwrap().name)
}

async fn nothing_began(world: &World) {
    assert!(world.engine.list(&Default::default()).await.unwrap().operations.is_empty());
    assert_eq!(world.units().await, (0, 0, 0));
    assert_eq!(world.cloud.script().start_calls, 0);
}

#[tokio::test]
async fn a_preview_carries_the_estimate_by_the_disks_of_the_image_and_the_expected_use() {
    let world = World::new(Cloud::Tencent);
    let downloads = billing_pb::Downloads { public_count: 2, ..Default::default() };
    let keep_for = Some(prost_types::Duration { seconds: 86_400, nanos: 0 });
    let expected_use = Some(pb::ExpectedUse { keep_for, downloads: Some(downloads) });
    let told = preview(&world, pb::ExportSpec { expected_use, ..message(&world) }).await;
    assert_eq!(told.estimate.unwrap().total.unwrap().expected, "150.000000");
    assert!(told.startable && told.price_unavailable.is_empty());
    let asked = world.estimator.script().asked[0].clone();
    let sizes: Vec<_> = asked.disks.iter().map(|disk| disk.capacity_bytes).collect();
    assert_eq!(sizes, [50 << 30, 100 << 30]);
    assert_eq!((asked.site(), asked.region.as_str()), (billing_pb::Site::Intl, "ap-guangzhou"));
    assert_eq!((asked.keep_for, asked.downloads), (keep_for, Some(downloads)));

    let root = pb::ExportSpec { only_root_disk: true, ..message(&world) };
    assert_eq!(preview(&world, root).await.estimate.unwrap().total.unwrap().expected, "50.000000");
}

async fn estimate(world: &World, request: pb::EstimateExportRequest) -> Result<pb::EstimateExportResponse, Status> {
    Ok(service(world).estimate_export(Request::new(request)).await?.into_inner())
}

#[tokio::test]
async fn an_estimate_takes_the_disks_of_the_named_image_and_needs_no_bucket() {
    let world = World::new(Cloud::Alibaba);
    let image = message(&world).image;
    let request = pb::EstimateExportRequest { image, storage_class: "IA".to_owned(), ..Default::default() };
    let told = estimate(&world, request.clone()).await.unwrap();
    assert_eq!(told.estimate.unwrap().total.unwrap().expected, "150.000000");
    assert_eq!(told.image.unwrap().disks.len(), 2);
    assert_eq!(world.estimator.script().asked[0].storage_class, "IA");
    let root = pb::EstimateExportRequest { only_root_disk: true, ..request };
    assert_eq!(estimate(&world, root).await.unwrap().estimate.unwrap().total.unwrap().expected, "50.000000");
}

#[tokio::test]
async fn an_estimate_of_an_image_that_cannot_be_read_says_why() {
    let world = World::new(Cloud::Tencent);
    let request = pb::EstimateExportRequest { image: message(&world).image, ..Default::default() };
    world.cloud.script().image = None;
    let missing = estimate(&world, request.clone()).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert_eq!(missing.get_details_error_info().unwrap().reason, "IMAGE_NOT_FOUND");
    let wrong = pb::EstimateExportRequest { format: 77, ..Default::default() };
    let wrong = estimate(&world, wrong).await.unwrap_err();
    let fields = wrong.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["image", "format"]);

    let world = World::new(Cloud::Tencent);
    world.estimator.script().is_down = true;
    let unpriced = estimate(&world, request).await.unwrap_err();
    assert_eq!(unpriced.get_details_error_info().unwrap().reason, "PRICE_UNAVAILABLE");
}

#[tokio::test]
async fn a_preview_without_a_price_says_why_and_goes_on() {
    let world = World::new(Cloud::Tencent);
    world.estimator.script().is_down = true;
    let told = preview(&world, message(&world)).await;
    assert!(told.startable && told.estimate.is_none(), "{told:?}");
    assert!(told.price_unavailable.starts_with("price unavailable: "), "{}", told.price_unavailable);

    let nobody = world.estimator.pricing_of_nobody();
    let service = Service::new(world.engine.clone(), accounts(&world.cloud), limits(), nobody, world.clock.clone());
    let request = Request::new(pb::PreviewExportRequest { spec: Some(message(&world)) });
    let told = service.preview_export(request).await.unwrap().into_inner();
    assert!(told.price_unavailable.contains("accounts.prod.site"), "{}", told.price_unavailable);
}

#[tokio::test]
async fn a_preview_above_the_limit_is_not_startable_and_names_figure_and_limit() {
    let world = World::new(Cloud::Tencent);
    let told = preview(&world, limited(&world, "299.999999")).await;
    assert!(!told.startable);
    let broken = &told.violations[0];
    assert_eq!((broken.rule.as_str(), broken.field.as_str()), ("COST_ABOVE_LIMIT", "spec.max_cost"));
    assert_eq!((broken.limit.as_str(), broken.observed.as_str()), ("299.999999 USD", "300.000000 USD"));
    assert!(preview(&world, limited(&world, "300")).await.startable);
}

#[tokio::test]
async fn a_start_above_its_limit_is_refused_with_figure_and_limit_and_begins_nothing() {
    let world = World::new(Cloud::Tencent);
    let refused = start(&world, limited(&world, "299.99"), "").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.reason, "COST_ABOVE_LIMIT");
    let facts = ["limit", "cost", "cost_expected", "currency"].map(|key| info.metadata[key].as_str());
    assert_eq!(facts, ["299.99", "300.000000", "150.000000", "USD"]);
    assert!(refused.get_details_precondition_failure().is_some());
    nothing_began(&world).await;
}

#[tokio::test]
async fn a_start_with_a_limit_is_refused_while_its_price_is_not_known() {
    let world = World::new(Cloud::Tencent);
    world.estimator.script().is_down = true;
    let refused = start(&world, limited(&world, "1000"), "").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "PRICE_UNAVAILABLE");

    world.estimator.script().is_down = false;
    world.estimator.script().misses_a_price = true;
    let refused = start(&world, limited(&world, "1000"), "").await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "PRICE_UNAVAILABLE");
    nothing_began(&world).await;
    start(&world, message(&world), "").await.expect("without a limit, no price is needed");
}

#[tokio::test]
async fn a_limit_in_another_currency_and_a_malformed_one_are_field_errors() {
    let world = World::new(Cloud::Tencent);
    let mut spec = limited(&world, "1000");
    "CNY".clone_into(&mut spec.max_cost.as_mut().unwrap().currency);
    let refused = start(&world, spec, "").await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "CURRENCY_OF_OTHER_SITE");
    let keep_for = Some(prost_types::Duration { seconds: -1, nanos: 0 });
    let downloads = Some(billing_pb::Downloads { public_count: -1, restore_speed: 9, ..Default::default() });
    let expected_use = Some(pb::ExpectedUse { keep_for, downloads });
    let refused = start(&world, pb::ExportSpec { expected_use, ..limited(&world, "-1") }, "").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let broken = refused.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = broken.iter().map(|one| one.field.trim_start_matches("spec.")).collect();
    let of_downloads = ["expected_use.downloads.public_count", "expected_use.downloads.restore_speed"];
    assert_eq!(fields, ["max_cost.amount", of_downloads[0], of_downloads[1], "expected_use.keep_for"]);
    nothing_began(&world).await;
}

#[tokio::test]
async fn a_repeated_start_is_answered_even_when_the_price_is_not_known_any_more() {
    let world = World::new(Cloud::Tencent);
    let first = start(&world, limited(&world, "300"), REQUEST_ID).await.unwrap();
    world.estimator.script().is_down = true;
    assert_eq!(start(&world, limited(&world, "300"), REQUEST_ID).await.unwrap(), first);
    let other = start(&world, limited(&world, "301"), REQUEST_ID).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists);
    let new = start(&world, limited(&world, "300"), "0192f3a4-7b3c-7d7e-8f90-a1b2c3d4e5f7").await.unwrap_err();
    assert_eq!(new.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn an_image_that_has_grown_above_the_limit_fails_before_the_call_and_gives_its_unit_back() {
    let world = World::new(Cloud::Tencent);
    let name = start(&world, limited(&world, "300"), "").await.unwrap();
    world.cloud.script().image.as_mut().unwrap().disks[1].size_gib = 101;
    let ended = world.end(name.parse().unwrap()).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "COST_ABOVE_LIMIT"));
    assert_eq!(ended.failure.unwrap().violations[0].observed, "302.000000 USD");
    assert_eq!(world.cloud.script().start_calls, 0);
    assert_eq!(world.units().await, (0, 0, 0));
}

#[tokio::test]
async fn a_started_export_waits_some_minutes_for_an_estimator_that_went_away_then_gives_up() {
    let world = World::new(Cloud::Tencent);
    let id = start(&world, limited(&world, "300"), "").await.unwrap().parse().unwrap();
    world.estimator.script().is_down = true;
    world.run_for(120).await;
    assert!(warned(&world.get(id).await, "PRICE_UNAVAILABLE"));
    assert_eq!(world.cloud.script().start_calls, 0, "nothing is exported at an unknown price");
    world.estimator.script().is_down = false;
    succeeded(&world.end(id).await);

    let world = World::new(Cloud::Tencent);
    let id = start(&world, limited(&world, "300"), "").await.unwrap().parse().unwrap();
    world.estimator.script().is_down = true;
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "PRICE_UNAVAILABLE"));
    assert_eq!(world.cloud.script().start_calls, 0);
    assert_eq!(world.units().await, (0, 0, 0));
    assert!(world.since_noon().as_secs() >= 600, "{:?}", world.since_noon());
}

#[tokio::test]
async fn after_success_the_operation_tells_the_first_estimate_and_the_one_by_the_real_sizes() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let ended = world.run().await;
        succeeded(&ended);
        let message = sampan_chassis::convert::operation(&ended);
        let Some(sampan_proto::operation::v1::operation::Result::ExportResult(result)) = message.result else {
            panic!("no result");
        };
        assert_eq!(result.first_estimate.unwrap().total.unwrap().expected, "150.000000");
        let asked = world.estimator.script().asked.last().unwrap().clone();
        let sizes: Vec<_> = asked.disks.iter().map(|disk| u64::try_from(disk.capacity_bytes).unwrap()).collect();
        let real: Vec<_> = result.artifacts.iter().map(|artifact| artifact.size_bytes).collect();
        assert_eq!(sizes, real);
        assert_eq!(asked.overrides.unwrap().export_ratio, "1");
        assert_eq!(asked.storage_class, result.artifacts[0].storage_class);
        assert!(result.estimate.is_some());
    }
}

#[tokio::test]
async fn a_failing_estimator_never_fails_an_export() {
    let world = World::new(Cloud::Tencent);
    world.estimator.script().is_down = true;
    let ended = world.run().await;
    succeeded(&ended);
    let result = crate::world::result(&ended);
    assert_eq!((result.first_estimate, result.estimate), (None, None));
}
