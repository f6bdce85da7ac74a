//! A server that is killed at any moment and started again on the same files goes on by itself, and exports once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::operation::v1::{ListOperationsRequest, OperationState};
use sampan_tests_e2e::{ALIBABA, Lane, Setup, TENCENT, World, request, spec_of};

const KILLS: u32 = 12;

/// Returns the seed of this run: `SAMPAN_KILL_SEED`, or a fresh one.
fn seed() -> u64 {
    let seed = std::env::var("SAMPAN_KILL_SEED").ok().map(|text| text.parse().expect("a number"));
    let seed = seed.unwrap_or_else(rand::random);
    println!("SAMPAN_KILL_SEED={seed} repeats these moments");
    seed
}

fn setup() -> Setup {
    let export_takes = Duration::from_millis(1500);
    // A cloud that tells of no task is given an hour before a call counts as never made: here seven seconds, which
    // is still longer than any call or export of these tests.
    Setup { is_durable: true, lease_seconds: 1, poll_scale: 0.002, export_takes, ..Setup::default() }
}

/// Sends a start until it is answered, as a careful caller does: always with the same request id.
async fn start_surely(world: &mut World, start: &ExportImageRequest) -> String {
    loop {
        match world.api().send(start.clone()).await {
            Ok(operation) => return operation.name,
            Err(status) => assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}"),
        }
    }
}

async fn survives(lane: Lane) {
    let mut random = StdRng::seed_from_u64(seed());
    let mut world = World::with(setup()).await;
    let mut exports = Vec::new();
    for number in 0..5 {
        exports.push(world.clouds.add_image(&lane, &format!("image{number}")).await);
    }
    let starts: Vec<_> = exports.iter().map(|image| request(spec_of(&lane, image))).collect();
    let mut names = Vec::new();
    for kill in 0..KILLS {
        // A new export begins in every other life, so that kills meet every step.
        if kill % 2 == 0
            && let Some(start) = starts.get(names.len())
        {
            names.push(start_surely(&mut world, start).await);
        }
        let moment = Duration::from_millis(random.random_range(0..700));
        println!("kill {kill} after {moment:?}");
        // An open operation is followed in the meantime; one that is done makes no difference.
        tokio::time::sleep(moment).await;
        world.take_server().kill();
        world.start_again().await;
    }
    while let Some(start) = starts.get(names.len()) {
        names.push(start_surely(&mut world, start).await);
    }
    for (name, start) in names.iter().zip(&starts) {
        assert_eq!(*name, start_surely(&mut world, start).await, "the start was forgotten");
    }
    for (name, image) in names.iter().zip(&exports) {
        let ended = world.api().ended(name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        let accepted = world.clouds.audit().await.accepted_exports(&lane, image);
        assert_eq!(accepted, 1, "{image} of {name}: {:#?}", ended.warnings);
    }
    let list = world.api().list(ListOperationsRequest::default()).await;
    assert_eq!(list.operations.len(), exports.len());
    if lane == TENCENT {
        let quota = world.api().quota(&lane).await;
        assert_eq!((quota.used, quota.reserved, quota.remaining), (5, 0, Some(0)));
    }
}

#[tokio::test]
async fn a_server_killed_again_and_again_exports_everything_once_on_tencent() {
    survives(TENCENT).await;
}

#[tokio::test]
async fn a_server_killed_again_and_again_exports_everything_once_on_alibaba() {
    survives(ALIBABA).await;
}

#[tokio::test]
async fn a_server_killed_in_the_very_export_call_exports_once() {
    for lane in [TENCENT, ALIBABA] {
        let mut world = World::with(setup()).await;
        // The first export call is the trial run; the cloud dawdles at the second, and the server dies meanwhile.
        for delay_ms in [0, 1000] {
            let slow = serde_json::json!({
                "cloud": lane.cloud.as_str(), "action": lane.export_action, "kind": "slow", "delay_ms": delay_ms,
            });
            world.clouds.post("faults", slow).await;
        }
        let operation = world.api().start(spec_of(&lane, lane.image("ubuntu"))).await;
        while !world.clouds.faults_left().await.is_empty() {
            tokio::task::yield_now().await;
        }
        world.take_server().kill();
        world.start_again().await;
        let ended = world.api().ended(&operation.name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!(world.clouds.audit().await.accepted_exports(&lane, &lane.image("ubuntu")), 1, "{ended:#?}");
    }
}

#[tokio::test]
async fn a_server_killed_in_a_cancel_goes_on_cancelling() {
    let mut world = World::with(Setup { export_takes: Duration::from_secs(3), ..setup() }).await;
    let mut names = Vec::new();
    for lane in [TENCENT, ALIBABA] {
        let name = world.api().start(spec_of(&lane, lane.image("ubuntu"))).await.name;
        world.api().until(&name, |operation| operation.step == "await_completion").await;
        names.push((lane, name));
    }
    for (_, name) in &names {
        world.api().cancel(name, true).await;
    }
    world.take_server().kill();
    world.start_again().await;
    for (lane, name) in names {
        let ended = world.api().ended(&name).await;
        assert_eq!(ended.state(), OperationState::Cancelled, "{ended:#?}");
        assert!(world.clouds.objects(lane.bucket).await.is_empty());
    }
}
