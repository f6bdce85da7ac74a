//! Lost answers, refusals in passing and kills: everybody who was to have the image has it, and nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod share_support;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sampan_proto::operation::v1::OperationState;
use sampan_proto::share::v1::ShareChange::{Add, Remove, Set};
use sampan_proto::share::v1::ShareImageRequest;
use sampan_tests_e2e::{ALIBABA, Lane, Setup, TENCENT, World};
use share_support::{ACTION, accepted, holders, own, receivers, run, send, shares, spec};
use uuid::Uuid;

const BOTH: [Lane; 2] = [TENCENT, ALIBABA];
const KILLS: u32 = 10;

#[tokio::test]
async fn every_bad_answer_ends_with_the_right_list_and_no_call_too_many() {
    let world = World::start().await;
    for lane in BOTH {
        for kind in ["throttle", "server_error", "slow", "reset", "answer_lost"] {
            // The clouds begin anew, so that every kind has an audit of its own; the server counts on.
            world.clouds.post("reset", serde_json::json!({})).await;
            let image = world.clouds.add_image(&lane, "golden").await;
            world.clouds.fault(lane.cloud, ACTION, kind, 1).await;
            let ended = run(&world, Add, spec(&lane, &image, &receivers(&lane, 0..3))).await;
            assert_eq!(ended.state(), OperationState::Succeeded, "{} {kind}: {ended:#?}", lane.cloud);
            assert_eq!(holders(&world.clouds, &image).await, receivers(&lane, 0..3));
            assert_eq!(accepted(&world).await, 1, "{} {kind}: one call has an effect", lane.cloud);
            assert_eq!(own(&ended).added, receivers(&lane, 0..3));
        }
    }
    assert_eq!(world.api().quota(&TENCENT).await.used, 5, "five shares, five units, whatever went wrong");
}

#[tokio::test]
async fn answers_that_are_lost_again_and_again_cost_no_second_effect() {
    let world = World::start().await;
    let image = world.clouds.add_image(&ALIBABA, "golden").await;
    world.clouds.fault(ALIBABA.cloud, ACTION, "answer_lost", 3).await;
    let ended = run(&world, Add, spec(&ALIBABA, &image, &receivers(&ALIBABA, 0..25))).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    assert_eq!(accepted(&world).await, 3, "three chunks, each found in the list");
    assert_eq!(holders(&world.clouds, &image).await, receivers(&ALIBABA, 0..25));
}

#[tokio::test]
async fn somebody_in_the_console_is_seen_by_an_exact_list() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let stranger = receivers(&lane, 40..41).remove(0);
        let share = serde_json::json!({
            "cloud": lane.cloud.as_str(), "region": lane.region, "image": image, "receiver": stranger,
        });
        world.clouds.post("shares", share).await;
        let ended = run(&world, Set, spec(&lane, &image, &receivers(&lane, 0..2))).await;
        assert_eq!(own(&ended).removed, [stranger], "{ended:#?}");
        assert_eq!(holders(&world.clouds, &image).await, receivers(&lane, 0..2));
    }
}

/// Returns the seed of this run: `SAMPAN_KILL_SEED`, or a fresh one.
fn seed() -> u64 {
    let seed = std::env::var("SAMPAN_KILL_SEED").ok().map(|text| text.parse().expect("a number"));
    let seed = seed.unwrap_or_else(rand::random);
    println!("SAMPAN_KILL_SEED={seed} repeats these moments");
    seed
}

#[tokio::test]
async fn a_server_that_is_killed_at_any_moment_shares_with_everybody_once() {
    let mut random = StdRng::seed_from_u64(seed());
    let setup = Setup { is_durable: true, lease_seconds: 1, poll_scale: 0.02, ..Setup::default() };
    let mut world = World::with(setup).await;
    let image = world.clouds.add_image(&ALIBABA, "golden").await;
    let wanted = receivers(&ALIBABA, 0..50);
    let start = ShareImageRequest {
        request_id: Uuid::new_v4().to_string(),
        spec: Some(spec(&ALIBABA, &image, &wanted)),
        labels: Default::default(),
    };
    let mut name = String::new();
    for kill in 0..KILLS {
        world.clouds.fault(ALIBABA.cloud, ACTION, "slow", 1).await;
        // Sent again in every life: the same request is the same operation.
        if let Ok(answer) = shares(&world).share_image(start.clone()).await {
            let told = answer.into_inner().operation.expect("an operation").name;
            assert!(name.is_empty() || name == told, "a second operation");
            name = told;
        }
        let moment = Duration::from_millis(random.random_range(0..400));
        println!("kill {kill} after {moment:?}");
        tokio::time::sleep(moment).await;
        world.take_server().kill();
        world.start_again().await;
    }
    if name.is_empty() {
        let answer = shares(&world).share_image(start).await.expect("the start is accepted").into_inner();
        name = answer.operation.expect("an operation").name;
    }
    let ended = world.api().ended(&name).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    assert_eq!(holders(&world.clouds, &image).await, wanted);
    assert_eq!(accepted(&world).await, 5, "five chunks, each once");
}

#[tokio::test]
async fn a_cancel_that_removes_the_result_leaves_nobody_with_the_image() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        world.clouds.fault(lane.cloud, ACTION, "slow", 1).await;
        let started = send(&world, Add, spec(&lane, &image, &receivers(&lane, 0..3))).await.expect("a start");
        world.api().until(&started.name, |operation| !operation.targets.is_empty()).await;
        let api = world.api();
        let request =
            sampan_proto::operation::v1::CancelOperationRequest { name: started.name.clone(), remove_result: true };
        // It may have ended before: then nothing is to be cancelled.
        let is_asked = api.operations.clone().cancel_operation(request).await.is_ok();
        let ended = api.ended(&started.name).await;
        let holders = holders(&world.clouds, &image).await;
        match ended.state() {
            OperationState::Cancelled => assert!(holders.is_empty(), "{holders:?} {ended:#?}"),
            OperationState::Succeeded => assert!(!is_asked && holders.len() == 3, "{ended:#?}"),
            other => panic!("{other:?}: {ended:#?}"),
        }
        run(&world, Remove, spec(&lane, &image, &receivers(&lane, 0..3))).await;
    }
}
