//! Copies over the real wire: the few words that their tests say most.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use sampan_proto::copy::v1 as pb;
use sampan_proto::copy::v1::copy_service_client::CopyServiceClient;
use sampan_proto::image::v1::ImageReference;
use sampan_proto::operation::v1::operation::Result as Of;
use sampan_proto::operation::v1::{CopyResult, Operation, RetryOperationRequest, TargetState};
use sampan_tests_e2e::{Lane, Seen, World};
use serde_json::Value;
use tonic::transport::Channel;
use uuid::Uuid;

/// Three good destinations of a lane.
pub fn regions(lane: &Lane) -> [&'static str; 3] {
    match lane.account {
        "tencent" => ["ap-shanghai", "ap-beijing", "ap-hongkong"],
        _ => ["cn-shanghai", "cn-beijing", "cn-hongkong"],
    }
}

pub fn action(lane: &Lane) -> &'static str {
    match lane.account {
        "tencent" => "SyncImages",
        _ => "CopyImage",
    }
}

pub fn delete_action(lane: &Lane) -> &'static str {
    match lane.account {
        "tencent" => "DeleteImages",
        _ => "DeleteImage",
    }
}

pub fn copies(world: &World) -> CopyServiceClient<Channel> {
    CopyServiceClient::new(world.api().channel)
}

pub fn reference(lane: &Lane, image: &str) -> ImageReference {
    ImageReference {
        cloud: lane.wire_cloud(),
        account: lane.account.to_owned(),
        region: lane.region.to_owned(),
        image_id: image.to_owned(),
    }
}

pub fn to(regions: &[&str]) -> Vec<pb::Destination> {
    regions.iter().map(|region| pb::Destination { region: (*region).to_owned(), ..Default::default() }).collect()
}

pub fn spec(lane: &Lane, image: &str, regions: &[&str]) -> pb::CopySpec {
    pb::CopySpec { image: Some(reference(lane, image)), destinations: to(regions), ..Default::default() }
}

pub fn request(spec: pb::CopySpec) -> pb::CopyImageRequest {
    pb::CopyImageRequest { request_id: Uuid::new_v4().to_string(), spec: Some(spec), ..Default::default() }
}

pub async fn start(world: &World, spec: pb::CopySpec) -> Operation {
    let answer = copies(world).copy_image(request(spec)).await.expect("the start is accepted");
    answer.into_inner().operation.expect("an operation")
}

pub async fn run(world: &World, spec: pb::CopySpec) -> Operation {
    let started = start(world, spec).await;
    world.api().ended(&started.name).await
}

pub async fn retry(world: &World, name: &str) -> Operation {
    let request = RetryOperationRequest { name: name.to_owned() };
    world.api().operations.clone().retry_operation(request).await.expect("the retry is accepted");
    world.api().ended(name).await
}

pub fn left(operation: &Operation) -> &CopyResult {
    match &operation.result {
        Some(Of::CopyResult(result)) => result,
        other => panic!("no result of a copy: {other:?} in {operation:#?}"),
    }
}

pub fn states(operation: &Operation) -> Vec<TargetState> {
    operation.targets.iter().map(|target| target.state()).collect()
}

pub fn reasons(operation: &Operation) -> Vec<String> {
    let reason = |target: &sampan_proto::operation::v1::Target| {
        target.error.as_ref().map(|error| error.reason.clone()).unwrap_or_default()
    };
    operation.targets.iter().map(reason).collect()
}

/// Returns the images that a region of the lane's account holds under a name.
pub async fn named(world: &World, lane: &Lane, region: &str, name: &str) -> Vec<Value> {
    let all = world.clouds.get("images").await;
    let images = all.get("images").and_then(Value::as_array).expect("images");
    let is_wanted =
        |image: &&Value| image["account"] == lane.number && image["region"] == region && image["name"] == name;
    images.iter().filter(is_wanted).cloned().collect()
}

/// Returns how many calls of an action the clouds accepted.
pub fn accepted(seen: &Seen, action: &str) -> usize {
    seen.of(action).iter().filter(|line| line.is_accepted() && !line.dry_run).count()
}
