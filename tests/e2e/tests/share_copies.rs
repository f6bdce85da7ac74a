//! A share follows the image to the copies that were made before, each in its own region.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod share_support;

use sampan_proto::copy::v1 as copy_pb;
use sampan_proto::copy::v1::copy_service_client::CopyServiceClient;
use sampan_proto::operation::v1::{Operation, OperationState, RetryOperationRequest, TargetState, operation};
use sampan_proto::share::v1::ShareChange::{Add, Remove};
use sampan_proto::share::v1::ShareSpec;
use sampan_tests_e2e::{ALIBABA, Lane, TENCENT, World};
use share_support::{ACTION, holders, receivers, reference, result, run, spec};

/// The regions that the tests copy to.
fn elsewhere(lane: &Lane) -> [&'static str; 2] {
    if *lane == TENCENT { ["ap-shanghai", "ap-beijing"] } else { ["cn-shanghai", "cn-beijing"] }
}

/// Copies the image and returns the copies in the order of the regions.
async fn copied(world: &World, lane: &Lane, image: &str) -> Vec<String> {
    let destination = |region: &str| copy_pb::Destination { region: region.to_owned(), ..Default::default() };
    let copy = copy_pb::CopySpec {
        image: Some(reference(lane, image)),
        destinations: elsewhere(lane).map(destination).to_vec(),
        ..Default::default()
    };
    let request = copy_pb::CopyImageRequest { spec: Some(copy), ..Default::default() };
    let mut client = CopyServiceClient::new(world.api().channel);
    let started = client.copy_image(request).await.expect("the copy starts").into_inner().operation.expect("one");
    let ended = world.api().ended(&started.name).await;
    let Some(operation::Result::CopyResult(result)) = &ended.result else { panic!("no copies: {ended:#?}") };
    result.images.iter().map(|copied| copied.reference.clone().expect("an image").image_id).collect()
}

fn everywhere(lane: &Lane, image: &str, accounts: &[String]) -> ShareSpec {
    ShareSpec { include_copies: true, ..spec(lane, image, accounts) }
}

async fn retried(world: &World, operation: &Operation) -> Operation {
    let request = RetryOperationRequest { name: operation.name.clone() };
    world.api().operations.clone().retry_operation(request).await.expect("the retry starts");
    world.api().ended(&operation.name).await
}

#[tokio::test]
async fn who_is_shared_with_gets_every_copy_and_loses_every_copy() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let image = world.clouds.add_image(&lane, "golden").await;
        let copies = copied(&world, &lane, &image).await;
        let wanted = receivers(&lane, 0..2);
        let ended = run(&world, Add, everywhere(&lane, &image, &wanted)).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!((result(&ended).images.len(), ended.targets.len()), (3, 6));
        for one in copies.iter().chain([&image]) {
            assert_eq!(holders(&world.clouds, one).await, wanted, "{} {one}", lane.cloud);
        }
        let ended = run(&world, Remove, everywhere(&lane, &image, &wanted)).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        for one in copies.iter().chain([&image]) {
            assert!(holders(&world.clouds, one).await.is_empty(), "{} {one}", lane.cloud);
        }
    }
    let per_region = |region: &str, seen: &[&sampan_tests_e2e::AuditLine]| {
        seen.iter().filter(|line| line.mutating && line.region == region).count()
    };
    let seen = world.clouds.audit().await;
    for region in ["ap-guangzhou", "ap-shanghai", "ap-beijing", "cn-hangzhou", "cn-shanghai", "cn-beijing"] {
        assert_eq!(per_region(region, &seen.of(ACTION)), 2, "{region}");
    }
}

#[tokio::test]
async fn a_region_whose_day_is_spent_fails_alone_and_no_sixth_call_reaches_it() {
    let world = World::start().await;
    let image = world.clouds.add_image(&TENCENT, "golden").await;
    let copies = copied(&world, &TENCENT, &image).await;
    let shanghai = Lane { region: "ap-shanghai", ..TENCENT };
    world.clouds.console(&shanghai, 5).await;
    let ended = run(&world, Add, everywhere(&TENCENT, &image, &receivers(&TENCENT, 0..2))).await;
    assert_eq!(ended.state(), OperationState::PartiallySucceeded, "{ended:#?}");
    let failed: Vec<_> = ended.targets.iter().filter(|target| target.state() == TargetState::Failed).collect();
    assert!(failed.len() == 2 && failed.iter().all(|target| target.id.ends_with("@ap-shanghai")), "{failed:#?}");
    assert!(holders(&world.clouds, &copies[0]).await.is_empty());
    assert_eq!(holders(&world.clouds, &copies[1]).await, receivers(&TENCENT, 0..2));
    // The cloud's word has marked the lane: a retry asks it no more today.
    let before = world.clouds.audit().await.of(ACTION).len();
    let ended = retried(&world, &ended).await;
    assert_eq!(ended.state(), OperationState::PartiallySucceeded);
    assert_eq!(world.clouds.audit().await.of(ACTION).len(), before);
}
