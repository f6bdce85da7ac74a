//! Five image operations a day and lane on Tencent: never more, whoever asks how often, and nobody waits in vain.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use sampan_core::clock::system;
use sampan_proto::export::v1::ExportSpec;
use sampan_proto::operation::v1::{ListOperationsRequest, OperationState, QuotaStatus};
use sampan_proto::quota::v1::{ListQuotasRequest, WhenQuotaSpent};
use sampan_tests_e2e::{ALIBABA, Lane, TENCENT, World, day, request, spec_of};
use tonic::Code;

/// Longest time that a test here takes, with room.
const A_WHILE: Duration = Duration::from_secs(60);

fn queued(lane: &Lane, image: &str) -> ExportSpec {
    ExportSpec { when_quota_spent: WhenQuotaSpent::Queue.into(), ..spec_of(lane, image) }
}

async fn images(world: &World, lane: &Lane, count: usize) -> Vec<String> {
    let mut images = Vec::new();
    for number in 0..count {
        images.push(world.clouds.add_image(lane, &format!("image{number}")).await);
    }
    images
}

/// More images than the cloud allows a region are no matter of these tests.
async fn roomy() -> World {
    day::away_from_the_turn(A_WHILE).await;
    World::start().await
}

#[tokio::test]
async fn five_are_admitted_and_the_sixth_is_refused_until_the_reset() {
    let world = roomy().await;
    let api = world.api();
    for (number, image) in images(&world, &TENCENT, 5).await.into_iter().enumerate() {
        let preview = api.preview(spec_of(&TENCENT, &image)).await;
        assert!(preview.startable);
        assert_eq!(preview.quota.and_then(|quota| quota.remaining), Some(5 - u32::try_from(number).unwrap()));
        api.start(spec_of(&TENCENT, image)).await;
    }
    let preview = api.preview(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    assert!(!preview.startable && preview.violations.is_empty());

    let refusal = api.refused(request(spec_of(&TENCENT, TENCENT.image("ubuntu")))).await;
    assert_eq!((refusal.code, refusal.reason()), (Code::ResourceExhausted, "QUOTA_SPENT"));
    assert!(!refusal.remedy().is_empty());
    let quota = api.quota(&TENCENT).await;
    assert_eq!((quota.daily_limit, quota.remaining, quota.used + quota.reserved), (Some(5), Some(0), 5));
    let failure = refusal.details.quota_failure().expect("a QuotaFailure");
    assert_eq!(failure.violations.len(), 1);
    assert!(failure.violations[0].subject.contains("ap-guangzhou"), "{failure:?}");
    let delay = refusal.details.retry_info().and_then(|retry| retry.retry_delay).expect("a RetryInfo");
    let reset = quota.reset_time.expect("a reset").seconds - system().now().as_second();
    let told = i64::try_from(delay.as_secs()).unwrap();
    assert!((told - reset).abs() <= 5, "RetryInfo says {told} s, the day has {reset} s left");

    let operations = api.list(ListOperationsRequest::default()).await.operations;
    assert_eq!(operations.len(), 5, "the refused start left a record");
    for operation in operations {
        assert_eq!(api.ended(&operation.name).await.state(), OperationState::Succeeded);
    }
    assert_eq!(world.clouds.counted(&TENCENT).await, 5);
    assert_eq!(api.quota(&TENCENT).await.used, 5);
}

#[tokio::test]
async fn queued_operations_are_parked_in_line_and_make_no_call() {
    let world = roomy().await;
    let api = world.api();
    let images = images(&world, &TENCENT, 8).await;
    for image in &images[..5] {
        api.start(spec_of(&TENCENT, image)).await;
    }
    let mut waiting = Vec::new();
    for (place, image) in (1..).zip(&images[5..]) {
        let operation = api.start(queued(&TENCENT, image)).await;
        assert_eq!(operation.state(), OperationState::WaitingForQuota);
        let quota = operation.quota.expect("a quota");
        assert_eq!((quota.status(), quota.waiting_position, quota.units), (QuotaStatus::Waiting, Some(place), 0));
        let reset = api.quota(&TENCENT).await.reset_time.expect("a reset");
        assert!(quota.earliest_start_time.expect("an earliest start").seconds >= reset.seconds);
        assert!(operation.deadline_time.is_none(), "a deadline runs while it waits");
        waiting.push(operation.name);
    }
    let preview = api.preview(queued(&TENCENT, &TENCENT.image("ubuntu"))).await;
    assert!(preview.startable, "a place in the waiting list is a start");
    let quota = api.quota(&TENCENT).await;
    let line: Vec<_> = quota.waiting.iter().map(|waiting| (waiting.position, waiting.operation_name.clone())).collect();
    assert_eq!(line, (1..).zip(waiting.clone()).collect::<Vec<_>>());
    assert_eq!(quota.waiting_count, 3);

    // Who waits makes room by a cancel, and the others move up.
    let cancelled = api.cancel(&waiting[0], false).await;
    assert_eq!(api.ended(&cancelled.name).await.state(), OperationState::Cancelled);
    let quota = api.quota(&TENCENT).await;
    assert_eq!(
        quota.waiting.iter().map(|waiting| &waiting.operation_name).collect::<Vec<_>>(),
        [&waiting[1], &waiting[2]]
    );
    assert_eq!(api.get(&waiting[1]).await.state(), OperationState::WaitingForQuota);
    let seen = world.clouds.audit().await;
    for image in &images[5..] {
        assert!(!seen.0.iter().any(|line| line.image.as_ref() == Some(image) && !line.dry_run && line.mutating));
    }
}

#[tokio::test]
async fn units_spent_in_the_console_are_noticed_and_the_lane_counts_as_spent() {
    let world = roomy().await;
    let api = world.api();
    let images = images(&world, &TENCENT, 5).await;
    world.clouds.console(&TENCENT, 4).await;
    let first = api.start(spec_of(&TENCENT, &images[0])).await;
    assert_eq!(api.ended(&first.name).await.state(), OperationState::Succeeded);

    let refused = api.start(spec_of(&TENCENT, &images[1])).await;
    let refused = api.ended(&refused.name).await;
    let error = refused.error.expect("an error");
    assert_eq!((refused.state, error.reason.as_str()), (OperationState::Failed.into(), "CLOUD_QUOTA_SPENT"));
    assert_eq!(error.code, i32::from(Code::ResourceExhausted));
    assert!(!error.remedy.is_empty() && !error.vendor_code.is_empty() && !error.vendor_request_id.is_empty());

    let quota = api.quota(&TENCENT).await;
    assert_eq!((quota.remaining, quota.reserved), (Some(0), 0), "{quota:?}");
    assert!(quota.spent_elsewhere > 0, "{quota:?}");
    // Nobody runs into the cloud again today.
    let mark = world.clouds.audit().await.0.last().expect("calls").seq;
    let refusal = api.refused(request(spec_of(&TENCENT, &images[2]))).await;
    assert_eq!((refusal.code, refusal.reason()), (Code::ResourceExhausted, "QUOTA_SPENT"));
    let parked = api.start(queued(&TENCENT, &images[3])).await;
    assert_eq!(parked.state(), OperationState::WaitingForQuota);
    assert!(world.clouds.audit_after(mark).await.mutating().is_empty());
    // Other lanes have their own day.
    let elsewhere = Lane { region: "ap-shanghai", bucket: "sampan-shanghai-1250000000", ..TENCENT };
    let operation = api.start(spec_of(&elsewhere, "img-shangha1")).await;
    assert_eq!(api.ended(&operation.name).await.state(), OperationState::Succeeded);
}

#[tokio::test]
async fn an_operation_that_may_wait_is_parked_when_the_console_has_spent_the_day() {
    let world = roomy().await;
    let api = world.api();
    world.clouds.console(&TENCENT, 5).await;
    let operation = api.start(queued(&TENCENT, &TENCENT.image("ubuntu"))).await;
    let parked = api.until(&operation.name, |operation| operation.state() == OperationState::WaitingForQuota).await;
    assert_eq!(parked.quota.expect("a quota").waiting_position, Some(1));
    assert_eq!(world.clouds.audit().await.accepted_exports(&TENCENT, &TENCENT.image("ubuntu")), 0);
}

#[tokio::test]
async fn of_64_concurrent_starts_exactly_five_are_admitted() {
    let world = roomy().await;
    let api = world.api();
    let images = images(&world, &TENCENT, 8).await;
    let starts = (0..64).map(|number| {
        let api = api.clone();
        let start = request(spec_of(&TENCENT, &images[number % images.len()]));
        async move { api.send(start).await }
    });
    let (admitted, refused): (Vec<_>, Vec<_>) = join_all(starts).await.into_iter().partition(Result::is_ok);
    assert_eq!((admitted.len(), refused.len()), (5, 59));
    assert!(
        refused.iter().all(|refused| refused.as_ref().is_err_and(|status| status.code() == Code::ResourceExhausted))
    );
    assert_eq!(api.quota(&TENCENT).await.remaining, Some(0));
    for operation in admitted {
        api.ended(&operation.expect("admitted").name).await;
    }
    let accepted = world.clouds.audit().await.0.iter().filter(|line| line.is_export() && line.is_accepted()).count();
    assert!(accepted <= 5, "{accepted} exports");
}

#[tokio::test]
async fn one_hundred_starts_with_one_request_id_are_one_operation() {
    let world = roomy().await;
    let api = world.api();
    for lane in [TENCENT, ALIBABA] {
        let start = request(spec_of(&lane, lane.image("ubuntu")));
        let starts = (0..100).map(|_| {
            let (api, start) = (api.clone(), start.clone());
            async move { api.send(start).await.expect("accepted").name }
        });
        let names: BTreeSet<_> = join_all(starts).await.into_iter().collect();
        assert_eq!(names.len(), 1);
        let operation = api.ended(names.first().expect("a name")).await;
        assert_eq!((operation.state(), operation.request_id), (OperationState::Succeeded, start.request_id));
        assert_eq!(world.clouds.audit().await.accepted_exports(&lane, &lane.image("ubuntu")), 1);
    }
    assert_eq!(api.quota(&TENCENT).await.used, 1);
}

#[tokio::test]
async fn alibaba_counts_no_day_and_what_its_task_list_cannot_take_waits_for_room() {
    let world = roomy().await;
    let api = world.api();
    let images = images(&world, &ALIBABA, 8).await;
    let mut names = Vec::new();
    for image in &images {
        names.push(api.start(spec_of(&ALIBABA, image)).await.name);
    }
    for name in names {
        let ended = api.ended(&name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    }
    let seen = world.clouds.audit().await;
    assert!(images.iter().all(|image| seen.accepted_exports(&ALIBABA, image) == 1));
    let quota = api.quota(&ALIBABA).await;
    assert_eq!((quota.daily_limit, quota.remaining, quota.spent_elsewhere), (None, None, 0));
}

#[tokio::test]
async fn a_configured_account_of_the_same_cloud_has_its_own_day() {
    let world = roomy().await;
    let api = world.api();
    for image in images(&world, &TENCENT, 5).await {
        api.start(spec_of(&TENCENT, image)).await;
    }
    let second = Lane { account: "tencent-2", number: "100000000002", bucket: "sampan-other-1250000001", ..TENCENT };
    let operation = api.start(spec_of(&second, second.image("second"))).await;
    assert_eq!(api.ended(&operation.name).await.state(), OperationState::Succeeded);
    assert_eq!(api.quota(&second).await.remaining, Some(4));

    let list = |page_size, page_token| ListQuotasRequest { page_size, page_token, ..Default::default() };
    let first = api.quotas.clone().list_quotas(list(1, String::new())).await.unwrap().into_inner();
    assert_eq!((first.quotas.len(), first.quotas[0].account.as_str()), (1, "tencent"));
    let next = api.quotas.clone().list_quotas(list(1, first.next_page_token)).await.unwrap().into_inner();
    assert_eq!((next.quotas.len(), next.quotas[0].account.as_str()), (1, "tencent-2"));
    assert_eq!(next.next_page_token, "");
}
