//! From the start to the end, through failures.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sampan_cloud::CallClass;
use sampan_core::RequestId;
use sampan_ops::Error;
use sampan_state::operation::{QuotaHold, State, TargetState};
use sampan_state::{Admitted, OnSpent};
use serde_json::json;

use crate::toy::{Start, Wait, World, start};

#[tokio::test]
async fn an_operation_runs_to_its_end_and_uses_one_unit() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    assert_eq!(world.units().await, (0, 1, 4));
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(ended.result, Some(json!("proven")));
    assert_eq!(ended.percent, Some(100));
    assert_eq!(ended.journal.step_name, "");
    assert!(ended.started.is_some() && ended.finished.is_some() && ended.last_progress.is_some());
    assert!(ended.targets.iter().all(|target| target.attempts == 1 && target.finished.is_some()));
    assert_eq!(world.cloud.job_count(), 1);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn steps_that_are_done_follow_each_other_in_one_turn_with_one_write_each() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    let ended = world.get(id).await;
    assert_eq!(ended.state, State::Succeeded);
    // Admission, announcement, and one write per step.
    assert_eq!(ended.revision, 5);
}

#[tokio::test]
async fn the_same_request_id_returns_the_first_operation_and_another_body_is_refused() {
    let world = World::new();
    let request_id: RequestId = "0190a0aa-0000-7000-8000-000000000001".parse().unwrap();
    let first = sampan_ops::StartRequest { request_id: Some(request_id), ..start(OnSpent::Refuse) };
    let Admitted::New(new) = world.engine.start(first.clone()).await.unwrap() else { panic!("is new") };
    let Admitted::Existing(again) = world.engine.start(first.clone()).await.unwrap() else { panic!("is known") };
    assert_eq!(new.id, again.id);
    let other = sampan_ops::StartRequest { request: json!({"image": "img-2"}).into(), ..first };
    let refused = world.engine.start(other).await;
    assert!(matches!(refused, Err(Error::Store(sampan_state::Error::RequestIdReused { .. }))));
    assert_eq!(world.units().await, (0, 1, 4));
}

#[tokio::test]
async fn a_kind_that_is_not_served_here_is_refused() {
    let world = World::new();
    let unknown = sampan_ops::StartRequest { kind: "copy", labels: BTreeMap::new(), ..start(OnSpent::Refuse) };
    assert!(matches!(world.engine.start(unknown).await, Err(Error::UnknownKind(kind)) if kind == "copy"));
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_the_job_adopted() {
    let world = World::new();
    world.cloud.answer_starts([Start::Lost]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    let unsettled = world.get(id).await;
    assert!(unsettled.journal.intent.is_some(), "the intent is kept");
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(ended.journal.outputs["submit"], json!("adopted"));
    assert_eq!(world.cloud.job_count(), 1);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 1);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_call_that_never_arrived_is_repeated_and_counted_once() {
    let world = World::new();
    world.cloud.answer_starts([Start::LostOnTheWay, Start::LostOnTheWay]);
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 3);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_throttled_call_is_repeated_with_its_unit_held() {
    let world = World::new();
    world.cloud.answer_starts([Start::Refused(CallClass::Throttled), Start::Refused(CallClass::Transient)]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    let waiting = world.get(id).await;
    assert_eq!((waiting.journal.step_failures, waiting.journal.intent.is_some()), (1, false));
    assert_eq!(world.units().await.2, 4, "nobody else gets the unit");
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn a_refused_call_fails_the_operation_in_the_words_of_the_cloud_and_gives_the_unit_back() {
    for class in [CallClass::Caller, CallClass::NotFound, CallClass::Permission, CallClass::Credentials] {
        for answer in [Start::Refused(class), Start::Settled(class)] {
            let world = World::new();
            world.cloud.answer_starts([answer]);
            let id = world.start(OnSpent::Refuse).await;
            let ended = world.end(&world.runner("r"), id).await;
            assert_eq!(ended.state, State::Failed);
            let failure = ended.failure.unwrap();
            assert_eq!(failure.reason, "CLOUD_REFUSED");
            assert_eq!(failure.vendor_code.as_deref(), Some("Toy.Code"));
            assert_eq!(failure.vendor_request_id.as_deref(), Some("toy-request"));
            assert!(ended.targets.iter().all(|target| target.state == TargetState::Failed));
            assert_eq!(ended.quota, QuotaHold::Released);
            assert_eq!(world.units().await, (0, 0, 5));
        }
    }
}

#[tokio::test]
async fn a_second_call_keeps_the_first_announcement_and_its_refusal_leaves_the_unit_used() {
    let world = World::new();
    world.cloud.repeats_unsettled.store(true, Ordering::SeqCst);
    world.cloud.answer_starts([Start::LostOnTheWay, Start::LostOnTheWay, Start::Refused(CallClass::Caller)]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    let first = world.get(id).await.journal.intent.unwrap();
    world.advance(Duration::from_secs(60));
    runner.tick().await.unwrap();
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 2);
    assert_eq!(world.get(id).await.journal.intent, Some(first), "an effect may be as old as the first call");
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Failed);
    assert_eq!(world.units().await, (1, 0, 4), "the first call may have had an effect");
}

#[tokio::test]
async fn a_step_that_is_done_without_an_effect_gives_its_unit_back_at_once() {
    let world = World::new();
    world.cloud.answer_starts([Start::NotNeeded]);
    world.cloud.answer_waits([Wait::Poll]);
    let id = world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    assert_eq!(world.get(id).await.journal.step_name, "wait");
    assert_eq!(world.units().await, (0, 0, 5));
}

#[tokio::test]
async fn a_failure_undoes_what_is_done_in_reverse_order() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Fail]);
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::Failed);
    assert_eq!(*world.cloud.undone.lock().unwrap(), ["submit"]);
    assert_eq!(world.units().await, (1, 0, 4), "the call was accepted");
}

#[tokio::test]
async fn an_undo_is_repeated_and_then_given_up_with_a_warning() {
    for (errors, undone, warned) in [(1, 1, false), (100, 0, true)] {
        let world = World::new();
        world.cloud.answer_waits([Wait::Fail]);
        world.cloud.undo_errors.lock().unwrap().extend(vec![CallClass::Transient; errors]);
        let id = world.start(OnSpent::Refuse).await;
        let ended = world.end(&world.runner("r"), id).await;
        assert_eq!(ended.state, State::Failed);
        assert_eq!(world.cloud.undone.lock().unwrap().len(), undone);
        assert_eq!(ended.warnings.iter().any(|warning| warning.code == "UNDO_FAILED"), warned);
    }
}

#[tokio::test]
async fn a_panic_fails_one_run_and_leaves_the_record_as_it_was() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Panic]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    let waiting = world.get(id).await;
    assert_eq!(waiting.state, State::Running);
    assert_eq!(waiting.journal.step_failures, 1);
    assert_eq!(waiting.targets.len(), 2, "what the panicking run changed is dropped");
    assert_eq!(world.end(&runner, id).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_step_that_panics_again_and_again_fails_its_operation_alone() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Panic, Wait::Panic, Wait::Panic]);
    let runner = world.runner("r");
    let bad = world.start(OnSpent::Refuse).await;
    let ended = world.end(&runner, bad).await;
    assert_eq!((ended.state, ended.failure.unwrap().reason.as_str()), (State::Failed, "INTERNAL_FAULT"));
    let good = world.start(OnSpent::Refuse).await;
    assert_eq!(world.end(&runner, good).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_failed_operation_can_be_tried_again_and_needs_a_new_unit() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Fail]);
    let runner = world.runner("r");
    let id = world.start(OnSpent::Refuse).await;
    assert!(matches!(world.engine.retry(id).await, Err(Error::NotRetryable { .. })), "it has not ended");
    world.end(&runner, id).await;
    let again = world.engine.retry(id).await.unwrap();
    assert_eq!((again.state, again.failure, again.finished), (State::Running, None, None));
    assert!(again.targets.iter().all(|target| target.state == TargetState::Pending));
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 2);
    assert_eq!(world.units().await, (2, 0, 3));
    assert!(matches!(world.engine.retry(id).await, Err(Error::NotRetryable { .. })), "nothing has failed");
}
