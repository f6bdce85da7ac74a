//! A cancel in every phase: real where the cloud has one, honest where it has none.

use std::time::Duration;

use sampan_cloud::image::CancelAnswer;
use sampan_core::{Cloud, OperationId};
use sampan_state::operation::{Operation, State};

use crate::cloud::Start;
use crate::world::{World, succeeded, warned};

async fn cancel(world: &World, id: OperationId, remove_result: bool) -> Operation {
    world.engine.request_cancel(id, "tester", remove_result).await.unwrap();
    world.end(id).await
}

async fn started(cloud: Cloud) -> (World, OperationId) {
    let world = World::new(cloud);
    let id = world.start().await;
    world.run_for(60).await;
    (world, id)
}

fn words(operation: &Operation) -> &str {
    operation.warnings.iter().find(|warning| warning.code == "CANCELLED").map_or("", |warning| &warning.message)
}

#[tokio::test]
async fn before_the_call_nothing_is_sent_and_the_unit_goes_back() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let id = world.start().await;
        let ended = cancel(&world, id, false).await;
        assert_eq!(ended.state, State::Cancelled);
        assert_eq!(world.cloud.script().start_calls, 0);
        assert_eq!(world.units().await, (0, 0, 0));
    }
}

#[tokio::test]
async fn a_running_task_is_stopped_at_the_cloud() {
    let (world, id) = started(Cloud::Alibaba).await;
    let ended = cancel(&world, id, false).await;
    assert_eq!((ended.state, world.cloud.script().cancels), (State::Cancelled, 1));
    assert_eq!(words(&ended), "the cloud stopped export task t-1; nothing of it is in the bucket");
    assert_eq!(world.units().await, (1, 0, 0));
}

#[tokio::test]
async fn a_task_that_finished_meanwhile_is_proven_all_the_same() {
    let (world, id) = started(Cloud::Alibaba).await;
    world.advance(900);
    let ended = cancel(&world, id, false).await;
    succeeded(&ended);
    assert!(warned(&ended, "CANCEL_TOO_LATE"));
}

#[tokio::test]
async fn a_task_that_finished_meanwhile_loses_its_objects_when_that_is_wanted_and_nothing_else_goes() {
    let (world, id) = started(Cloud::Alibaba).await;
    world.advance(900);
    world.cloud.put("nightly_m-bp67acfmxazb4p0001_notes.txt");
    world.cloud.put("nightly_m-bp67acfmxazb4p0001_copy.raw.tar.gz");
    let ended = cancel(&world, id, true).await;
    assert_eq!(ended.state, State::Cancelled);
    let left: Vec<_> = world.cloud.script().objects.keys().cloned().collect();
    assert_eq!(left, ["nightly_m-bp67acfmxazb4p0001_copy.raw.tar.gz", "nightly_m-bp67acfmxazb4p0001_notes.txt"]);
    assert!(
        words(&ended).contains("left in the bucket: nightly_m-bp67acfmxazb4p0001_copy.raw.tar.gz"),
        "{}",
        words(&ended)
    );
}

#[tokio::test]
async fn a_task_that_the_cloud_does_not_stop_is_let_go() {
    let (world, id) = started(Cloud::Alibaba).await;
    world.cloud.script().cancel = CancelAnswer::Impossible;
    let ended = cancel(&world, id, false).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(words(&ended).contains("may still arrive"), "{}", words(&ended));
}

#[tokio::test]
async fn where_the_cloud_has_no_cancel_it_says_so_and_what_may_still_arrive() {
    let (world, id) = started(Cloud::Tencent).await;
    let ended = cancel(&world, id, false).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(words(&ended).contains("no way to stop this export"));
    assert!(words(&ended).contains("nightly_img-72n9mi0y_system_snap-aa.raw"));
    assert_eq!(world.cloud.script().cancels, 0);
}

#[tokio::test]
async fn a_result_that_is_not_wanted_is_waited_for_and_removed() {
    let (world, id) = started(Cloud::Tencent).await;
    world.cloud.script().late.insert(1, Some(Duration::from_secs(1800)));
    world.cloud.put("nightly_img-72n9mi0y_system_snap-other.raw");
    let ended = cancel(&world, id, true).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(warned(&ended, "CANCEL_WAITS_FOR_RESULT"));
    let left: Vec<_> = world.cloud.script().objects.keys().cloned().collect();
    assert_eq!(left, ["nightly_img-72n9mi0y_system_snap-other.raw"], "only what is surely ours goes");
}

#[tokio::test]
async fn a_finished_export_of_a_cloud_without_cancel_is_proven() {
    let (world, id) = started(Cloud::Tencent).await;
    world.advance(900);
    succeeded(&cancel(&world, id, false).await);
}

#[tokio::test]
async fn objects_that_were_there_before_are_never_removed() {
    let world = World::new(Cloud::Tencent);
    world.cloud.put("nightly_img-72n9mi0y_system_snap-aa.raw");
    world.cloud.script().late.extend([(0, None), (1, None)]);
    let id = world.start().await;
    world.run_for(60).await;
    let ended = cancel(&world, id, true).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(world.cloud.script().deleted.is_empty());
}

#[tokio::test]
async fn a_lost_task_is_found_and_stopped() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().starts.push_back(Start::Lost);
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    assert!(world.get(id).await.journal.intent.is_some());
    let ended = cancel(&world, id, false).await;
    assert_eq!((ended.state, world.cloud.script().cancels), (State::Cancelled, 1));
}

#[tokio::test]
async fn a_call_that_never_arrived_is_looked_for_before_it_counts_as_nothing() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().starts.push_back(Start::LostOnTheWay);
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, true).await;
    assert_eq!((ended.state, world.cloud.script().start_calls), (State::Cancelled, 1));
    assert!(words(&ended).contains("nothing of an export was found"), "{}", words(&ended));
    assert_eq!(world.units().await, (0, 0, 0), "surely without effect");
}

#[tokio::test]
async fn where_only_objects_tell_a_lost_call_is_let_go_with_a_word_or_waited_for() {
    let lost = |start: Start| {
        let world = World::new(Cloud::Tencent);
        world.cloud.script().starts.push_back(start);
        world
    };
    let world = lost(Start::LostOnTheWay);
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, false).await;
    assert!(words(&ended).contains("whether it runs is not known"), "{}", words(&ended));

    let world = lost(Start::Lost);
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, true).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(world.cloud.script().objects.is_empty());
    assert_eq!(world.cloud.script().deleted.len(), 2);
}
