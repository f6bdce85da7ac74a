//! A cancel at every moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use sampan_cloud::CallClass;
use sampan_core::OperationId;
use sampan_ops::{CancelOutcome, Engine};
use sampan_state::OnSpent;
use sampan_state::operation::{Operation, State, TargetState};

use crate::toy::{Aside, NOON, Start, Wait, World, at};

async fn cancel(world: &World, id: OperationId) -> Operation {
    world.engine.request_cancel(id, "tester", false).await.unwrap()
}

#[tokio::test]
async fn a_cancel_before_the_first_step_spends_nothing() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    assert_eq!(cancel(&world, id).await.state, State::Cancelling);
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(world.cloud.runs.load(Ordering::SeqCst), 0);
    assert_eq!(world.units().await, (0, 0, 5));
    assert!(ended.warnings.iter().any(|warning| warning.message == "stopped at the cloud"));
}

#[tokio::test]
async fn a_cancel_in_the_waiting_list_ends_it_at_once() {
    let world = World::new();
    for _ in 0..5 {
        world.start(OnSpent::Refuse).await;
    }
    let id = world.start(OnSpent::Queue).await;
    assert_eq!(cancel(&world, id).await.state, State::Cancelled);
}

#[derive(Debug)]
struct CancelNow(Engine);

#[async_trait]
impl Aside for CancelNow {
    async fn happen(&self, operation: OperationId) {
        self.0.request_cancel(operation, "tester", false).await.unwrap();
    }
}

#[tokio::test]
async fn a_cancel_just_before_the_call_stops_the_call_and_the_unit_goes_back() {
    let world = World::new();
    *world.cloud.before_call.lock().unwrap() = Some(Arc::new(CancelNow(world.engine.clone())));
    let id = world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    let ended = world.get(id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
    assert_eq!(world.units().await, (0, 0, 5));
}

#[tokio::test]
async fn a_cancel_after_the_call_is_due_at_once_and_the_unit_stays_used() {
    let world = World::new();
    world.cloud.answer_waits([Wait::PollAfter(Duration::from_secs(3600))]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    cancel(&world, id).await;
    runner.tick().await.unwrap();
    let ended = world.get(id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(ended.targets.iter().all(|target| target.state == TargetState::Cancelled));
    assert!(world.cloud.undone.lock().unwrap().is_empty(), "a cancel removes nothing by itself");
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_cancel_while_the_outcome_of_the_call_is_unknown_keeps_the_unit_used() {
    let world = World::new();
    world.cloud.answer_starts([Start::Lost]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    cancel(&world, id).await;
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_cancel_while_a_step_runs_is_carried_out_right_after_it() {
    let world = World::new();
    world.cloud.answer_waits([Wait::CancelAside(world.engine.clone())]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    runner.tick().await.unwrap();
    let ended = world.get(id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(ended.finished, Some(world.now()), "no wait in between");
}

#[tokio::test]
async fn a_cloud_that_needs_time_to_stop_is_looked_at_until_it_has_stopped() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Poll]);
    let stops = [Ok(CancelOutcome::Poll), Err(CallClass::Transient), Ok(CancelOutcome::Poll)];
    world.cloud.cancels.lock().unwrap().extend(stops);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    cancel(&world, id).await;
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Cancelling);
    assert_eq!(world.end(&runner, id).await.state, State::Cancelled);
    assert!(world.cloud.cancels.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_lets_the_steps_go_on_to_the_result() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Poll, Wait::Poll]);
    world.cloud.cancels.lock().unwrap().push_back(Ok(CancelOutcome::TooLate));
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    cancel(&world, id).await;
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Running);
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert!(ended.warnings.iter().any(|warning| warning.code == "CANCEL_TOO_LATE"));
}

#[tokio::test]
async fn a_cancel_that_the_cloud_never_confirms_is_given_up_and_says_so() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Poll]);
    world.cloud.cancels.lock().unwrap().extend(vec![Ok(CancelOutcome::Poll); 10_000]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    cancel(&world, id).await;
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(ended.finished.unwrap().as_second() - at(NOON).as_second() >= 3600);
    assert!(ended.warnings.iter().any(|warning| warning.message.contains("may still arrive")));
}

#[tokio::test]
async fn a_cancel_that_the_cloud_refuses_ends_with_the_refusal_told() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Poll]);
    world.cloud.cancels.lock().unwrap().push_back(Err(CallClass::Permission));
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    cancel(&world, id).await;
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(ended.failure.unwrap().vendor_code.as_deref(), Some("Toy.Code"));
}

#[tokio::test]
async fn an_ended_operation_cannot_be_cancelled() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    world.end(&world.runner("r"), id).await;
    let refused = world.engine.request_cancel(id, "tester", false).await;
    assert!(matches!(refused, Err(sampan_ops::Error::Store(sampan_state::Error::Ended(_)))));
}
