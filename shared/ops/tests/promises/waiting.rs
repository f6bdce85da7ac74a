//! Waiting for the cloud: looks, progress, silence, deadlines.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use sampan_cloud::CallClass;
use sampan_state::OnSpent;
use sampan_state::operation::{State, TargetState};

use crate::toy::{NOON, Wait, World, at};

fn hours(hours: u64) -> Option<Duration> {
    Some(Duration::from_secs(hours * 3600))
}

#[tokio::test]
async fn the_next_look_is_due_after_the_schedule_or_the_wish_and_not_before() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Poll, Wait::PollAfter(Duration::from_secs(40)), Wait::Poll]);
    world.start(OnSpent::Refuse).await;
    assert_eq!(runner.tick().await.unwrap(), 1);
    world.advance(Duration::from_millis(3_900));
    assert_eq!(runner.tick().await.unwrap(), 0);
    world.advance(Duration::from_millis(2_200));
    assert_eq!(runner.tick().await.unwrap(), 1);
    world.advance(Duration::from_millis(39_900));
    assert_eq!(runner.tick().await.unwrap(), 0);
    world.advance(Duration::from_millis(200));
    assert_eq!(runner.tick().await.unwrap(), 1);
}

#[tokio::test]
async fn an_operation_that_waits_holds_no_lease_so_any_runner_goes_on() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Poll]);
    let id = world.start(OnSpent::Refuse).await;
    world.runner("first").tick().await.unwrap();
    world.advance(Duration::from_secs(10));
    world.runner("second").tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_fresh_percent_is_progress_and_the_whole_is_the_mean_of_the_targets() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Progress(40), Wait::Progress(40)]);
    let id = world.start(OnSpent::Refuse).await;
    runner.tick().await.unwrap();
    let first = world.get(id).await;
    assert_eq!(first.percent, Some(20));
    world.advance(Duration::from_secs(10));
    runner.tick().await.unwrap();
    let second = world.get(id).await;
    assert_eq!(second.last_progress, first.last_progress, "the same percent is no progress");
    assert!(second.updated > first.updated);
}

#[tokio::test]
async fn silence_sounds_the_alarm_and_progress_ends_it() {
    let world = World::new();
    *world.cloud.stall.lock().unwrap() = Some(Duration::from_secs(60));
    let runner = world.runner("r");
    world.cloud.answer_waits(vec![Wait::Poll; 40]);
    let id = world.start(OnSpent::Refuse).await;
    while world.get(id).await.stalled_since.is_none() {
        assert!(world.now() < at(NOON) + SignedDuration::from_secs(120));
        runner.tick().await.unwrap();
        world.advance(Duration::from_secs(5));
    }
    let stalled = world.get(id).await;
    assert_eq!(stalled.state, State::Running, "stalled is not failed");
    assert!(stalled.stalled_since.unwrap() > at(NOON) + SignedDuration::from_secs(60));
    assert!(stalled.warnings.iter().any(|warning| warning.code == "STALLED"));
    *world.cloud.waits.lock().unwrap() = [Wait::Progress(10), Wait::Poll].into();
    world.advance(Duration::from_secs(60));
    runner.tick().await.unwrap();
    let moving = world.get(id).await;
    assert_eq!((moving.stalled_since, moving.warnings.len()), (None, 0));
}

#[tokio::test]
async fn time_in_the_queue_of_the_vendor_is_no_silence() {
    let world = World::new();
    *world.cloud.stall.lock().unwrap() = Some(Duration::from_secs(60));
    let runner = world.runner("r");
    world.cloud.answer_waits(vec![Wait::Queued; 30]);
    let id = world.start(OnSpent::Refuse).await;
    for _ in 0..30 {
        runner.tick().await.unwrap();
        assert_eq!(world.get(id).await.stalled_since, None);
        world.advance(Duration::from_secs(20));
    }
}

#[tokio::test]
async fn at_the_deadline_there_is_one_last_look_and_then_it_fails() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = hours(2);
    world.cloud.answer_waits(vec![Wait::Poll; 10_000]);
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!((ended.state, ended.failure.unwrap().reason.as_str()), (State::Failed, "EXPORT_DEADLINE_PASSED"));
    assert_eq!(ended.deadline, Some(at("2026-11-21T06:00:00.001Z")));
    assert!(ended.finished.unwrap() < at("2026-11-21T06:00:20Z"));
}

#[tokio::test]
async fn work_that_was_done_during_a_long_outage_of_ours_is_proven_after_the_deadline() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = hours(2);
    world.cloud.answer_waits([Wait::Poll]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    world.advance(Duration::from_secs(24 * 3600));
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
}

#[tokio::test]
async fn nothing_is_sent_to_the_cloud_after_the_deadline() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = hours(2);
    world.cloud.answer_starts([crate::toy::Start::Refused(CallClass::Throttled)]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    world.advance(Duration::from_secs(3 * 3600));
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Failed);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 1);
    assert_eq!(world.units().await, (0, 0, 5));
}

#[tokio::test]
async fn a_cloud_that_is_down_is_asked_again_ever_more_rarely_until_the_deadline() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = hours(10);
    world.cloud.answer_waits(vec![Wait::Broken(CallClass::Transient); 10_000]);
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end_in_steps(&world.runner("r"), id, Duration::from_secs(60)).await;
    let failure = ended.failure.unwrap();
    assert_eq!(failure.reason, "EXPORT_DEADLINE_PASSED");
    assert!(failure.message.contains("the toy cloud says no"), "{}", failure.message);
    assert_eq!(failure.vendor_code.as_deref(), Some("Toy.Code"));
    let looks = 10_000 - world.cloud.waits.lock().unwrap().len();
    assert!((110..180).contains(&looks), "{looks} looks in ten hours");
}

#[tokio::test]
async fn without_a_deadline_patience_ends_after_a_day() {
    let world = World::new();
    world.cloud.answer_waits(vec![Wait::Broken(CallClass::Transient); 10_000]);
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end_in_steps(&world.runner("r"), id, Duration::from_secs(60)).await;
    assert_eq!(ended.failure.unwrap().reason, "CLOUD_REFUSED");
    assert!(ended.finished.unwrap() >= at(NOON) + SignedDuration::from_hours(24));
}

#[tokio::test]
async fn a_busy_cloud_is_told_as_a_warning_that_goes_away() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Busy]);
    let id = world.start(OnSpent::Refuse).await;
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.warnings[0].code, "CLOUD_BUSY");
    let ended = world.end(&runner, id).await;
    assert_eq!((ended.state, ended.warnings.len()), (State::Succeeded, 0));
}

#[tokio::test]
async fn targets_that_succeeded_before_the_deadline_stay() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = hours(1);
    world.cloud.answer_waits([Wait::OneTarget]);
    world.cloud.answer_waits(vec![Wait::Poll; 10_000]);
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    let states: Vec<_> = ended.targets.iter().map(|target| target.state).collect();
    assert_eq!(states, [TargetState::Succeeded, TargetState::Failed]);
    assert!(world.cloud.undone.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_wish_for_a_later_look_puts_the_last_one_off_beyond_the_deadline() {
    let world = World::new();
    *world.cloud.deadline.lock().unwrap() = hours(1);
    world.cloud.answer_waits([Wait::PollAfter(Duration::from_secs(2 * 3600))]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    world.advance(Duration::from_secs(3600));
    assert_eq!(runner.tick().await.unwrap(), 1);
    assert_eq!(world.get(id).await.state, State::Succeeded);
}
