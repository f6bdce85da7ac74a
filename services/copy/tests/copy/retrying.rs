//! A retry is for the failed destinations alone, and clears up behind the attempt before.

use sampan_core::Cloud;
use sampan_state::operation::State;

use crate::cloud::Answer;
use crate::world::{World, reason_of, result, states, succeeded, warned};
use sampan_cloud::CallClass;
use sampan_core::Reason;

#[tokio::test]
async fn a_retry_copies_to_the_failed_region_alone_and_removes_what_failed_there() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.script().fails_in.insert(world.region(1));
        let first = world.run().await;
        assert_eq!(first.state, State::PartiallySucceeded);
        let failed = first.targets[1].cloud_ids["image"].clone();
        let calls = world.cloud.count(world.cloud.copy_action());
        let ended = world.retry(first.id).await;
        succeeded(&ended);
        assert_eq!(world.cloud.count(world.cloud.copy_action()), calls + 1);
        assert_eq!((world.cloud.copies(), result(&ended).images.len()), (3, 3));
        assert_ne!(ended.targets[1].cloud_ids["image"], failed);
        assert_eq!(ended.targets[0].cloud_ids, first.targets[0].cloud_ids, "a good copy is not touched");
        assert_eq!((ended.targets[0].attempts, ended.targets[1].attempts), (1, 2));
        assert!(result(&ended).leftovers.is_empty());
    }
}

#[tokio::test]
async fn a_copy_that_arrived_after_the_deadline_is_taken_over_and_not_made_again() {
    let mut world = World::new(Cloud::Tencent);
    world.spec.deadline_seconds = Some(300);
    let first = world.run().await;
    assert_eq!(first.state, State::Failed);
    world.advance(600);
    let ended = world.retry(first.id).await;
    succeeded(&ended);
    assert!(warned(&ended, "TAKEN_OVER"));
    assert_eq!((world.cloud.count("SyncImages"), world.cloud.copies()), (1, 3));
    assert_eq!(world.units().await, (1, 0, 0), "no call, no unit");
}

#[tokio::test]
async fn a_leftover_that_cannot_be_removed_is_named_and_loses_nothing_of_the_rest() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().fails_in.insert(world.region(1));
    let first = world.run().await;
    let lane = world.spec.lane_of(&world.region(1));
    for key in ["1", "2", "3", "4", "5"] {
        world.store.spend_units(&lane, &world.engine.rule(&lane), key, 1).await.unwrap();
    }
    let ended = world.retry(first.id).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(states(&ended), ["succeeded", "failed", "succeeded"]);
    let failed = &first.targets[1].cloud_ids["image"];
    assert!(ended.targets[1].failure.as_ref().unwrap().message.contains(failed));
    assert_eq!(reason_of(&ended.targets[1]), "IMAGE_NAME_TAKEN");
    let leftovers = result(&ended).leftovers;
    assert!(leftovers.iter().any(|left| left.id == *failed), "{leftovers:?}");
    assert_eq!(world.cloud.script().beyond_the_day, 0);
}

#[tokio::test]
async fn a_refused_retry_keeps_the_good_copies_and_their_result() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.answer("CopyImage", [Answer::Refused(CallClass::Caller, Reason::CloudRefused)]);
    let first = world.run().await;
    assert_eq!(states(&first), ["failed", "succeeded", "succeeded"]);
    world.cloud.console(&world.region(0), "web", true);
    let ended = world.retry(first.id).await;
    assert_eq!((ended.state, result(&ended).images.len()), (State::PartiallySucceeded, 2));
    assert_eq!(reason_of(&ended.targets[0]), "IMAGE_NAME_TAKEN");
}

#[tokio::test]
async fn a_retry_of_all_or_nothing_begins_anew() {
    for cloud in Cloud::ALL {
        let world = World::all_or_nothing(cloud);
        world.cloud.script().fails_in.insert(world.region(1));
        let first = world.run().await;
        assert_eq!((first.state, world.cloud.copies()), (State::Failed, 0));
        let ended = world.retry(first.id).await;
        succeeded(&ended);
        assert_eq!(world.cloud.copies(), 3);
    }
}

#[tokio::test]
async fn what_all_or_nothing_could_not_remove_is_taken_over_by_the_retry() {
    let world = World::all_or_nothing(Cloud::Tencent);
    world.cloud.script().fails_in.insert(world.region(1));
    world.cloud.answer("DeleteImages", [Answer::Refused(CallClass::Caller, Reason::ImageInUse)]);
    let first = world.run().await;
    assert_eq!((first.state, world.cloud.copies()), (State::Failed, 1));
    let ended = world.retry(first.id).await;
    succeeded(&ended);
    assert_eq!(world.cloud.copies(), 3);
}
