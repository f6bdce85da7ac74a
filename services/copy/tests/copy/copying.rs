//! Copies to many regions: one call or many, one after another, each destination a target of its own.

use std::time::Duration;

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_state::operation::State;

use crate::cloud::{Answer, disk, image, region};
use crate::world::{World, reason, reason_of, result, states, succeeded, to, warned};

#[tokio::test]
async fn tencent_copies_to_all_destinations_with_one_call_and_one_unit() {
    let world = World::new(Cloud::Tencent);
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!((world.cloud.count("SyncImages"), world.cloud.copies()), (1, 3));
    assert_eq!(world.units().await, (1, 0, 0));
    let left = result(&ended);
    assert_eq!(left.images.len(), 3);
    for (index, copied) in left.images.iter().enumerate() {
        assert_eq!(copied.at.region, world.region(index), "the order of the request");
        assert_eq!((copied.name.as_str(), copied.snapshot_ids.len()), ("web", 1));
        assert_eq!(ended.targets[index].cloud_ids["image"], copied.at.image.to_string());
        assert_eq!(ended.targets[index].cloud_ids["snapshots"], copied.snapshot_ids[0]);
        assert_eq!((ended.targets[index].percent, ended.targets[index].attempts), (Some(100), 1));
    }
}

#[tokio::test]
async fn alibaba_copies_to_one_destination_after_the_other_without_a_refused_call() {
    let world = World::new(Cloud::Alibaba);
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!((world.cloud.count("CopyImage"), world.cloud.copies()), (3, 3));
    assert!(!warned(&ended, "CLOUD_BUSY"));
    let started: Vec<_> = ended.targets.iter().map(|target| target.started.unwrap()).collect();
    assert!(started[1].duration_since(started[0]).as_secs() >= 600, "{started:?}");
    assert!(started[2].duration_since(started[1]).as_secs() >= 600, "{started:?}");
}

#[tokio::test]
async fn an_image_that_somebody_else_copies_is_waited_for() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.answer("CopyImage", vec![Answer::Refused(CallClass::Busy, Reason::CopyAlreadyRunning); 3]);
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!((world.cloud.count("CopyImage"), world.cloud.copies()), (6, 3));
}

#[tokio::test]
async fn the_result_says_what_is_not_copied_and_what_the_snapshots_cost() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let ended = world.run().await;
        let left = result(&ended);
        for word in ["role authorisation", "service authorisation", "user data"] {
            assert!(left.not_copied.iter().any(|fact| fact.contains(word)), "{word}: {:?}", left.not_copied);
        }
        assert_eq!(left.images[0].snapshot_cost_per_month.as_deref(), Some("50.000000"));
        assert_eq!(left.images[0].currency.as_deref(), Some("USD"));
        assert!(left.estimate.is_some() && warned(&ended, "SNAPSHOTS_STAY"));
    }
}

#[tokio::test]
async fn an_estimator_that_is_down_leaves_the_price_open_and_stops_nothing() {
    let world = World::new(Cloud::Tencent);
    world.peers.script().billing_is_down = true;
    let ended = world.run().await;
    succeeded(&ended);
    assert!(warned(&ended, "PRICE_UNAVAILABLE"));
    assert_eq!((result(&ended).estimate, result(&ended).images[0].snapshot_cost_per_month.clone()), (None, None));
}

#[tokio::test]
async fn a_copy_that_the_cloud_calls_failed_is_final_at_once_and_the_others_stay() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.script().fails_in.insert(world.region(1));
        let ended = world.run().await;
        assert_eq!(ended.state, State::PartiallySucceeded);
        assert_eq!(states(&ended), ["succeeded", "failed", "succeeded"]);
        assert_eq!((reason(&ended), reason_of(&ended.targets[1])), ("COPY_FAILED_AT_CLOUD", "COPY_FAILED_AT_CLOUD"));
        let took = ended.targets[1].finished.unwrap().duration_since(ended.targets[1].started.unwrap());
        assert!(took.as_secs() < 600 + 60, "{took}: no timeout is waited for");
        let left = result(&ended);
        assert_eq!((left.images.len(), left.leftovers.len()), (2, 2));
        assert_eq!(left.leftovers[0].id, ended.targets[1].cloud_ids["image"], "the failed image is named");
    }
}

#[tokio::test]
async fn a_copy_that_vanished_has_failed() {
    for cloud in Cloud::ALL {
        let mut world = World::new(cloud);
        world.spec.destinations.truncate(1);
        let id = world.start().await;
        world.run_for(60).await;
        world.cloud.vanish(&world.region(0));
        let ended = world.end(id).await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "COPY_VANISHED"));
        assert!(ended.finished.unwrap().duration_since(ended.created).as_secs() < 300);
    }
}

#[tokio::test]
async fn a_copy_that_is_out_of_sight_at_first_is_waited_for_and_one_that_never_appears_is_not() {
    for (hidden, state) in [(300, State::Succeeded), (100_000, State::Failed)] {
        let mut world = World::new(Cloud::Tencent);
        world.spec.destinations.truncate(1);
        world.cloud.script().hidden_for = Duration::from_secs(hidden);
        let ended = world.run().await;
        assert_eq!(ended.state, state, "{:?}", ended.failure);
        if state == State::Failed {
            assert_eq!(reason(&ended), "COPY_VANISHED");
            assert!(ended.finished.unwrap().duration_since(ended.created).as_secs() < 30 * 60);
        }
    }
}

#[tokio::test]
async fn a_cloud_that_tells_no_ids_has_its_copies_found_by_name() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().tells_ids = false;
    let older = world.cloud.console(&world.region(0), "other", true);
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!(result(&ended).images.len(), 3);
    assert_ne!(result(&ended).images[0].at.image, older);
}

#[tokio::test]
async fn throttling_during_a_fan_out_of_twenty_regions_costs_time_and_nothing_else() {
    let mut world = World::new(Cloud::Alibaba);
    let names = [
        "cn-qingdao",
        "cn-beijing",
        "cn-zhangjiakou",
        "cn-huhehaote",
        "cn-wulanchabu",
        "cn-shanghai",
        "cn-nanjing",
        "cn-fuzhou",
        "cn-shenzhen",
        "cn-heyuan",
        "cn-guangzhou",
        "cn-chengdu",
        "cn-hongkong",
        "ap-southeast-1",
        "ap-southeast-3",
        "ap-southeast-5",
        "ap-northeast-1",
        "us-west-1",
        "us-east-1",
        "eu-central-1",
    ];
    world.spec.destinations = to(names.map(region));
    let slower = || Answer::Refused(CallClass::Throttled, Reason::CloudThrottled);
    world.cloud.answer("CopyImage", vec![slower(); 7]);
    world.cloud.script().looks.extend(vec![(CallClass::Throttled, Reason::CloudThrottled); 30]);
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!((world.cloud.copies(), world.cloud.count("CopyImage")), (20, 27));
    assert!(ended.targets.iter().all(|target| target.attempts == 1));
}

#[tokio::test]
async fn a_destination_that_fills_up_while_others_are_copied_fails_alone() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().ceilings.insert(world.region(2), 1);
    let id = world.start().await;
    world.run_for(60).await;
    world.cloud.console(&world.region(2), "theirs", false);
    let ended = world.end(id).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(states(&ended), ["succeeded", "succeeded", "failed"]);
    assert_eq!(reason_of(&ended.targets[2]), "DESTINATION_FULL");
    assert_eq!(world.cloud.count("CopyImage"), 2, "no call is made for it");
}

#[tokio::test]
async fn a_destination_that_fills_up_at_the_last_moment_is_left_out_of_the_one_call() {
    let world = World::new(Cloud::Tencent);
    // The call finds it full although the look just before did not: the look is repeated to find out who is at fault.
    world.cloud.answer("SyncImages", [Answer::Refused(CallClass::Quota, Reason::DestinationFull)]);
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "DESTINATION_FULL"), "nobody is at fault by the facts");
    let world = World::new(Cloud::Tencent);
    let id = world.start().await;
    world.cloud.answer("Check", []);
    world.cloud.script().ceilings.insert(world.region(1), 1);
    world.runner.tick().await.unwrap();
    assert_eq!(world.cloud.copies(), 3, "one fits");
    succeeded(&world.end(id).await);
}

#[tokio::test]
async fn an_image_that_stops_being_ready_before_the_start_is_refused_without_a_call() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let id = world.start().await;
        world.cloud.script().image.as_mut().unwrap().state = sampan_cloud::image::ImageState::Pending;
        let ended = world.end(id).await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "IMAGE_NOT_READY"));
        assert_eq!((world.cloud.count(world.cloud.copy_action()), world.units().await), (0, (0, 0, 0)));
    }
}

#[tokio::test]
async fn every_broken_rule_of_the_live_facts_is_told_at_once() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().ceilings.insert(world.region(0), 1);
    world.cloud.console(&world.region(0), "theirs", false);
    let failed = world.cloud.console(&world.region(1), "web", true);
    let ended = world.run().await;
    let violations = ended.failure.clone().unwrap().violations;
    let rules: Vec<_> = violations.iter().map(|violation| violation.rule.as_str()).collect();
    assert_eq!(rules, ["DESTINATION_FULL", "IMAGE_NAME_TAKEN"]);
    assert_eq!((violations[0].limit.as_str(), violations[0].observed.as_str()), ("1 images", "1 images"));
    assert!(violations[1].message.contains(failed.as_str()) && !violations[1].fix.is_empty());
    assert_eq!(violations[1].field, "spec.destinations[1].region");
    assert_eq!(world.cloud.count("SyncImages"), 0);
}

#[tokio::test]
async fn a_day_that_the_console_spent_fails_or_queues_as_asked_and_never_reaches_the_cloud_again() {
    for queues in [false, true] {
        let mut world = World::new(Cloud::Tencent);
        world.spec.queue_when_quota_spent = queues;
        world.cloud.spend_by_console(&world.spec.region, 5);
        let ended = world.run().await;
        if queues {
            succeeded(&ended);
            assert_eq!(world.cloud.copies(), 3);
        } else {
            assert_eq!((ended.state, reason(&ended)), (State::Failed, "CLOUD_QUOTA_SPENT"));
        }
        assert_eq!(world.cloud.script().beyond_the_day, 1, "the first one told; no further call is made that day");
    }
}

#[tokio::test]
async fn the_deadline_keeps_the_good_copies_and_names_the_others() {
    let mut world = World::new(Cloud::Alibaba);
    world.spec.deadline_seconds = Some(1500);
    let ended = world.run().await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(states(&ended), ["succeeded", "succeeded", "failed"]);
    assert_eq!(reason_of(&ended.targets[2]), "COPY_DEADLINE_PASSED");
    assert!(ended.failure.unwrap().message.contains("cn-hongkong"));
    assert_eq!(result(&world.get(ended.id).await).images.len(), 2);
}

#[tokio::test]
async fn questions_that_fail_for_a_while_fail_no_copy() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().looks.extend(vec![(CallClass::Transient, Reason::CloudUnavailable); 40]);
    succeeded(&world.run().await);
    assert_eq!(world.cloud.copies(), 3);
}

#[tokio::test]
async fn an_encrypted_copy_within_the_region_is_made_there() {
    let mut world = World::new(Cloud::Tencent);
    world.spec.destinations = to([world.spec.region.clone()]);
    world.spec.encryption = Some(Default::default());
    world.spec.image_name = Some("web-encrypted".to_owned());
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!(result(&ended).images[0].at.region, world.spec.region);
}

#[tokio::test]
async fn a_shared_image_becomes_the_accounts_own_within_its_region_alone() {
    for cloud in Cloud::ALL {
        let mut world = World::new(cloud);
        let disks = vec![disk(sampan_core::DiskRole::System, "xvda", 50, "s-1")];
        let shared = image(world.spec.image.as_str(), disks);
        world.cloud.script().image =
            Some(sampan_cloud::image::Image { origin: sampan_cloud::image::ImageOrigin::Shared, ..shared });
        let ended = world.run().await;
        assert_eq!(reason(&ended), "IMAGE_SHARED_TO_YOU");
        world.spec.destinations = to([world.spec.region.clone()]);
        succeeded(&world.run().await);
    }
}
