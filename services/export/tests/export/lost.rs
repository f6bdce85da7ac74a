//! A lost answer is searched for, and the call is repeated only when it surely had no effect.

use std::time::Duration;

use sampan_cloud::CallClass;
use sampan_cloud::image::{ExportCall, ExportTaskState};
use sampan_core::{Cloud, Reason};
use sampan_state::operation::State;

use crate::cloud::{ELSEWHERE, Start};
use crate::world::{World, reason, result, succeeded, warned};

const BOTH: [Cloud; 2] = Cloud::ALL;

fn losing(cloud: Cloud, starts: impl IntoIterator<Item = Start>) -> World {
    let world = World::new(cloud);
    world.cloud.script().starts.extend(starts);
    world
}

#[tokio::test]
async fn a_running_export_whose_answer_was_lost_is_followed_to_its_end() {
    for cloud in BOTH {
        let world = losing(cloud, [Start::Lost]);
        let ended = world.run().await;
        succeeded(&ended);
        assert!(warned(&ended, "ANSWER_LOST"));
        assert_eq!((world.cloud.accepted(), world.cloud.script().start_calls), (1, 1), "{cloud}");
        assert_eq!(world.units().await, (1, 0, 0));
        assert_eq!(result(&ended).artifacts.len(), 2);
    }
}

#[tokio::test]
async fn a_lost_export_that_ended_before_the_first_look_is_found_by_its_objects() {
    for cloud in BOTH {
        let world = losing(cloud, [Start::Lost]);
        world.cloud.script().takes = Duration::ZERO;
        let ended = world.run().await;
        succeeded(&ended);
        assert_eq!(world.cloud.script().start_calls, 1, "{cloud}");
    }
}

#[tokio::test]
async fn a_listing_that_is_late_hides_no_quick_export() {
    let world = losing(Cloud::Tencent, [Start::Lost]);
    world.cloud.script().takes = Duration::ZERO;
    world.cloud.script().listing_delay = Duration::from_secs(48 * 3600);
    succeeded(&world.run().await);
    assert_eq!(world.cloud.script().start_calls, 1);
}

#[tokio::test]
async fn a_slow_export_of_a_silent_cloud_is_not_repeated() {
    let world = losing(Cloud::Tencent, [Start::Lost]);
    world.cloud.script().tells_busy = false;
    // The deadline of so small an image is two hours.
    world.cloud.script().takes = Duration::from_secs(59 * 60);
    succeeded(&world.run().await);
    assert_eq!((world.cloud.accepted(), world.cloud.script().start_calls), (1, 1));
}

#[tokio::test]
async fn a_call_that_never_arrived_is_repeated_once_and_counted_once() {
    for cloud in BOTH {
        let world = losing(cloud, [Start::LostOnTheWay]);
        let ended = world.run().await;
        succeeded(&ended);
        assert_eq!((world.cloud.accepted(), world.cloud.script().start_calls), (1, 2), "{cloud}");
        assert_eq!(world.units().await, (1, 0, 0));
    }
}

#[tokio::test]
async fn a_cloud_that_lists_tasks_is_believed_sooner_than_one_that_shows_nothing() {
    let mut repeated_after = Vec::new();
    for cloud in [Cloud::Alibaba, Cloud::Tencent] {
        let world = losing(cloud, [Start::LostOnTheWay]);
        world.start().await;
        for _ in 0..2000 {
            if world.cloud.script().start_calls == 2 {
                break;
            }
            world.run_for(5).await;
        }
        repeated_after.push(world.since_noon().as_secs());
    }
    assert!(repeated_after[0] < 120, "{repeated_after:?}");
    assert!(repeated_after[1] >= 3600, "{repeated_after:?}");
}

#[tokio::test]
async fn a_call_that_is_lost_again_and_again_is_given_up_with_an_honest_reason() {
    for cloud in BOTH {
        let world = losing(cloud, vec![Start::LostOnTheWay; 50]);
        let ended = world.run().await;
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "EXPORT_OUTCOME_UNKNOWN"), "{cloud}");
        assert_eq!(world.cloud.script().start_calls, 4, "{cloud}");
        // Any of them may have been taken, so the unit stays counted.
        assert_eq!(world.units().await, (1, 0, 0));
    }
}

#[tokio::test]
async fn an_own_deadline_ends_the_search_before_the_call_could_be_repeated() {
    let mut world = losing(Cloud::Tencent, [Start::LostOnTheWay]);
    world.spec.deadline_seconds = Some(300);
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "EXPORT_OUTCOME_UNKNOWN"));
    assert_eq!(world.cloud.script().start_calls, 1);
}

#[tokio::test]
async fn an_image_that_is_busy_with_somebody_elses_export_is_not_taken_for_ours() {
    let world = losing(Cloud::Tencent, [Start::LostOnTheWay]);
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    world.cloud.console(&ExportCall { prefix: Some("other".to_owned()), ..world.call() });
    world.run_for(300).await;
    assert_eq!(world.get(id).await.state, State::Running);
    assert_eq!(world.cloud.script().start_calls, 1, "nothing is called while the image is held");
    let ended = world.end(id).await;
    succeeded(&ended);
    assert_eq!(world.cloud.accepted(), 1);
    assert!(result(&ended).artifacts.iter().all(|artifact| artifact.key.starts_with("nightly_")));
}

#[tokio::test]
async fn tasks_that_were_there_before_the_call_are_never_adopted() {
    let world = losing(Cloud::Alibaba, [Start::LostOnTheWay]);
    world.cloud.script().takes = Duration::ZERO;
    world.cloud.script().names_told = 0;
    world.cloud.console(&world.call());
    world.advance(2);
    world.cloud.script().takes = Duration::from_secs(600);
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!(world.cloud.accepted(), 1, "the older task of the same minute is not ours");
    assert_eq!(ended.targets[0].cloud_ids["task"], "t-2");
}

#[tokio::test]
async fn a_task_that_writes_elsewhere_is_never_adopted() {
    let world = losing(Cloud::Alibaba, [Start::LostOnTheWay]);
    world.start().await;
    world.runner.tick().await.unwrap();
    world.cloud.script().takes = Duration::ZERO;
    world.cloud.console(&ExportCall { prefix: Some("other".to_owned()), ..world.call() });
    world.cloud.console(&ExportCall { bucket: ELSEWHERE.to_owned(), ..world.call() });
    world.run_for(120).await;
    assert_eq!(world.cloud.accepted(), 1);
}

#[tokio::test]
async fn a_repeated_call_that_meets_a_busy_image_looks_again_instead_of_waiting_for_a_third() {
    let world = losing(Cloud::Alibaba, [Start::Lost]);
    // The task list does not show the export while the call is decided about.
    world.cloud.script().exports.clear();
    let id = world.start().await;
    world.runner.tick().await.unwrap();
    let hidden = std::mem::take(&mut world.cloud.script().exports);
    world.run_for(10).await;
    world.cloud.script().starts.push_back(Start::Refused(CallClass::Busy, Reason::ExportAlreadyRunning));
    world.run_for(30).await;
    assert_eq!(world.cloud.script().start_calls, 2, "repeated, and refused as busy");
    world.cloud.script().exports = hidden;
    let ended = world.end(id).await;
    succeeded(&ended);
    assert_eq!(world.cloud.script().start_calls, 2, "the busy image was ours");
    assert_eq!(world.cloud.accepted(), 1);
}

#[tokio::test]
async fn refusals_of_the_search_do_not_end_an_export_that_runs() {
    for (class, reason) in [
        (CallClass::Quota, Reason::CloudQuotaSpent),
        (CallClass::Busy, Reason::ExportTasksFull),
        (CallClass::Permission, Reason::CloudPermissionDenied),
        (CallClass::NotFound, Reason::ImageNotFound),
        (CallClass::Transient, Reason::CloudUnavailable),
    ] {
        let world = losing(Cloud::Tencent, [Start::Lost]);
        world.cloud.script().finds.extend(vec![(class, reason); 6]);
        succeeded(&world.run().await);
        assert_eq!(world.cloud.script().start_calls, 1, "{class:?}");
    }
}

#[tokio::test]
async fn a_lost_export_that_failed_at_the_cloud_is_told_and_not_repeated() {
    let world = losing(Cloud::Alibaba, [Start::Lost]);
    world.cloud.script().takes = Duration::ZERO;
    world.cloud.script().fails =
        Some(ExportTaskState::Failed { code: "OssWriteFailed".to_owned(), message: "no room".to_owned() });
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "EXPORT_FAILED_AT_CLOUD"));
    assert_eq!(ended.failure.unwrap().vendor_code.as_deref(), Some("OssWriteFailed"));
    assert_eq!(world.cloud.script().start_calls, 1);
}

#[tokio::test]
async fn a_trial_run_that_the_cloud_took_for_an_export_is_not_repeated() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().checks.push_back((CallClass::UnknownOutcome, Reason::CloudRefused));
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "CLOUD_REFUSED"));
    assert_eq!(world.cloud.script().start_calls, 0);
    assert_eq!(world.units().await, (0, 0, 0));
}
