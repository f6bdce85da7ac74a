//! A cancel is honest: real where the cloud has one, and told for what it is where the cloud has none.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use sampan_proto::operation::v1::{CancelOperationRequest, Operation, OperationState, TargetState};
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_e2e::{ALIBABA, Refusal, Setup, TENCENT, World, spec_of};
use tonic::Code;

const KINDS: [&str; 5] = ["throttle", "server_error", "slow", "reset", "answer_lost"];

fn lasting(export_takes: Duration) -> Setup {
    Setup { export_takes, ..Setup::default() }
}

fn told(operation: &Operation, code: &str) -> String {
    let warning = operation.warnings.iter().find(|warning| warning.code == code);
    warning.unwrap_or_else(|| panic!("no {code} in {:?}", operation.warnings)).message.clone()
}

#[tokio::test]
async fn a_cancel_on_alibaba_stops_the_task_at_the_cloud() {
    let world = World::with(lasting(Duration::from_secs(60))).await;
    let api = world.api();
    let operation = api.start(spec_of(&ALIBABA, ALIBABA.image("debian"))).await;
    api.until(&operation.name, |operation| operation.step == "await_completion").await;
    let cancelling = api.cancel(&operation.name, false).await;
    assert!(matches!(cancelling.state(), OperationState::Cancelling | OperationState::Cancelled));
    let ended = api.ended(&operation.name).await;
    assert_eq!(ended.state(), OperationState::Cancelled, "{ended:#?}");
    assert!(ended.targets.iter().all(|target| target.state() == TargetState::Cancelled));
    assert!(told(&ended, "CANCELLED").contains("the cloud stopped export task"));
    let seen = world.clouds.audit().await;
    assert_eq!(seen.of("CancelTask").iter().filter(|line| line.is_accepted()).count(), 1);
    let tasks = world.clouds.tasks().await;
    assert!(tasks.iter().all(|task| task["status"] == "cancelled"), "{tasks:?}");
    assert_eq!(world.clouds.objects(ALIBABA.bucket).await.len(), 0);
}

#[tokio::test]
async fn a_cancel_on_alibaba_survives_every_fault_of_the_cloud() {
    let world = World::with(lasting(Duration::from_secs(60))).await;
    let api = world.api();
    for kind in KINDS {
        let image = world.clouds.add_image(&ALIBABA, kind).await;
        let operation = api.start(spec_of(&ALIBABA, &image)).await;
        api.until(&operation.name, |operation| operation.step == "await_completion").await;
        world.clouds.fault(ALIBABA.cloud, "CancelTask", kind, 2).await;
        api.cancel(&operation.name, false).await;
        let ended = api.ended(&operation.name).await;
        assert_eq!(ended.state(), OperationState::Cancelled, "{kind}: {ended:#?}");
        assert!(ended.error.is_none(), "{kind}: {ended:#?}");
        let tasks = world.clouds.tasks().await;
        let task = tasks.iter().find(|task| task["image_ids"][0] == *image).expect("a task");
        assert_eq!(task["status"], "cancelled", "{kind}");
    }
}

#[tokio::test]
async fn a_cancel_on_alibaba_tells_and_removes_the_disks_that_were_done() {
    for remove in [false, true] {
        let world = World::with(lasting(Duration::from_secs(3))).await;
        let api = world.api();
        let operation = api.start(spec_of(&ALIBABA, ALIBABA.image("debian"))).await;
        // The first of three disks is in the bucket, the last one is not.
        api.until(&operation.name, |operation| operation.step == "await_completion").await;
        let objects = loop {
            let objects = world.clouds.objects(ALIBABA.bucket).await;
            if !objects.is_empty() {
                break objects;
            }
            tokio::task::yield_now().await;
        };
        assert!(objects.len() < 3);
        api.cancel(&operation.name, remove).await;
        let ended = api.ended(&operation.name).await;
        assert_eq!(ended.state(), OperationState::Cancelled, "{ended:#?}");
        let key = objects[0]["key"].as_str().expect("a key");
        let (words, left) = if remove { ("removed from the bucket", 0) } else { ("left in the bucket", objects.len()) };
        let message = told(&ended, "CANCELLED");
        assert!(message.contains(words) && message.contains(key), "{message}");
        assert!(world.clouds.objects(ALIBABA.bucket).await.len() >= left);
        if remove {
            assert_eq!(world.clouds.objects(ALIBABA.bucket).await.len(), 0);
        }
    }
}

#[tokio::test]
async fn a_cancel_on_tencent_says_that_the_export_cannot_be_stopped() {
    let world = World::with(lasting(Duration::from_secs(2))).await;
    let api = world.api();
    let operation = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    api.until(&operation.name, |operation| operation.step == "await_completion").await;
    api.cancel(&operation.name, false).await;
    let ended = api.ended(&operation.name).await;
    assert_eq!(ended.state(), OperationState::Cancelled);
    let message = told(&ended, "CANCELLED");
    assert!(message.contains("no way to stop") && message.contains("may still arrive"), "{message}");
    assert!(message.contains(TENCENT.bucket), "{message}");
    // The unit is spent: the cloud has accepted the call.
    assert_eq!(api.quota(&TENCENT).await.used, 1);
    assert!(world.clouds.audit().await.of("DeleteObject").is_empty());
}

#[tokio::test]
async fn a_cancel_on_tencent_that_removes_deletes_the_objects_when_they_arrive() {
    let world = World::with(lasting(Duration::from_millis(1500))).await;
    let api = world.api();
    for (word, disks) in [("ubuntu", 1), ("debian", 3)] {
        let operation = api.start(spec_of(&TENCENT, TENCENT.image(word))).await;
        api.until(&operation.name, |operation| operation.step == "await_completion").await;
        api.cancel(&operation.name, true).await;
        let waiting = api.until(&operation.name, |operation| !operation.warnings.is_empty()).await;
        assert_eq!(waiting.state(), OperationState::Cancelling);
        assert!(told(&waiting, "CANCEL_WAITS_FOR_RESULT").contains("no way to stop"));
        let ended = api.ended(&operation.name).await;
        assert_eq!(ended.state(), OperationState::Cancelled, "{ended:#?}");
        assert!(told(&ended, "CANCELLED").contains("removed from the bucket"));
        assert!(ended.cancellation.is_some_and(|cancellation| cancellation.remove_result));
        assert_eq!(world.clouds.objects(TENCENT.bucket).await.len(), 0, "{word}");
        let seen = world.clouds.audit().await;
        let deleted = seen.of("DeleteObject").into_iter().filter(|line| {
            line.is_accepted() && line.key.as_ref().is_some_and(|key| key.contains(&TENCENT.image(word)))
        });
        assert_eq!(deleted.count(), disks, "{word}");
    }
}

#[tokio::test]
async fn a_removal_survives_every_fault_of_the_cloud() {
    let world = World::with(lasting(Duration::from_millis(600))).await;
    let api = world.api();
    for kind in KINDS {
        let image = world.clouds.add_image(&TENCENT, kind).await;
        let operation = api.start(spec_of(&TENCENT, &image)).await;
        api.until(&operation.name, |operation| operation.step == "await_completion").await;
        world.clouds.fault(TENCENT.cloud, "DeleteObject", kind, 2).await;
        world.clouds.fault(TENCENT.cloud, "ListObjects", kind, 2).await;
        api.cancel(&operation.name, true).await;
        let ended = api.ended(&operation.name).await;
        assert_eq!(ended.state(), OperationState::Cancelled, "{kind}: {ended:#?}");
        assert_eq!(world.clouds.objects(TENCENT.bucket).await.len(), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_cancel_of_a_queued_operation_spends_nothing() {
    let world = World::start().await;
    let api = world.api();
    for number in 0..5 {
        let image = world.clouds.add_image(&TENCENT, &format!("image{number}")).await;
        let name = api.start(spec_of(&TENCENT, image)).await.name;
        api.ended(&name).await;
    }
    let mark = world.clouds.audit().await.0.last().expect("calls").seq;
    let mut spec = spec_of(&TENCENT, TENCENT.image("ubuntu"));
    spec.when_quota_spent = WhenQuotaSpent::Queue.into();
    let parked = api.start(spec).await;
    api.cancel(&parked.name, true).await;
    let ended = api.ended(&parked.name).await;
    assert_eq!(ended.state(), OperationState::Cancelled);
    assert_eq!(ended.quota.expect("a quota").units, 0);
    assert!(world.clouds.audit_after(mark).await.0.is_empty(), "a cloud was called");
    let quota = api.quota(&TENCENT).await;
    assert_eq!((quota.used, quota.reserved, quota.waiting_count), (5, 0, 0));
}

#[tokio::test]
async fn a_repeated_cancel_changes_nothing_and_an_ended_operation_refuses_one() {
    let world = World::with(lasting(Duration::from_millis(800))).await;
    let mut api = world.api();
    let operation = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    api.until(&operation.name, |operation| operation.step == "await_completion").await;
    let first = api.cancel(&operation.name, true).await;
    let second = api.cancel(&operation.name, true).await;
    assert_eq!(first.cancellation, second.cancellation);
    api.ended(&operation.name).await;
    let request = CancelOperationRequest { name: operation.name, remove_result: false };
    let refusal = Refusal::of(&api.operations.cancel_operation(request).await.expect_err("refused"));
    assert_eq!((refusal.code, refusal.reason()), (Code::FailedPrecondition, "OPERATION_FINISHED"));
    assert!(!refusal.remedy().is_empty());
}

#[tokio::test]
async fn a_cancel_at_any_moment_ends_and_leaves_no_export_unmentioned() {
    let world = World::with(lasting(Duration::from_millis(500))).await;
    let api = world.api();
    for lane in [TENCENT, ALIBABA] {
        for delay in [0, 40, 120, 300, 500] {
            let image = world.clouds.add_image(&lane, &format!("after {delay} ms")).await;
            let operation = api.start(spec_of(&lane, &image)).await;
            let waited = api.wait(&operation.name, Duration::from_millis(delay)).await;
            if waited.done {
                continue;
            }
            let request = CancelOperationRequest { name: operation.name.clone(), remove_result: true };
            if let Err(status) = api.operations.clone().cancel_operation(request).await {
                assert_eq!(Refusal::of(&status).reason(), "OPERATION_FINISHED");
            }
            let ended = api.ended(&operation.name).await;
            let accepted = world.clouds.audit().await.accepted_exports(&lane, &image);
            match ended.state() {
                OperationState::Succeeded => assert_eq!(accepted, 1),
                OperationState::Cancelled => {
                    let message = told(&ended, "CANCELLED");
                    assert!(accepted == 0 || !message.contains("nothing was sent"), "{delay}: {message}");
                    let objects = world.clouds.objects(lane.bucket).await;
                    let left = objects.iter().filter(|object| object["key"].as_str().unwrap().contains(&image)).count();
                    assert_eq!(left, 0, "{delay}: {message}");
                }
                other => panic!("{delay}: {other:?} {ended:#?}"),
            }
        }
    }
}
