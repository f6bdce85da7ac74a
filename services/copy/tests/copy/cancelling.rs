//! A cancel stops what the cloud can stop, says what may still arrive, and removes what was asked to be removed.

use sampan_core::Cloud;
use sampan_state::operation::State;

use crate::cloud::Answer;
use crate::world::{World, states, warned};

async fn cancelled(world: &World, after: i64, remove: bool) -> sampan_state::operation::Operation {
    let id = world.start().await;
    world.run_for(after).await;
    world.engine.request_cancel(id, "", remove).await.unwrap();
    world.end(id).await
}

fn words(operation: &sampan_state::operation::Operation) -> String {
    let told = operation.warnings.iter().find(|warning| warning.code == "CANCELLED");
    told.map(|warning| warning.message.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_cancel_before_the_first_call_sends_nothing_and_gives_the_unit_back() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let id = world.start().await;
        world.engine.request_cancel(id, "", false).await.unwrap();
        let ended = world.end(id).await;
        assert_eq!((ended.state, world.cloud.copies()), (State::Cancelled, 0));
        assert_eq!(world.units().await, (0, 0, 0));
    }
}

#[tokio::test]
async fn alibaba_stops_the_running_copy_and_keeps_what_is_done() {
    let world = World::new(Cloud::Alibaba);
    let ended = cancelled(&world, 700, false).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(states(&ended), ["succeeded", "cancelled", "cancelled"]);
    assert_eq!((world.cloud.copies(), world.cloud.count("CancelCopyImage")), (1, 1));
    assert!(words(&ended).contains("cn-beijing"), "{}", words(&ended));
    assert!(words(&ended).contains("stays"), "{}", words(&ended));
}

#[tokio::test]
async fn with_removal_nothing_of_it_stays() {
    let world = World::new(Cloud::Alibaba);
    let ended = cancelled(&world, 700, true).await;
    assert_eq!((ended.state, world.cloud.copies()), (State::Cancelled, 0));
    let snapshots: usize = world.cloud.script().snapshots.values().map(Vec::len).sum();
    assert_eq!(snapshots, 0);
}

#[tokio::test]
async fn tencent_cannot_cancel_says_so_and_names_what_may_arrive() {
    let world = World::new(Cloud::Tencent);
    let ended = cancelled(&world, 60, false).await;
    assert_eq!(ended.state, State::Cancelled);
    let told = words(&ended);
    assert!(told.contains("tencent cannot cancel a copy"), "{told}");
    for target in &ended.targets {
        assert!(told.contains(&target.cloud_ids["image"]), "{told}");
    }
    assert_eq!(world.cloud.count("DeleteImages"), 0);
}

#[tokio::test]
async fn tencent_waits_for_the_copies_and_removes_them_when_asked_to() {
    let world = World::new(Cloud::Tencent);
    let id = world.start().await;
    world.run_for(60).await;
    world.engine.request_cancel(id, "", true).await.unwrap();
    world.run_for(30).await;
    assert!(warned(&world.get(id).await, "CANCEL_WAITS_FOR_RESULT"));
    let ended = world.end(id).await;
    assert_eq!((ended.state, world.cloud.copies()), (State::Cancelled, 0));
    assert!(ended.finished.unwrap().duration_since(ended.created).as_secs() >= 600);
    assert_eq!((world.cloud.count("DeleteImages"), world.cloud.script().beyond_the_day), (3, 0));
}

#[tokio::test]
async fn a_cancel_that_comes_when_all_is_done_changes_nothing() {
    let mut world = World::new(Cloud::Tencent);
    world.spec.share_with = vec!["100000000002".to_owned()];
    world.peers.script().looks = 100;
    let ended = cancelled(&world, 700, false).await;
    assert_eq!(ended.state, State::Succeeded);
    assert!(warned(&ended, "CANCEL_TOO_LATE"));
}

#[tokio::test]
async fn a_cancel_finds_the_copies_of_a_lost_call() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.answer(world.cloud.copy_action(), [Answer::Lost]);
        let id = world.start().await;
        world.runner.tick().await.unwrap();
        world.engine.request_cancel(id, "", true).await.unwrap();
        let ended = world.end(id).await;
        assert_eq!((ended.state, world.cloud.copies()), (State::Cancelled, 0), "{cloud}");
    }
}

#[tokio::test]
async fn whoever_wants_all_or_nothing_gets_nothing_of_a_cancelled_copy() {
    let world = World::all_or_nothing(Cloud::Alibaba);
    let ended = cancelled(&world, 700, false).await;
    assert_eq!((ended.state, world.cloud.copies()), (State::Cancelled, 0));
}
