//! Lost answers: the list tells what became of the call.

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_share_service::spec::Change;
use sampan_state::operation::{State, TargetState};

use crate::cloud::Answer;
use crate::world::{World, numbers, own, reason, succeeded, targets_in, warned};

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_found_in_the_list_and_not_repeated() {
    for (change, before) in [(Change::Add, 0..0), (Change::Remove, 0..9)] {
        let world = World::new(Cloud::Tencent);
        world.cloud.shared_with(&world.image, &numbers(before));
        world.cloud.script().answers.push_back(Answer::Lost);
        let ended = world.run(change, &numbers(0..3)).await;
        succeeded(&ended);
        assert_eq!((world.cloud.calls().len(), world.units().await), (1, (1, 0, 0)), "{change:?}");
        assert!(warned(&ended, "ANSWER_LOST"));
    }
}

#[tokio::test]
async fn a_call_that_never_arrived_is_repeated_for_the_same_unit() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::LostOnTheWay);
    let ended = world.run(Change::Add, &numbers(0..3)).await;
    succeeded(&ended);
    assert_eq!((world.cloud.calls().len(), world.units().await), (1, (1, 0, 0)));
}

#[tokio::test]
async fn what_a_lost_call_did_in_part_is_completed_and_counted() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::PartlyLost(2));
    let ended = world.run(Change::Add, &numbers(0..5)).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(5, 0), (3, 0)]);
    assert_eq!(world.units().await, (2, 0, 0));
    assert_eq!(own(&ended).added, numbers(0..5));
}

#[tokio::test]
async fn a_call_that_gets_lost_again_and_again_is_given_up_and_its_unit_comes_back() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.extend(std::iter::repeat_n(Answer::LostOnTheWay, 10));
    let ended = world.run(Change::Add, &numbers(0..2)).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "SHARE_NOT_EFFECTIVE"));
    assert_eq!(world.cloud.script().answers.len(), 6, "it was sent four times");
    assert_eq!(world.units().await, (0, 0, 0));
}

#[tokio::test]
async fn a_lost_chunk_in_the_middle_costs_nothing_twice() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().answers.extend([Answer::PartlyLost(10), Answer::LostOnTheWay, Answer::Lost]);
    let ended = world.run(Change::Add, &numbers(0..25)).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(10, 0), (10, 0), (5, 0)]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_after_the_call_is_asked_again() {
    for class in [CallClass::Transient, CallClass::Throttled] {
        let world = World::new(Cloud::Tencent);
        world.cloud.script().answers.push_back(Answer::Lost);
        let id = world.start(&world.spec(Change::Add, &numbers(0..2))).await;
        world.runner.tick().await.unwrap();
        world.cloud.script().lists.extend([(class, Reason::CloudUnavailable), (class, Reason::CloudUnavailable)]);
        let ended = world.end(id).await;
        succeeded(&ended);
        assert_eq!(world.cloud.calls().len(), 1, "{class:?}");
    }
}

#[tokio::test]
async fn throttling_and_business_are_waited_out_with_the_unit_held_once() {
    for class in [CallClass::Throttled, CallClass::Transient, CallClass::Busy] {
        let world = World::new(Cloud::Tencent);
        let no = || Answer::Refused(class, Reason::CloudBusy);
        world.cloud.script().answers.extend([no(), no()]);
        let ended = world.run(Change::Add, &numbers(0..2)).await;
        succeeded(&ended);
        assert_eq!(world.units().await, (1, 0, 0), "{class:?}");
        assert_eq!(world.cloud.script().effects, 1);
    }
}

#[tokio::test]
async fn an_outage_beyond_the_deadline_ends_with_what_was_done() {
    let world = World::new(Cloud::Alibaba);
    let id = world.start(&world.spec(Change::Add, &numbers(0..12))).await;
    let no = || Answer::Refused(CallClass::Transient, Reason::CloudUnavailable);
    world.cloud.script().answers.push_back(Answer::PartlyLost(10));
    world.cloud.script().answers.extend(std::iter::repeat_with(no).take(10_000));
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "SHARE_DEADLINE_PASSED"));
    assert_eq!(targets_in(&ended, TargetState::Succeeded), numbers(0..10));
}
