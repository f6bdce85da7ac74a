//! Adding, removing and setting: what is called, what is left alone, what is told.

use std::collections::BTreeSet;

use sampan_cloud::CallClass;
use sampan_core::{Cloud, Reason};
use sampan_share_service::spec::Change;
use sampan_state::operation::{QuotaHold, State, TargetState};

use crate::cloud::Answer;
use crate::world::{World, numbers, own, reason, succeeded, target, targets_in, warned};

#[tokio::test]
async fn one_call_shares_with_all_accounts_and_costs_one_unit() {
    let world = World::new(Cloud::Tencent);
    let ended = world.run(Change::Add, &numbers(0..30)).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(30, 0)]);
    assert_eq!(world.units().await, (1, 0, 0));
    assert_eq!(targets_in(&ended, TargetState::Succeeded), numbers(0..30), "in the order of the request");
    let image = own(&ended);
    assert_eq!((image.added, image.accounts.len()), (numbers(0..30), 30));
    assert!(image.removed.is_empty() && image.drift.is_empty());
    assert!(!ended.journal.outputs.contains_key("follow"), "it does not say that it follows to copies");
}

#[tokio::test]
async fn who_has_the_image_already_counts_as_done_and_is_not_called_for() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..2));
    let ended = world.run(Change::Add, &numbers(0..3)).await;
    succeeded(&ended);
    assert_eq!(world.cloud.calls()[0].call.add, numbers(2..3));
    assert_eq!((own(&ended).added, own(&ended).accounts), (numbers(2..3), numbers(0..3)));
}

#[tokio::test]
async fn a_change_of_nothing_makes_no_call_and_spends_nothing() {
    for (change, accounts) in [(Change::Add, 0..2), (Change::Remove, 5..7), (Change::Set, 0..2)] {
        let world = World::new(Cloud::Tencent);
        world.cloud.shared_with(&world.image, &numbers(0..2));
        let ended = world.run(change, &numbers(accounts)).await;
        succeeded(&ended);
        assert_eq!((world.cloud.calls().len(), world.units().await), (0, (0, 0, 0)), "{change:?}");
        assert_eq!(ended.quota, QuotaHold::Released);
        let image = own(&ended);
        assert!(image.added.is_empty() && image.removed.is_empty() && image.drift.is_empty(), "{image:?}");
    }
}

#[tokio::test]
async fn only_those_who_have_the_image_are_taken_it_back_from() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..3));
    let ended = world.run(Change::Remove, &numbers(1..5)).await;
    succeeded(&ended);
    assert_eq!(world.cloud.calls()[0].call.remove, numbers(1..3));
    assert_eq!((own(&ended).removed, own(&ended).accounts), (numbers(1..3), numbers(0..1)));
    for code in ["UNSHARE_INSTANCES_LOSE_IMAGE", "UNSHARE_COPIES_STAY"] {
        assert!(warned(&ended, code), "{code}");
    }
    assert!(!warned(&ended, "SHARE_NOT_REVIEWED"));
}

#[tokio::test]
async fn a_list_is_set_exactly_what_goes_before_what_comes() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..3));
    let ended = world.run(Change::Set, &numbers(2..6)).await;
    succeeded(&ended);
    let calls = world.cloud.calls();
    assert_eq!((&calls[0].call.remove, &calls[1].call.add, calls.len()), (&numbers(0..2), &numbers(3..6), 2));
    assert_eq!(world.units().await, (2, 0, 0), "each call that changes something is counted");
    let image = own(&ended);
    assert_eq!((image.added, image.removed, image.accounts), (numbers(3..6), numbers(0..2), numbers(2..6)));
    assert_eq!(target(&ended, &numbers(0..1)[0]).label, format!("remove {}", numbers(0..1)[0]));
}

#[tokio::test]
async fn an_empty_list_takes_the_image_back_from_everybody() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.shared_with(&world.image, &numbers(0..12));
    let ended = world.run(Change::Set, &[]).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(0, 10), (0, 2)]);
    assert!(world.cloud.holders(&world.image).is_empty() && own(&ended).accounts.is_empty());
    succeeded(&world.run(Change::Set, &[]).await);
    assert_eq!(world.cloud.calls().len(), 2, "nobody is left");
}

#[tokio::test]
async fn alibaba_gets_chunks_of_ten_added_and_removed_in_one_call() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.shared_with(&world.image, &numbers(100..103));
    let ended = world.run(Change::Set, &numbers(0..25)).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(10, 3), (10, 0), (5, 0)]);
    assert_eq!(world.cloud.holders(&world.image), numbers(0..25).into_iter().collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn what_the_cloud_dropped_silently_is_seen_in_the_list_and_called_for_again() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().answers.push_back(Answer::Drops(4));
    let ended = world.run(Change::Add, &numbers(0..9)).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(9, 0), (5, 0)]);
}

#[tokio::test]
async fn an_accepted_call_that_never_shows_fails_its_accounts_alone() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().answers.extend([Answer::Drops(0)]);
    let ended = world.run(Change::Add, &numbers(0..12)).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "SHARE_NOT_EFFECTIVE"));
    assert_eq!(targets_in(&ended, TargetState::Failed), numbers(0..10));
    assert_eq!(own(&ended).added, numbers(10..12));
    assert_eq!(world.calls_made(), [(10, 0), (2, 0)], "what was accepted is not called again");
}

#[tokio::test]
async fn a_list_that_follows_slowly_is_waited_for() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().lag = jiff::SignedDuration::from_secs(5);
    let id = world.start(&world.spec(Change::Add, &numbers(0..2))).await;
    world.run_for(20).await;
    let ended = world.get(id).await;
    succeeded(&ended);
    assert_eq!(world.cloud.calls().len(), 1);
    assert!(own(&ended).drift.is_empty());
}

#[tokio::test]
async fn a_newcomer_that_is_found_before_the_last_call_is_removed_from_an_exact_list() {
    let world = World::new(Cloud::Tencent);
    // After the survey of the first call.
    world.cloud.script().others.push_back(vec![(numbers(7..8).remove(0), true)]);
    let ended = world.run(Change::Set, &numbers(0..2)).await;
    succeeded(&ended);
    assert_eq!((own(&ended).removed, own(&ended).accounts), (numbers(7..8), numbers(0..2)));
}

#[tokio::test]
async fn what_somebody_else_changes_after_the_last_call_is_told_as_drift() {
    let world = World::new(Cloud::Tencent);
    let (gone, new) = (numbers(1..2).remove(0), numbers(7..8).remove(0));
    // After the survey, the proof of the call and the survey that finds nothing left to do.
    world.cloud.script().others.extend([vec![], vec![], vec![(gone.clone(), false), (new.clone(), true)]]);
    let ended = world.run(Change::Set, &numbers(0..2)).await;
    succeeded(&ended);
    let image = own(&ended);
    assert_eq!((image.drift, image.accounts), (vec![gone, new.clone()], vec![numbers(0..1).remove(0), new]));
    assert!(warned(&ended, "SHARES_DRIFTED"));
    assert_eq!(world.cloud.calls().len(), 1, "nobody fights over a list");
}

#[tokio::test]
async fn every_share_carries_the_warnings_of_the_documents() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        let ended = world.run(Change::Add, &numbers(0..1)).await;
        for code in ["SHARE_NOT_REVIEWED", "SHARE_INSTANCES_ONLY", "SHARE_NAME_FROZEN", "SHARE_SAME_REGION"] {
            assert!(warned(&ended, code), "{cloud}: {code}");
        }
        let region = ended.lane.region.as_str();
        let words = &ended.warnings.iter().find(|warning| warning.code == "SHARE_SAME_REGION").unwrap().message;
        assert!(words.contains(region), "{words}");
    }
}

#[tokio::test]
async fn failed_accounts_are_tried_again_and_nobody_else() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().answers.extend([Answer::Drops(0)]);
    let ended = world.run(Change::Add, &numbers(0..12)).await;
    assert_eq!(ended.state, State::PartiallySucceeded);
    let again = world.engine.retry(ended.id).await.unwrap();
    let ended = world.end(again.id).await;
    succeeded(&ended);
    assert_eq!(world.calls_made(), [(10, 0), (2, 0), (10, 0)]);
    assert_eq!(own(&ended).added, numbers(0..12), "the result tells of both rounds");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_back_at_last_is_asked_again_or_told() {
    for (class, is_told) in [(CallClass::Transient, false), (CallClass::Permission, true)] {
        let world = World::new(Cloud::Tencent);
        {
            let mut script = world.cloud.script();
            // Before the call, after it, when nothing is left to call for, and then the reading back.
            script.readable = 3;
            script.lists.push_back((class, Reason::CloudUnavailable));
        }
        let ended = world.run(Change::Add, &numbers(0..2)).await;
        succeeded(&ended);
        assert!(world.cloud.script().lists.is_empty(), "it was read back");
        assert_eq!(warned(&ended, "SHARES_UNREADABLE"), is_told, "{class:?}");
        assert_eq!(own(&ended).added, numbers(0..2), "what was changed is known all the same");
        assert_eq!(own(&ended).accounts.is_empty(), is_told);
    }
}

#[tokio::test]
async fn an_empty_list_carries_no_warnings_for_receivers() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..2));
    let ended = world.run(Change::Set, &[]).await;
    succeeded(&ended);
    assert!(warned(&ended, "UNSHARE_COPIES_STAY") && !warned(&ended, "SHARE_NOT_REVIEWED"), "{:?}", ended.warnings);
}
