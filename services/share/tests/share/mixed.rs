//! Good and bad accounts in one call: the list decides about each.

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_share_service::spec::Change;
use sampan_state::operation::{State, TargetState};

use crate::cloud::{Answer, Mixed};
use crate::world::{World, numbers, own, reason, succeeded, target, targets_in};

fn dislike(world: &World, account: u64, reason: Reason) -> String {
    let account = numbers(account..account + 1).remove(0);
    world.cloud.script().disliked.insert(account.clone(), reason);
    account
}

#[tokio::test]
async fn the_good_accounts_beside_a_bad_one_are_shared_with_and_the_bad_one_is_named() {
    let world = World::new(Cloud::Tencent);
    let bad = dislike(&world, 1, Reason::ShareAccountNotRoot);
    let ended = world.run(Change::Add, &numbers(0..4)).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "SHARE_ACCOUNT_NOT_ROOT"));
    assert_eq!(targets_in(&ended, TargetState::Failed), std::slice::from_ref(&bad));
    let failure = target(&ended, &bad).failure.clone().unwrap();
    assert_eq!(failure.vendor_code.as_deref(), Some("Fake.SHARE_ACCOUNT_NOT_ROOT"));
    assert_eq!((own(&ended).added.len(), world.units().await), (3, (1, 0, 0)), "one call, one unit");
}

#[tokio::test]
async fn a_cloud_that_names_the_bad_account_is_called_again_without_it() {
    let world = World::new(Cloud::Tencent);
    let bad = dislike(&world, 1, Reason::ShareAccountNotFound);
    {
        let mut script = world.cloud.script();
        (script.mixed, script.names) = (Mixed::Nothing, true);
    }
    let ended = world.run(Change::Add, &numbers(0..4)).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(targets_in(&ended, TargetState::Failed), [bad]);
    assert_eq!(world.calls_made(), [(4, 0), (3, 0)]);
    assert_eq!(world.units().await, (1, 0, 0), "a call without an effect is not counted");
}

#[tokio::test]
async fn where_calls_are_scarce_a_refusal_that_names_nobody_fails_them_all_and_says_so() {
    let world = World::new(Cloud::Tencent);
    dislike(&world, 1, Reason::ShareAccountNotFound);
    world.cloud.script().mixed = Mixed::Nothing;
    let ended = world.run(Change::Add, &numbers(0..4)).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "SHARE_ACCOUNT_NOT_FOUND"));
    let failure = ended.targets[0].failure.clone().unwrap();
    assert!(failure.message.contains("which of 4 accounts"), "{}", failure.message);
    assert_eq!((world.cloud.calls().len(), world.units().await), (1, (0, 0, 0)));
}

#[tokio::test]
async fn where_calls_are_not_scarce_each_account_by_itself_shows_who_is_meant() {
    let world = World::new(Cloud::Alibaba);
    let bad = [dislike(&world, 3, Reason::ShareAccountNotFound), dislike(&world, 11, Reason::ShareAccountOfOtherSite)];
    world.cloud.script().mixed = Mixed::Nothing;
    let ended = world.run(Change::Add, &numbers(0..12)).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(targets_in(&ended, TargetState::Failed), bad);
    assert_eq!(own(&ended).added.len(), 10);
    assert_eq!(target(&ended, &bad[1]).failure.as_ref().unwrap().reason, "SHARE_ACCOUNT_OF_OTHER_SITE");
}

#[tokio::test]
async fn a_single_bad_account_is_called_for_once() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        dislike(&world, 0, Reason::ShareAccountNotRoot);
        let ended = world.run(Change::Add, &numbers(0..1)).await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "SHARE_ACCOUNT_NOT_ROOT"));
        assert_eq!((world.cloud.calls().len(), world.units().await), (1, (0, 0, 0)), "{cloud}");
    }
}

#[tokio::test]
async fn who_was_shared_with_by_somebody_else_at_that_moment_counts_as_done() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::Overtaken(numbers(1..2).remove(0)));
    let ended = world.run(Change::Add, &numbers(0..3)).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(3, 0), (2, 0)]);
}

#[tokio::test]
async fn a_full_list_stops_what_is_added_and_not_what_is_removed() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.shared_with(&world.image, &numbers(50..53));
    world.cloud.script().answers.push_back(Answer::Refused(CallClass::Quota, Reason::ShareQuotaSpent));
    let mut wanted = numbers(0..2);
    wanted.extend(numbers(50..52));
    let ended = world.run(Change::Set, &wanted).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "SHARE_QUOTA_SPENT"));
    assert_eq!(
        targets_in(&ended, TargetState::Failed).len(),
        3,
        "the call was one, and the list tells of nothing done"
    );
    assert_eq!(own(&ended).accounts, numbers(50..53));
}

#[tokio::test]
async fn a_refusal_of_the_image_fails_the_whole_before_anything_was_changed() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::Refused(CallClass::Caller, Reason::ImageNotShareable));
    let ended = world.run(Change::Add, &numbers(0..3)).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "IMAGE_NOT_SHAREABLE"));
    assert_eq!(targets_in(&ended, TargetState::Failed).len(), 3);
    assert_eq!((world.cloud.calls().len(), world.units().await), (1, (0, 0, 0)));
}

#[tokio::test]
async fn a_refusal_after_the_first_chunk_keeps_what_was_done() {
    let world = World::new(Cloud::Alibaba);
    let fine = Answer::Drops(10);
    let no = Answer::Refused(CallClass::Permission, Reason::CloudPermissionDenied);
    world.cloud.script().answers.extend([fine, no]);
    let ended = world.run(Change::Add, &numbers(0..25)).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "CLOUD_PERMISSION_DENIED"));
    assert_eq!(targets_in(&ended, TargetState::Succeeded), numbers(0..10));
    assert_eq!(world.calls_made(), [(10, 0), (10, 0)]);
}
