//! How an export ends: refused, busy, out of quota, too late, stalled, changed under its hands.

use std::time::Duration;

use sampan_cloud::image::ExportTaskState;
use sampan_cloud::{Accounts, CallClass};
use sampan_core::{Cloud, Reason};
use sampan_state::operation::State;

use crate::cloud::Start;
use crate::world::{World, reason, result, succeeded, warned};

#[tokio::test]
async fn an_undisturbed_export_proves_every_disk_in_the_order_of_the_devices() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let ended = world.run().await;
        succeeded(&ended);
        let manifest = result(&ended);
        let devices: Vec<_> = manifest.artifacts.iter().map(|artifact| artifact.device.as_str()).collect();
        assert_eq!(devices, ["xvda", "xvdb"]);
        assert!(manifest.artifacts.iter().all(|artifact| artifact.crc64 == Some(7)), "read by HEAD, not from a list");
        assert!(ended.warnings.is_empty(), "{:?}", ended.warnings);
        assert_eq!(world.units().await, (1, 0, 0));
    }
}

#[tokio::test]
async fn a_broken_rule_ends_it_before_any_call_with_every_violation_and_the_unit_given_back() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        {
            let mut script = world.cloud.script();
            let image = script.image.as_mut().unwrap();
            image.is_windows = true;
            image.disks[1].size_gib = 501;
            script.bucket = None;
        }
        let ended = world.run().await;
        let rules: Vec<_> = ended.failure.as_ref().unwrap().violations.iter().map(|found| found.rule.clone()).collect();
        assert_eq!(rules, ["IMAGE_WINDOWS", "IMAGE_DISK_TOO_LARGE", "BUCKET_NOT_FOUND"]);
        assert_eq!(world.cloud.script().start_calls, 0);
        assert_eq!(world.units().await, (0, 0, 0));
    }
}

#[tokio::test]
async fn no_call_is_made_in_the_second_of_an_object_that_was_there_before() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.put(&format!("{}_xvda.raw", world.spec.key_stem().trim_end_matches('_')));
        let id = world.start().await;
        world.runner.tick().await.unwrap();
        assert_eq!(world.cloud.script().start_calls, 0, "the result could not be told from it");
        world.advance(1);
        world.runner.tick().await.unwrap();
        assert_eq!(world.cloud.script().start_calls, 1);
        succeeded(&world.end(id).await);
    }
}

#[tokio::test]
async fn a_busy_image_is_waited_for_without_a_unit() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.console(&world.call());
        let id = world.start().await;
        world.run_for(60).await;
        let waiting = world.get(id).await;
        assert_eq!((waiting.state, warned(&waiting, "CLOUD_BUSY")), (State::Running, true));
        assert_eq!(world.units().await, (0, 1, 0), "held, not used");
        succeeded(&world.end(id).await);
        assert_eq!(world.cloud.accepted(), 1);
    }
}

#[tokio::test]
async fn a_call_that_is_refused_as_busy_is_made_again_later() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().starts.push_back(Start::Refused(CallClass::Busy, Reason::ExportTasksFull));
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!((world.cloud.accepted(), world.cloud.script().start_calls), (1, 2));
    assert_eq!(world.units().await, (1, 0, 0));
}

#[tokio::test]
async fn a_refusal_of_the_call_fails_it_and_gives_the_unit_back() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().starts.push_back(Start::Refused(CallClass::Permission, Reason::BucketNotWritable));
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "BUCKET_NOT_WRITABLE"));
    assert_eq!(world.units().await, (0, 0, 0));
}

#[tokio::test]
async fn the_clouds_own_spent_quota_fails_the_operation_or_parks_it_until_the_reset() {
    let mut world = World::new(Cloud::Tencent);
    world.cloud.script().starts.push_back(Start::Refused(CallClass::Quota, Reason::CloudQuotaSpent));
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "CLOUD_QUOTA_SPENT"));

    world = World::new(Cloud::Tencent);
    world.spec.queue_when_quota_spent = true;
    world.cloud.script().starts.push_back(Start::Refused(CallClass::Quota, Reason::CloudQuotaSpent));
    let id = world.start().await;
    world.run_for(600).await;
    assert_eq!(world.get(id).await.state, State::WaitingForQuota);
    succeeded(&world.end(id).await);
    assert!(world.since_noon() > Duration::from_secs(12 * 3600), "after the reset");
    assert_eq!((world.cloud.accepted(), world.cloud.script().start_calls), (1, 2));
}

#[tokio::test]
async fn a_trial_run_that_tells_a_spent_quota_spares_the_call() {
    let mut world = World::new(Cloud::Tencent);
    world.spec.queue_when_quota_spent = true;
    world.cloud.script().checks.push_back((CallClass::Quota, Reason::CloudQuotaSpent));
    let id = world.start().await;
    world.run_for(60).await;
    assert_eq!((world.get(id).await.state, world.cloud.script().start_calls), (State::WaitingForQuota, 0));
}

#[tokio::test]
async fn where_no_day_is_counted_a_spent_quota_fails_even_who_would_queue() {
    for scripted in [true, false] {
        let mut world = World::new(Cloud::Alibaba);
        world.spec.queue_when_quota_spent = true;
        if scripted {
            world.cloud.script().starts.push_back(Start::Refused(CallClass::Quota, Reason::CloudQuotaSpent));
        } else {
            world.cloud.script().checks.push_back((CallClass::Quota, Reason::CloudQuotaSpent));
        }
        let ended = world.run().await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "CLOUD_QUOTA_SPENT"));
        assert_eq!(world.units().await, (0, 0, 0));
    }
}

#[tokio::test]
async fn an_export_that_shows_nothing_until_its_deadline_fails_with_that_reason() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.script().takes = Duration::from_secs(30 * 24 * 3600);
        let ended = world.run().await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "EXPORT_DEADLINE_PASSED"));
        assert!(world.since_noon() >= Duration::from_secs(2 * 3600));
        assert_eq!(world.units().await, (1, 0, 0));
    }
}

#[tokio::test]
async fn disks_that_are_there_at_the_deadline_are_kept_and_the_others_named() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().late.insert(1, None);
    let id = world.start().await;
    world.run_for(900).await;
    let half = world.get(id).await;
    assert_eq!((half.targets[0].percent, half.targets[1].percent, half.percent), (Some(100), None, Some(50)));
    let ended = world.end(id).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    assert_eq!(result(&ended).artifacts.len(), 1);
    assert_eq!(ended.targets[1].failure.as_ref().unwrap().reason, "EXPORT_FAILED_AT_CLOUD");
    assert!(warned(&ended, "OBJECTS_MISSING"));
}

#[tokio::test]
async fn a_finished_task_that_names_one_object_of_two_is_completed_from_the_bucket() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().names_told = 1;
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!(result(&ended).artifacts.len(), 2);
}

#[tokio::test]
async fn a_finished_task_without_some_of_its_objects_is_a_partial_success() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().late.insert(1, None);
    world.cloud.script().names_told = 0;
    let ended = world.run().await;
    assert_eq!(ended.state, State::PartiallySucceeded, "{:?}", ended.failure);
    assert_eq!(result(&ended).artifacts[0].device, "xvda");
}

#[tokio::test]
async fn a_finished_task_without_any_object_has_failed() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().late.extend([(0, None), (1, None)]);
    world.cloud.script().names_told = 0;
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "EXPORT_FAILED_AT_CLOUD"));
}

#[tokio::test]
async fn a_task_that_was_cancelled_by_somebody_else_ends_with_that_reason() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().fails = Some(ExportTaskState::Cancelled);
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "EXPORT_CANCELLED_AT_CLOUD"));
}

#[tokio::test]
async fn silence_sounds_the_stall_alarm_and_the_export_goes_on() {
    let mut world = World::new(Cloud::Tencent);
    world.spec.stall_after_seconds = Some(300);
    world.cloud.script().takes = Duration::from_secs(3600);
    let id = world.start().await;
    world.run_for(600).await;
    let silent = world.get(id).await;
    assert!(silent.stalled_since.is_some() && warned(&silent, "STALLED"));
    let ended = world.end(id).await;
    succeeded(&ended);
    assert!(!warned(&ended, "STALLED"));
}

#[tokio::test]
async fn time_in_the_vendors_queue_is_no_stall() {
    let mut world = World::new(Cloud::Alibaba);
    world.spec.stall_after_seconds = Some(300);
    world.cloud.script().takes = Duration::from_secs(3600);
    world.cloud.script().running_word = ExportTaskState::Queued;
    let id = world.start().await;
    world.run_for(1800).await;
    assert!(world.get(id).await.stalled_since.is_none());
}

#[tokio::test]
async fn an_object_that_vanishes_before_the_second_look_proves_nothing() {
    let world = World::new(Cloud::Tencent);
    let id = world.start().await;
    for _ in 0..200 {
        if world.get(id).await.journal.step_name == "prove" {
            break;
        }
        world.run_for(5).await;
    }
    assert_eq!(world.get(id).await.journal.step_name, "prove", "one look alone proves nothing");
    world.cloud.remove("system");
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "ARTIFACT_CHANGED"));
}

#[tokio::test]
async fn an_object_that_comes_back_is_looked_at_twice_again() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().late.insert(1, Some(Duration::from_secs(1200)));
    let id = world.start().await;
    world.run_for(700).await;
    assert_eq!(world.get(id).await.targets[0].percent, Some(100));
    let object = world.cloud.remove("system");
    world.run_for(100).await;
    assert_eq!(world.get(id).await.targets[0].percent, None, "it is not there any more");
    world.cloud.script().objects.insert(object.key.clone(), object);
    succeeded(&world.end(id).await);
}

#[tokio::test]
async fn objects_that_were_there_before_are_not_the_result() {
    let world = World::new(Cloud::Tencent);
    for key in ["nightly_img-72n9mi0y_system_snap-aa.raw", "nightly_img-72n9mi0y_data_snap-bb.raw"] {
        world.cloud.put(key);
    }
    let id = world.start().await;
    world.run_for(300).await;
    let running = world.get(id).await;
    assert_eq!((running.state, warned(&running, "OBJECTS_EXIST")), (State::Running, true));
    let ended = world.end(id).await;
    succeeded(&ended);
    assert!(result(&ended).artifacts.iter().all(|artifact| artifact.etag.starts_with("t-1")));
}

#[tokio::test]
async fn an_account_that_is_configured_no_more_ends_the_operation_with_a_word_about_it() {
    let world = World::new(Cloud::Tencent);
    let id = world.start().await;
    let world = world.restarted(Accounts::default());
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "ACCOUNT_UNKNOWN"));
    assert!(ended.failure.unwrap().message.contains("account prod is not configured any more"));
    assert_eq!(world.units().await, (0, 0, 0));
}
