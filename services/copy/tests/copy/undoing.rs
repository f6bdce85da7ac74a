//! All or nothing: one failure removes everything, and what cannot be removed is named.

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_state::operation::State;

use crate::cloud::Answer;
use crate::world::{World, reason, reason_of, states, succeeded, warned};

fn failing(cloud: Cloud) -> World {
    let world = World::all_or_nothing(cloud);
    world.cloud.script().fails_in.insert(world.region(1));
    world
}

#[tokio::test]
async fn when_all_are_good_all_stay() {
    for cloud in Cloud::ALL {
        let world = World::all_or_nothing(cloud);
        succeeded(&world.run().await);
        assert_eq!(world.cloud.copies(), 3);
    }
}

#[tokio::test]
async fn when_one_fails_nothing_stays_neither_images_nor_snapshots() {
    for cloud in Cloud::ALL {
        let world = failing(cloud);
        let ended = world.run().await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "COPY_FAILED_AT_CLOUD"));
        assert_eq!(reason_of(&ended.targets[0]), "COPY_REMOVED");
        assert_eq!(reason_of(&ended.targets[1]), "COPY_FAILED_AT_CLOUD");
        assert_eq!(world.cloud.copies(), 0, "{cloud}");
        let snapshots: usize = world.cloud.script().snapshots.values().map(Vec::len).sum();
        assert_eq!(snapshots, 0, "{cloud}");
        assert!(!warned(&ended, "LEFTOVERS"));
    }
}

#[tokio::test]
async fn on_alibaba_what_was_not_begun_is_never_begun() {
    let world = failing(Cloud::Alibaba);
    world.run().await;
    assert_eq!(world.cloud.count("CopyImage"), 2);
}

#[tokio::test]
async fn a_removal_counts_in_the_day_of_its_region_and_no_sixth_call_is_made() {
    let world = failing(Cloud::Tencent);
    let ended = world.run().await;
    for index in [0, 2] {
        assert_eq!(world.units_in(&world.region(index)).await, (1, 0, 0));
    }
    assert_eq!(ended.state, State::Failed);

    let world = failing(Cloud::Tencent);
    let lane = world.spec.lane_of(&world.region(0));
    let rule = world.engine.rule(&lane);
    for key in ["1", "2", "3", "4", "5"] {
        world.store.spend_units(&lane, &rule, key, 1).await.unwrap();
    }
    let ended = world.run().await;
    assert_eq!(world.cloud.copies_in(&world.region(0)).len(), 1, "it is left");
    assert_eq!(world.cloud.copies(), 1);
    let id = world.cloud.copies_in(&world.region(0))[0].id.to_string();
    let failure = ended.failure.clone().unwrap().message;
    assert!(failure.contains(&id) && failure.contains("ap-shanghai"), "{failure}");
    assert!(ended.targets[0].failure.as_ref().unwrap().message.contains(&id));
    assert!(warned(&ended, "LEFTOVERS"));
    let calls = world.cloud.script().calls.clone();
    assert!(!calls.contains(&("DeleteImages", world.region(0))), "no call is made beyond the day");
    assert_eq!(world.cloud.script().beyond_the_day, 0);
}

#[tokio::test]
async fn a_removal_that_passes_is_tried_again_and_one_that_is_refused_is_named() {
    for cloud in Cloud::ALL {
        let world = failing(cloud);
        let action = world.cloud.delete_action();
        let busy = || Answer::Refused(CallClass::Busy, Reason::CloudBusy);
        world.cloud.answer(action, [busy(), busy(), Answer::Lost]);
        let ended = world.run().await;
        assert_eq!((ended.state, world.cloud.copies()), (State::Failed, 0), "{cloud}");
        assert_eq!(world.cloud.script().beyond_the_day, 0);

        let world = failing(cloud);
        world.cloud.answer(action, [Answer::Refused(CallClass::Caller, Reason::ImageInUse)]);
        let ended = world.run().await;
        assert_eq!(world.cloud.copies(), 1, "{cloud}");
        assert!(ended.failure.as_ref().unwrap().message.contains("could not be removed"), "{:?}", ended.failure);
    }
}

#[tokio::test]
async fn copies_are_held_back_until_all_are_there() {
    let world = World::all_or_nothing(Cloud::Alibaba);
    let id = world.start().await;
    world.run_for(700).await;
    let now = world.get(id).await;
    assert_eq!((states(&now), now.targets[0].percent), (vec!["running", "running", "pending"], Some(100)));
    succeeded(&world.end(id).await);
}

#[tokio::test]
async fn a_deadline_that_passes_removes_everything() {
    let mut world = World::all_or_nothing(Cloud::Alibaba);
    world.spec.deadline_seconds = Some(1500);
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "COPY_DEADLINE_PASSED"));
    assert_eq!(world.cloud.copies(), 0);
}
