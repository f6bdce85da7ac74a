//! A lost answer is searched for, and the call is repeated only when it surely had no effect.

use std::time::Duration;

use sampan_core::Cloud;
use sampan_state::operation::State;

use crate::cloud::Answer;
use crate::world::{World, reason_of, result, states, succeeded, warned};

fn losing(cloud: Cloud, answers: impl IntoIterator<Item = Answer>) -> World {
    let world = World::new(cloud);
    world.cloud.answer(world.cloud.copy_action(), answers);
    world
}

#[tokio::test]
async fn copies_whose_answer_was_lost_are_found_and_followed() {
    for cloud in Cloud::ALL {
        let world = losing(cloud, [Answer::Lost]);
        let ended = world.run().await;
        succeeded(&ended);
        assert!(warned(&ended, "ANSWER_LOST"));
        let calls = if cloud == Cloud::Tencent { 1 } else { 3 };
        assert_eq!((world.cloud.copies(), world.cloud.count(world.cloud.copy_action())), (3, calls), "{cloud}");
        assert_eq!(result(&ended).images.len(), 3);
    }
}

#[tokio::test]
async fn a_call_that_never_arrived_is_repeated_and_nothing_is_copied_twice() {
    for cloud in Cloud::ALL {
        let world = losing(cloud, [Answer::LostOnTheWay]);
        let ended = world.run().await;
        succeeded(&ended);
        assert_eq!(world.cloud.copies(), 3, "{cloud}");
    }
    let world = losing(Cloud::Tencent, [Answer::LostOnTheWay]);
    world.run().await;
    assert_eq!((world.cloud.count("SyncImages"), world.units().await), (2, (1, 0, 0)));
}

#[tokio::test]
async fn a_copy_that_stays_out_of_sight_for_ten_minutes_is_not_made_twice() {
    for cloud in Cloud::ALL {
        let world = losing(cloud, [Answer::Lost]);
        world.cloud.script().hidden_for = Duration::from_secs(600);
        let ended = world.run().await;
        succeeded(&ended);
        assert_eq!(world.cloud.copies(), 3, "{cloud}");
    }
}

#[tokio::test]
async fn an_image_of_that_name_that_was_there_before_is_never_taken_for_the_copy() {
    let world = losing(Cloud::Tencent, [Answer::LostOnTheWay]);
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    // Of the same name, but older than the call by the vendor's own clock.
    let theirs = world.cloud.console(&world.region(0), "web", true);
    world.cloud.script().images.get_mut(&world.region(0)).unwrap()[0].made = "2026-11-20T00:00:00Z".parse().unwrap();
    let ended = world.end(id).await;
    assert_ne!(ended.targets[0].cloud_ids.get("image"), Some(&theirs.to_string()));
    assert_eq!(world.cloud.copies(), 2, "the name is taken in that region, and the others are copied to");
}

#[tokio::test]
async fn a_call_that_is_lost_again_and_again_is_given_up_and_holds_up_no_other_destination() {
    let world = losing(Cloud::Alibaba, vec![Answer::LostOnTheWay; 4]);
    let ended = world.run().await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(states(&ended), ["failed", "succeeded", "succeeded"]);
    assert_eq!(reason_of(&ended.targets[0]), "COPY_OUTCOME_UNKNOWN");
    assert_eq!(world.cloud.count("CopyImage"), 6, "one call, three repetitions, and those for the others");
}

#[tokio::test]
async fn one_lost_call_for_all_ends_honestly_when_nothing_is_ever_seen() {
    let world = losing(Cloud::Tencent, vec![Answer::LostOnTheWay; 50]);
    let ended = world.run().await;
    assert_eq!(ended.state, State::Failed);
    assert!(ended.targets.iter().all(|target| reason_of(target) == "COPY_OUTCOME_UNKNOWN"));
    assert_eq!(world.cloud.count("SyncImages"), 4);
    // Any of them may have been taken, so the unit stays counted.
    assert_eq!(world.units().await, (1, 0, 0));
}
