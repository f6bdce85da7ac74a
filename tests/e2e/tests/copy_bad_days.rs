//! Copies on bad days: lost answers, throttling, failing regions, full destinations, cancels, a spent day.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod copy_support;

use std::time::Duration;

use copy_support::{
    accepted, action, delete_action, left, named, reasons, regions, request, retry, run, spec, start, states,
};
use sampan_proto::copy::v1 as pb;
use sampan_proto::operation::v1::{Operation, OperationState, TargetState};
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_e2e::{ALIBABA, Lane, Setup, TENCENT, World, day};

const BOTH: [Lane; 2] = [TENCENT, ALIBABA];

/// Returns how many copies of the name lie in the destinations.
async fn there(world: &World, lane: &Lane, name: &str) -> usize {
    let mut count = 0;
    for region in regions(lane) {
        count += named(world, lane, region, name).await.len();
    }
    count
}

/// Returns how many snapshots the clouds hold.
async fn snapshots(world: &World) -> usize {
    world.clouds.get("snapshots").await["snapshots"].as_array().expect("snapshots").len()
}

#[tokio::test]
async fn faults_of_the_copy_call_copy_nothing_twice() {
    let world = World::start().await;
    for lane in BOTH {
        for kind in ["throttle", "server_error", "slow", "answer_lost"] {
            let image = world.clouds.add_image(&lane, kind).await;
            world.clouds.fault(lane.cloud, action(&lane), kind, 1).await;
            let ended = run(&world, spec(&lane, &image, &regions(&lane)[..1])).await;
            assert_eq!(ended.state(), OperationState::Succeeded, "{kind}: {ended:#?}");
            assert_eq!(there(&world, &lane, kind).await, 1, "{kind}");
        }
    }
}

#[tokio::test]
async fn throttling_during_a_fan_out_of_twenty_regions_costs_time_alone() {
    let world = World::start().await;
    let image = world.clouds.add_image(&ALIBABA, "golden").await;
    let all = [
        "cn-qingdao",
        "cn-beijing",
        "cn-zhangjiakou",
        "cn-huhehaote",
        "cn-wulanchabu",
        "cn-shanghai",
        "cn-shenzhen",
        "cn-heyuan",
        "cn-guangzhou",
        "cn-chengdu",
        "cn-hongkong",
        "ap-southeast-1",
        "ap-southeast-3",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ap-northeast-1",
        "us-west-1",
        "us-east-1",
        "eu-central-1",
    ];
    let started = start(&world, spec(&ALIBABA, &image, &all)).await;
    for action in ["CopyImage", "DescribeImages"] {
        world.clouds.fault(ALIBABA.cloud, action, "throttle", 12).await;
    }
    let ended = world.api().ended(&started.name).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    assert_eq!(left(&ended).images.len(), 20);
    assert_eq!(accepted(&world.clouds.audit().await, "CopyImage"), 20);
}

#[tokio::test]
async fn one_region_fails_the_others_stay_and_a_retry_copies_to_that_one_alone() {
    for lane in BOTH {
        let world = World::start().await;
        let image = world.clouds.add_image(&lane, "golden").await;
        world.clouds.fault(lane.cloud, action(&lane), "fail_task", 1).await;
        let first = run(&world, spec(&lane, &image, &regions(&lane))).await;
        assert_eq!(first.state(), OperationState::PartiallySucceeded, "{first:#?}");
        let failed = states(&first).iter().position(|state| *state == TargetState::Failed).expect("a failed one");
        assert_eq!(reasons(&first)[failed], "COPY_FAILED_AT_CLOUD");
        assert_eq!(
            left(&first).leftovers.len(),
            left(&first).leftovers.iter().filter(|one| !one.id.is_empty()).count()
        );
        let before = accepted(&world.clouds.audit().await, action(&lane));

        let ended = retry(&world, &first.name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!(accepted(&world.clouds.audit().await, action(&lane)), before + 1);
        assert_eq!(there(&world, &lane, "golden").await, 3, "what failed was removed");
        for (old, new) in first.targets.iter().zip(&ended.targets).filter(|(old, _)| old.error.is_none()) {
            assert_eq!(old.cloud_ids, new.cloud_ids, "a good copy is not touched");
        }
    }
}

#[tokio::test]
async fn all_or_nothing_leaves_neither_images_nor_snapshots() {
    for lane in BOTH {
        let world = World::start().await;
        let image = world.clouds.add_image(&lane, "golden").await;
        let before = snapshots(&world).await;
        world.clouds.fault(lane.cloud, action(&lane), "fail_task", 1).await;
        let wanted = pb::CopySpec {
            failure_policy: pb::FailurePolicy::AllOrNothing.into(),
            ..spec(&lane, &image, &regions(&lane)[..2])
        };
        let ended = run(&world, wanted).await;
        assert_eq!(ended.state(), OperationState::Failed, "{ended:#?}");
        assert_eq!(there(&world, &lane, "golden").await, 0, "{ended:#?}");
        let seen = world.clouds.audit().await;
        assert!(accepted(&seen, delete_action(&lane)) + accepted(&seen, "CancelCopyImage") >= 1);
        assert_eq!(snapshots(&world).await, before, "no snapshot stays");
    }
}

#[tokio::test]
async fn a_copy_that_vanishes_has_failed_and_is_not_waited_for() {
    for lane in BOTH {
        let world = World::start().await;
        let image = world.clouds.add_image(&lane, "golden").await;
        world.clouds.fault(lane.cloud, action(&lane), "vanish_task", 1).await;
        let ended = run(&world, spec(&lane, &image, &regions(&lane)[..1])).await;
        assert_eq!((ended.state(), reasons(&ended)), (OperationState::Failed, vec!["COPY_VANISHED".to_owned()]));
    }
}

#[tokio::test]
async fn a_full_destination_and_a_taken_name_are_told_before_anything_is_called() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let [first, second, _] = regions(&lane);
        world.clouds.add_image(&Lane { region: second, ..lane }, "golden").await;
        world.clouds.limits(&lane, serde_json::json!({ "images_per_region": 2 })).await;
        for name in ["one", "two"] {
            world.clouds.add_image(&Lane { region: first, ..lane }, name).await;
        }
        let ended = run(&world, spec(&lane, &image, &[first, second])).await;
        let error = ended.error.clone().expect("an error");
        let rules: Vec<_> = error.violations.iter().map(|violation| violation.rule.clone()).collect();
        assert!(rules.contains(&"IMAGE_NAME_TAKEN".to_owned()), "{rules:?}");
        assert!(error.violations.iter().all(|violation| !violation.fix.is_empty()), "{error:?}");
        if lane.account == "tencent" {
            assert!(rules.contains(&"DESTINATION_FULL".to_owned()), "{rules:?}");
        }
    }
    assert!(world.clouds.audit().await.mutating().is_empty());
}

#[tokio::test]
async fn the_sixth_call_of_the_day_never_reaches_the_cloud_also_not_to_undo() {
    day::away_from_the_turn(Duration::from_secs(120)).await;
    let world = World::with(Setup { export_takes: Duration::from_secs(2), ..Setup::default() }).await;
    let image = world.clouds.add_image(&TENCENT, "golden").await;
    let shanghai = Lane { region: "ap-shanghai", ..TENCENT };
    // Five copies out of Shanghai use its day up.
    for index in 0..5 {
        let name = format!("out-{index}");
        let own = world.clouds.add_image(&shanghai, &name).await;
        let ended = run(&world, spec(&shanghai, &own, &["ap-beijing"])).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    }
    let wanted = pb::CopySpec {
        failure_policy: pb::FailurePolicy::AllOrNothing.into(),
        ..spec(&TENCENT, &image, &["ap-shanghai", "ap-hongkong"])
    };
    let started = start(&world, wanted).await;
    let is_seen = |operation: &Operation| {
        operation.targets.iter().filter(|target| target.progress_percent.is_some()).count() == 2
    };
    let running = world.api().until(&started.name, is_seen).await;
    // The copy to Hong Kong is taken away, so the one to Shanghai has to go too, and cannot.
    let id = &running.targets[1].cloud_ids["image"];
    let gone = serde_json::json!({ "cloud": "tencent", "region": "ap-hongkong", "id": id, "removed": true });
    world.clouds.post("images/change", gone).await;
    let ended = world.api().ended(&started.name).await;
    assert_eq!(ended.state(), OperationState::Failed, "{ended:#?}");
    let left = named(&world, &TENCENT, "ap-shanghai", "golden").await;
    let id = left[0]["id"].as_str().unwrap();
    assert!(ended.error.clone().unwrap().message.contains(id), "{ended:#?}");
    let seen = world.clouds.audit().await;
    assert_eq!(seen.of("DeleteImages").len(), 0, "no call is made beyond the day");
    assert_eq!(world.clouds.counted(&shanghai).await, 5);

    let sixth = spec(&shanghai, id, &["ap-beijing"]);
    let refused = copy_support::copies(&world).copy_image(request(sixth.clone())).await.expect_err("refused");
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    let queued = pb::CopySpec { when_quota_spent: WhenQuotaSpent::Queue.into(), ..sixth };
    assert_eq!(start(&world, queued).await.state(), OperationState::WaitingForQuota);
}

#[tokio::test]
async fn a_cancel_stops_on_alibaba_and_is_honest_on_tencent() {
    for lane in BOTH {
        let world = World::with(Setup { export_takes: Duration::from_secs(6), ..Setup::default() }).await;
        let image = world.clouds.add_image(&lane, "golden").await;
        let started = start(&world, spec(&lane, &image, &regions(&lane)[..1])).await;
        world.api().until(&started.name, |operation| operation.step == "await_copies").await;
        world.api().cancel(&started.name, lane.account == "tencent").await;
        let ended = world.api().ended(&started.name).await;
        assert_eq!(ended.state(), OperationState::Cancelled, "{ended:#?}");
        assert_eq!(there(&world, &lane, "golden").await, 0, "{ended:#?}");
        let seen = world.clouds.audit().await;
        if lane.account == "tencent" {
            assert!(ended.warnings.iter().any(|warning| warning.message.contains("cannot cancel a copy")));
            assert_eq!(accepted(&seen, "DeleteImages"), 1);
        } else {
            assert_eq!(accepted(&seen, "CancelCopyImage"), 1);
        }
    }
}

#[tokio::test]
async fn a_share_that_fails_leaves_the_copies_and_says_so() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        // An account that the cloud does not know.
        let nobody = if lane.account == "tencent" { "300000000009" } else { "3000000000000009" };
        let wanted = pb::CopySpec { share_with: vec![nobody.to_owned()], ..spec(&lane, &image, &regions(&lane)[..1]) };
        let ended = run(&world, wanted).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert!(ended.warnings.iter().any(|warning| warning.code == "SHARE_FAILED"), "{ended:#?}");
        assert_eq!(there(&world, &lane, "golden").await, 1);
        assert!(left(&ended).images[0].shared_with.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_is_killed_while_copying_goes_on_and_copies_nothing_twice() {
    for lane in BOTH {
        let setup =
            Setup { is_durable: true, lease_seconds: 2, export_takes: Duration::from_millis(1500), ..Setup::default() };
        let mut world = World::with(setup).await;
        let image = world.clouds.add_image(&lane, "golden").await;
        let started = start(&world, spec(&lane, &image, &regions(&lane))).await;
        world.api().until(&started.name, |operation| operation.targets.iter().any(|one| one.attempt_count > 0)).await;
        world.take_server().kill();
        world.start_again().await;
        let ended = world.api().ended(&started.name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!(there(&world, &lane, "golden").await, 3);
    }
}

#[tokio::test]
async fn the_command_line_names_the_failed_region_and_retries_it() {
    let world = World::start().await;
    let image = world.clouds.add_image(&ALIBABA, "golden").await;
    world.clouds.fault(ALIBABA.cloud, "CopyImage", "fail_task", 1).await;
    let place = ["--cloud", "alibaba", "--region", "cn-hangzhou", "--image", &image, "--to", "cn-shanghai,cn-beijing"];
    let preview = world.server().command(world.folder(), &[&["preview", "copy"], &place[..]].concat()).await;
    assert_eq!(preview.status.code(), Some(0));
    let copied = world.server().command(world.folder(), &[&["copy"], &place[..]].concat()).await;
    let text = String::from_utf8(copied.stdout).expect("UTF-8");
    assert_eq!(copied.status.code(), Some(6), "{text}");
    assert!(text.contains("cn-shanghai, as golden: failed") && text.contains("left over:"), "{text}");
    assert!(text.contains("cn-beijing, as golden: succeeded"), "{text}");
    let name = text.split_whitespace().next().expect("a name");
    let retried = world.server().command(world.folder(), &["operations", "retry", name]).await;
    let text = String::from_utf8(retried.stdout).expect("UTF-8");
    assert_eq!(retried.status.code(), Some(0), "{text}");
    assert!(text.contains("cn-shanghai, as golden: succeeded") && !text.contains("left over:"), "{text}");
}
