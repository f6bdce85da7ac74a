//! The day's units: one for a call, none for none, never a sixth.

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_share_service::spec::{Change, ShareSpec};
use sampan_state::operation::{State, TargetState};

use crate::cloud::Answer;
use crate::world::{World, numbers, own, reason, succeeded, targets_in};

const HERE: &str = "ap-guangzhou";
const ONE_DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_start_on_a_spent_day_is_refused_or_queued_as_asked() {
    let world = World::new(Cloud::Tencent);
    world.spend(HERE, 5).await;
    let spec = world.spec(Change::Add, &numbers(0..2));
    assert!(world.try_start(&spec).await.is_err());
    let queued = ShareSpec { queue_when_quota_spent: true, ..spec };
    let operation = world.try_start(&queued).await.unwrap();
    assert_eq!(operation.state, State::WaitingForQuota);
    world.run_for(60).await;
    assert!(world.cloud.calls().is_empty(), "no sixth call");
    succeeded(&world.end(operation.id).await);
    assert_eq!(world.units().await, (1, 0, 0), "of the next day");
}

#[tokio::test]
async fn an_exact_list_that_needs_a_second_unit_does_what_it_can_and_names_the_rest() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..2));
    world.spend(HERE, 4).await;
    let ended = world.run(Change::Set, &numbers(5..8)).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "QUOTA_SPENT"));
    assert_eq!(targets_in(&ended, TargetState::Failed), numbers(5..8));
    assert_eq!(own(&ended).removed, numbers(0..2));
    assert_eq!((world.calls_made(), world.units().await), (vec![(0, 2)], (5, 0, 0)));
    // The next day finishes it.
    world.advance(ONE_DAY);
    let again = world.engine.retry(ended.id).await.unwrap();
    let ended = world.end(again.id).await;
    succeeded(&ended);
    assert_eq!((own(&ended).added, world.units().await), (numbers(5..8), (1, 0, 0)));
}

#[tokio::test]
async fn an_exact_list_that_queues_waits_for_its_second_unit() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..2));
    world.spend(HERE, 4).await;
    let spec = ShareSpec { queue_when_quota_spent: true, ..world.spec(Change::Set, &numbers(5..8)) };
    let id = world.start(&spec).await;
    world.run_for(60).await;
    assert_eq!(world.calls_made(), [(0, 2)], "no sixth call");
    succeeded(&world.end(id).await);
    let calls = world.cloud.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[1].at.duration_since(calls[0].at).as_hours() >= 11, "after the reset: {calls:?}");
}

#[tokio::test]
async fn five_shares_a_day_and_region_and_no_sixth() {
    let world = World::new(Cloud::Tencent);
    for account in 0..5 {
        succeeded(&world.run(Change::Add, &numbers(account..account + 1)).await);
    }
    assert!(world.try_start(&world.spec(Change::Add, &numbers(9..10))).await.is_err());
    assert_eq!((world.cloud.calls().len(), world.units().await), (5, (5, 0, 0)));
    // What changes nothing needs a unit only while it is found out.
    world.advance(ONE_DAY);
    succeeded(&world.run(Change::Add, &numbers(0..5)).await);
    assert_eq!(world.units().await, (0, 0, 0));
}

#[tokio::test]
async fn the_clouds_own_word_that_the_day_is_spent_marks_the_lane() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::Refused(CallClass::Quota, Reason::CloudQuotaSpent));
    let ended = world.run(Change::Add, &numbers(0..2)).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "CLOUD_QUOTA_SPENT"));
    assert!(world.try_start(&world.spec(Change::Add, &numbers(0..2))).await.is_err(), "until the reset");
    let queued = ShareSpec { queue_when_quota_spent: true, ..world.spec(Change::Add, &numbers(0..2)) };
    let id = world.start(&queued).await;
    succeeded(&world.end(id).await);
}

#[tokio::test]
async fn a_full_list_is_not_taken_for_a_spent_day() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::Refused(CallClass::Quota, Reason::ShareQuotaSpent));
    let ended = world.run(Change::Add, &numbers(0..2)).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "SHARE_QUOTA_SPENT"));
    assert_eq!(world.units().await, (0, 0, 0));
    succeeded(&world.run(Change::Add, &numbers(0..2)).await);
}
