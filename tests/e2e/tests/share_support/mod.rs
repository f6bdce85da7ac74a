//! What the tests of shares say most.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use sampan_proto::image::v1 as image_pb;
use sampan_proto::operation::v1::{Operation, ShareResult, SharedImage, operation};
use sampan_proto::share::v1 as pb;
use sampan_proto::share::v1::share_service_client::ShareServiceClient;
use sampan_tests_e2e::{Lane, Simulator, World};
use serde_json::Value;
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

pub const ACTION: &str = "ModifyImageSharePermission";

/// Returns the clients of the world's server.
pub fn shares(world: &World) -> ShareServiceClient<Channel> {
    ShareServiceClient::new(world.api().channel)
}

pub fn receivers(lane: &Lane, range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|index| lane.receiver(index)).collect()
}

pub fn reference(lane: &Lane, image: &str) -> image_pb::ImageReference {
    image_pb::ImageReference {
        cloud: lane.wire_cloud(),
        account: lane.account.to_owned(),
        region: lane.region.to_owned(),
        image_id: image.to_owned(),
    }
}

pub fn spec(lane: &Lane, image: &str, accounts: &[String]) -> pb::ShareSpec {
    pb::ShareSpec { image: Some(reference(lane, image)), account_ids: accounts.to_vec(), ..Default::default() }
}

/// Sends a start with a fresh request id.
///
/// # Errors
/// The status of a refusal.
pub async fn send(world: &World, change: pb::ShareChange, spec: pb::ShareSpec) -> Result<Operation, Status> {
    let (request_id, spec) = (Uuid::new_v4().to_string(), Some(spec));
    let labels = Default::default();
    let mut client = shares(world);
    let operation = match change {
        pb::ShareChange::Remove => {
            let request = pb::UnshareImageRequest { request_id, spec, labels };
            client.unshare_image(request).await?.into_inner().operation
        }
        pb::ShareChange::Set => {
            let request = pb::SetImageSharesRequest { request_id, spec, labels };
            client.set_image_shares(request).await?.into_inner().operation
        }
        pb::ShareChange::Add | pb::ShareChange::Unspecified => {
            let request = pb::ShareImageRequest { request_id, spec, labels };
            client.share_image(request).await?.into_inner().operation
        }
    };
    Ok(operation.expect("an operation"))
}

/// Carries a change out to its end.
pub async fn run(world: &World, change: pb::ShareChange, spec: pb::ShareSpec) -> Operation {
    let started = send(world, change, spec).await.expect("the start is accepted");
    world.api().ended(&started.name).await
}

pub fn result(operation: &Operation) -> &ShareResult {
    match &operation.result {
        Some(operation::Result::ShareResult(result)) => result,
        other => panic!("no result of a share: {other:?} {:?}", operation.error),
    }
}

/// Returns the result of the image itself.
pub fn own(operation: &Operation) -> &SharedImage {
    &result(operation).images[0]
}

/// Returns who has an image, as the cloud knows it.
pub async fn holders(clouds: &Simulator, image: &str) -> Vec<String> {
    let all = clouds.get("shares").await;
    let of_image = |share: &&Value| share["image"] == image;
    let shares = all["shares"].as_array().expect("shares").iter().filter(of_image);
    let mut holders: Vec<String> =
        shares.map(|share| share["receiver"].as_str().expect("a receiver").to_owned()).collect();
    holders.sort();
    holders
}

/// Returns how many share calls the clouds accepted.
pub async fn accepted(world: &World) -> usize {
    world.clouds.audit().await.of(ACTION).iter().filter(|line| line.mutating && line.is_accepted()).count()
}
