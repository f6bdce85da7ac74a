//! The day's units of a lane.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sampan_cloud::CallClass;
use sampan_ops::Error;
use sampan_state::OnSpent;
use sampan_state::operation::{QuotaHold, State};

use crate::toy::{NOON, RESET, Start, Wait, World, at, lane};

#[tokio::test]
async fn the_sixth_start_of_a_day_is_refused_with_the_time_of_the_reset() {
    let world = World::new();
    for _ in 0..5 {
        world.start(OnSpent::Refuse).await;
    }
    let refused = world.try_start(OnSpent::Refuse).await;
    let Err(Error::Store(sampan_state::Error::QuotaSpent(picture))) = refused else { panic!("{refused:?}") };
    assert_eq!(picture.resets_at, at(RESET));
}

#[tokio::test]
async fn a_queued_start_begins_by_itself_after_the_reset_in_the_order_of_arrival() {
    let world = World::new();
    let runner = world.runner("r");
    for _ in 0..5 {
        let id = world.start(OnSpent::Refuse).await;
        world.end(&runner, id).await;
    }
    let first = world.start(OnSpent::Queue).await;
    let second = world.start(OnSpent::Queue).await;
    let waiting = world.get(second).await;
    assert_eq!(waiting.state, State::WaitingForQuota);
    assert_eq!(waiting.quota, QuotaHold::Waiting { position: 1, earliest_start: Some(at(RESET)) });
    assert_eq!(waiting.started, None);
    world.clock.set(at("2026-11-21T15:59:59Z"));
    assert_eq!(runner.tick().await.unwrap(), 0, "nothing is due before the reset");
    world.clock.set(at(RESET));
    runner.tick().await.unwrap();
    assert_eq!(world.get(second).await.state, State::Running, "its unit is held; the clock of the cloud may be late");
    assert_eq!(world.cloud.job_count(), 5);
    world.clock.set(at("2026-11-21T16:00:02Z"));
    runner.tick().await.unwrap();
    assert_eq!(world.get(first).await.state, State::Succeeded);
    assert_eq!(world.get(second).await.state, State::Succeeded);
    assert_eq!(world.units().await, (2, 0, 3));
    assert_eq!(world.cloud.job_count(), 7);
}

#[tokio::test]
async fn a_unit_that_comes_back_starts_the_next_in_line_the_same_day() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_starts([Start::Refused(CallClass::Caller)]);
    for _ in 0..5 {
        world.start(OnSpent::Refuse).await;
    }
    let queued = world.start(OnSpent::Queue).await;
    while runner.tick().await.unwrap() > 0 {}
    assert_eq!(world.get(queued).await.state, State::Succeeded);
    assert_eq!(world.units().await, (5, 0, 0));
}

#[tokio::test]
async fn a_day_that_the_console_spent_queues_the_operation_until_the_reset_when_its_caller_chose_so() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_starts([Start::Refused(CallClass::Quota)]);
    let id = world.start(OnSpent::Queue).await;
    runner.tick().await.unwrap();
    let waiting = world.get(id).await;
    assert_eq!(waiting.state, State::WaitingForQuota);
    assert_eq!(waiting.journal.intent, None, "the call surely had no effect");
    let picture = world.engine.quota(&lane()).await.unwrap();
    assert_eq!((picture.committed, picture.spent_elsewhere, picture.remaining()), (0, 5, Some(0)));
    assert_eq!(picture.waiting.iter().map(|waiter| waiter.operation).collect::<Vec<_>>(), [id], "it has its place");
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert!(ended.finished.unwrap() >= at(RESET));
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_day_that_the_console_spent_fails_the_operation_when_its_caller_chose_so() {
    for answer in [Start::Settled(CallClass::Quota), Start::Refused(CallClass::Quota)] {
        let world = World::new();
        world.cloud.answer_starts([answer]);
        let id = world.start(OnSpent::Refuse).await;
        let ended = world.end(&world.runner("r"), id).await;
        assert_eq!(ended.state, State::Failed);
        assert_eq!(ended.failure.unwrap().reason, "CLOUD_QUOTA_SPENT");
        let picture = world.engine.quota(&lane()).await.unwrap();
        assert_eq!((picture.committed, picture.remaining()), (0, Some(0)), "the lane is known to be spent");
    }
}

#[tokio::test]
async fn no_call_begins_just_before_the_day_turns_and_the_new_day_is_charged() {
    let world = World::new();
    let runner = world.runner("r");
    world.clock.set(at("2026-11-21T15:59:16Z"));
    let id = world.start(OnSpent::Refuse).await;
    runner.tick().await.unwrap();
    let waiting = world.get(id).await;
    assert_eq!(waiting.state, State::Running);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
    world.clock.set(at("2026-11-21T16:00:02Z"));
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_call_before_the_margin_of_the_day_begins_at_once() {
    let world = World::new();
    world.clock.set(at("2026-11-21T15:59:14Z"));
    let id = world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
}

#[tokio::test]
async fn an_operation_whose_reservation_lapsed_at_midnight_takes_a_unit_of_the_new_day() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    assert_eq!(world.units().await, (0, 1, 4));
    world.clock.set(at("2026-11-21T16:30:00Z"));
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_call_that_is_repeated_on_the_next_day_is_charged_to_that_day() {
    let world = World::new();
    world.cloud.answer_starts([Start::LostOnTheWay]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    assert_eq!(world.units().await, (1, 0, 4));
    world.clock.set(at("2026-11-21T16:30:00Z"));
    assert_eq!(world.end(&runner, id).await.state, State::Succeeded);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 2);
    assert_eq!(world.units().await, (1, 0, 4), "of the new day");
}

#[tokio::test]
async fn a_lapsed_operation_on_a_spent_day_fails_or_waits_as_its_caller_chose() {
    for (on_spent, wanted) in [(OnSpent::Refuse, State::Failed), (OnSpent::Queue, State::WaitingForQuota)] {
        let world = World::new();
        let id = world.start(on_spent).await;
        world.clock.set(at("2026-11-21T16:30:00Z"));
        let rule = world.engine.rule(&lane());
        world.store.mark_spent(&lane(), &rule).await.unwrap();
        world.runner("r").tick().await.unwrap();
        let now = world.get(id).await;
        assert_eq!(now.state, wanted);
        assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
        let waits = world.engine.quota(&lane()).await.unwrap().waiting_count;
        assert_eq!(waits, u32::from(wanted == State::WaitingForQuota));
        if wanted == State::Failed {
            assert_eq!(now.failure.unwrap().reason, "QUOTA_SPENT");
        }
    }
}

#[tokio::test]
async fn waiting_for_quota_moves_the_deadline_along() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = Some(Duration::from_secs(3600));
    world.cloud.answer_starts([Start::Refused(CallClass::Quota)]);
    let id = world.start(OnSpent::Queue).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.deadline.unwrap().as_second() / 60, at(RESET).as_second() / 60 + 60);
    world.cloud.answer_waits([Wait::Poll, Wait::Poll]);
    assert_eq!(world.end(&runner, id).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_busy_cloud_costs_no_unit_and_the_place_is_kept() {
    let world = World::new();
    world.cloud.answer_starts(vec![Start::Settled(CallClass::Busy); 3]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    assert_eq!(world.units().await.2, 4, "its unit is held for it");
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.units().await, (1, 0, 4));
    assert!(ended.finished.unwrap().as_second() - at(NOON).as_second() >= 3 * 96, "busy waits take minutes");
}

#[tokio::test]
async fn an_operation_that_ends_without_its_call_gives_its_unit_back() {
    let world = World::new();
    world.cloud.answer_starts([Start::LostOnTheWay]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    assert_eq!(world.units().await, (1, 0, 4), "the outcome is not known");
    world.cloud.answer_starts([Start::Settled(CallClass::Caller)]);
    assert_eq!(world.end(&runner, id).await.state, State::Failed);
    assert_eq!(world.units().await, (0, 0, 5));
}

#[tokio::test]
async fn a_lane_of_the_other_cloud_has_no_limit() {
    let world = World::new();
    let lane = sampan_core::Lane { cloud: sampan_core::Cloud::Alibaba, ..lane() };
    let pictures = world.engine.quotas(&[lane.clone(), crate::toy::lane()]).await.unwrap();
    assert_eq!((pictures[0].lane.clone(), pictures[0].limit), (lane, None));
    assert_eq!(pictures[1].limit, Some(5));
}

#[tokio::test]
async fn a_retry_on_a_spent_day_is_refused_like_a_start_and_changes_nothing() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Fail]);
    let id = world.start(OnSpent::Refuse).await;
    let failed = world.end(&runner, id).await;
    for _ in 0..4 {
        world.start(OnSpent::Refuse).await;
    }
    let refused = world.engine.retry(id).await;
    assert!(matches!(refused, Err(Error::Store(sampan_state::Error::QuotaSpent(_)))));
    assert_eq!(world.get(id).await, failed);
}
