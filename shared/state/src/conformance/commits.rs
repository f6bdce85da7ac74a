//! Facts of a worker's writes.

use std::time::Duration;

use serde_json::json;

use super::Harness;
use super::fixture::{Bench, PAST_TTL, TTL, assert_refused, cancel, ending, lane, later, write};
use crate::operation::{QuotaHold, State};
use crate::operations::{Commit, Next, UnitsChange};
use crate::{Error, LaneLease, Turn};

pub(super) async fn a_commit_counts_a_revision_and_keeps_what_identifies_the_operation(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.advance(Duration::from_secs(1)).await;
    let mut changed = claim.operation;
    changed.percent = Some(40);
    changed.result = Some(json!({ "bucket": "b" }));
    changed.revision = 77;
    changed.kind = "copy".to_owned();
    changed.caller = "somebody else".to_owned();
    changed.quota = QuotaHold::Released;
    changed.cancel = Some(cancel(true));
    let now = bench.now().await;
    let (written, _) = bench.store().commit(&claim.lease, write(changed, Next::DueAt(now))).await.unwrap();
    assert_eq!((written.percent, written.revision, written.updated), (Some(40), 2, now));
    assert_eq!((&written.kind, &written.caller, &written.created), (&kept.kind, &kept.caller, &kept.created));
    assert_eq!((&written.quota, &written.cancel), (&kept.quota, &None));
    assert_eq!(bench.get(kept.id).await, written);
    bench.claim_only(kept.id).await;
}

pub(super) async fn a_kept_lease_lives_on_and_a_given_one_is_gone(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.advance(Duration::from_secs(20)).await;
    let commit = write(claim.operation, Next::Keep(TTL));
    let (operation, lease) = bench.store().commit(&claim.lease, commit).await.unwrap();
    let lease = lease.expect("the lease was kept");
    assert_eq!((lease.fence, lease.expires), (claim.lease.fence, later(bench.now().await, TTL)));
    bench.advance(Duration::from_secs(20)).await;
    assert!(bench.claim(10).await.is_empty());
    let now = bench.now().await;
    let (operation, gone) = bench.store().commit(&lease, write(operation, Next::DueAt(now))).await.unwrap();
    assert_eq!(gone, None);
    let stale = bench.store().commit(&lease, write(operation, Next::DueAt(now))).await;
    assert_refused!(stale, Error::LeaseLost(_));
}

pub(super) async fn an_operation_given_back_is_due_when_the_worker_said(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let at = later(bench.now().await, Duration::from_secs(5));
    bench.store().commit(&claim.lease, write(claim.operation, Next::DueAt(at))).await.unwrap();
    bench.advance(Duration::from_secs(4)).await;
    assert!(bench.claim(10).await.is_empty());
    bench.advance(Duration::from_secs(1)).await;
    bench.claim_only(kept.id).await;
}

pub(super) async fn an_ended_operation_is_never_claimed_again(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let (ended, lease) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    assert_eq!((ended.state, lease), (State::Succeeded, None));
    bench.advance(PAST_TTL).await;
    assert!(bench.claim(10).await.is_empty());
    assert_refused!(bench.store().commit(&claim.lease, ending(ended)).await, Error::LeaseLost(_));
}

pub(super) async fn an_end_gives_a_reservation_back_and_keeps_a_commitment_counted(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let reserved = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(reserved.id).await;
    let (ended, _) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    assert_eq!(ended.quota, QuotaHold::Released);
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    let committed = bench.admit(&lane(1)).await;
    let day = bench.store().commit_units(&lane(1), &bench.rule, committed.id).await.unwrap();
    let claim = bench.claim_only(committed.id).await;
    let (ended, _) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    assert_eq!(ended.quota, QuotaHold::Committed { day, units: 1 });
    assert_eq!(bench.counts(&lane(1)).await, (1, 0, 0, 0));
}

pub(super) async fn a_commit_with_a_stale_lane_lease_changes_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let old = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let new = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let foreign = LaneLease { owner: "b".to_owned(), ..new };
    for lane_lease in [old, foreign] {
        let commit = Commit {
            units: UnitsChange::Commit,
            rule: Some(bench.rule.clone()),
            lane: Some(lane_lease),
            ..write(claim.operation.clone(), Next::Keep(TTL))
        };
        assert_refused!(bench.store().commit(&claim.lease, commit).await, Error::LeaseLost(_));
        assert_eq!(bench.get(kept.id).await, kept);
        assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    }
    // One that ran out is stale even though nobody else took the lane.
    bench.store().renew(&claim.lease, TTL * 4).await.unwrap();
    let ran_out = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    bench.advance(PAST_TTL).await;
    let commit = Commit { lane: Some(ran_out), ..write(claim.operation.clone(), Next::Keep(TTL)) };
    assert_refused!(bench.store().commit(&claim.lease, commit).await, Error::LeaseLost(_));
}

pub(super) async fn a_commit_with_a_live_lane_lease_commits_the_unit(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let lane_lease = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let commit = Commit {
        units: UnitsChange::Commit,
        rule: Some(bench.rule.clone()),
        lane: Some(lane_lease),
        ..write(claim.operation, Next::Keep(TTL))
    };
    let (written, _) = bench.store().commit(&claim.lease, commit).await.unwrap();
    let day = bench.rule.day(bench.now().await);
    assert_eq!(written.quota, QuotaHold::Committed { day, units: 1 });
    assert_eq!(bench.counts(&lane(1)).await, (1, 0, 0, 0));
}

pub(super) async fn a_commit_of_a_lapsed_reservation_changes_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    bench.pass_reset().await;
    let claim = bench.claim_only(kept.id).await;
    let mut changed = claim.operation;
    changed.percent = Some(1);
    let commit = Commit {
        units: UnitsChange::Commit,
        rule: Some(bench.rule.clone()),
        ..write(changed, Next::DueAt(bench.now().await))
    };
    assert_refused!(bench.store().commit(&claim.lease, commit).await, Error::QuotaSpent(_));
    assert_eq!(bench.get(kept.id).await, kept);
    bench.store().renew(&claim.lease, TTL).await.unwrap();
}

pub(super) async fn a_commit_can_release_the_unit(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    let kept = bench.admit(&lane(1)).await;
    let waiter = bench.queue(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let commit = Commit {
        units: UnitsChange::Release,
        rule: Some(bench.rule.clone()),
        ..write(claim.operation, Next::DueAt(later(bench.now().await, Duration::from_secs(60))))
    };
    let (written, _) = bench.store().commit(&claim.lease, commit).await.unwrap();
    assert_eq!(written.quota, QuotaHold::Released);
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 1));
    bench.claim_only(waiter.id).await;
}

pub(super) async fn a_day_spent_elsewhere_requeues_by_age(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    let kept = bench.admit(&lane(1)).await;
    let other = bench.admit(&lane(1)).await;
    let waiter = bench.queue(&lane(1)).await;
    let claim = bench.claim_among(kept.id).await;
    let mut changed = claim.operation;
    changed.state = State::WaitingForQuota;
    let commit = Commit {
        units: UnitsChange::SpentElsewhere { requeue: true },
        rule: Some(bench.rule.clone()),
        ..write(changed, Next::DueAt(bench.now().await))
    };
    let (written, _) = bench.store().commit(&claim.lease, commit).await.unwrap();
    let reset = bench.reset_after(0).await;
    assert_eq!(written.quota, QuotaHold::Waiting { position: 0, earliest_start: Some(reset) });
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 2, 2));
    assert!(!bench.is_due(kept.id).await, "it is due at its earliest start");
    let expected = QuotaHold::Waiting { position: 1, earliest_start: Some(reset) };
    assert_eq!(bench.get(waiter.id).await.quota, expected);
    assert_eq!(bench.get(other.id).await.quota, QuotaHold::Released);
    bench.pass_reset().await;
    assert!(matches!(bench.take_turn(&lane(1), kept.id).await, Turn::Reserved { .. }));
}

pub(super) async fn an_end_without_a_final_state_is_refused(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let not_final = write(claim.operation.clone(), Next::Ended);
    assert_refused!(bench.store().commit(&claim.lease, not_final).await, Error::Invalid(_));
    let mut over = ending(claim.operation);
    over.next = Next::Keep(TTL);
    assert_refused!(bench.store().commit(&claim.lease, over).await, Error::Invalid(_));
    assert_eq!(bench.get(kept.id).await, kept);
}

pub(super) async fn an_ended_operation_can_be_reopened_once(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    assert_refused!(bench.store().reopen(kept.clone()).await, Error::LeaseLost(_));
    let claim = bench.claim_only(kept.id).await;
    let (ended, _) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    let reopened = bench.store().reopen(ended.clone()).await.unwrap();
    assert_eq!((reopened.state, reopened.revision), (State::Running, ended.revision + 1));
    assert_refused!(bench.store().reopen(ended).await, Error::LeaseLost(_));
    let again = bench.claim_only(kept.id).await;
    assert!(again.lease.fence > claim.lease.fence);
    let unknown = bench.record(&lane(1)).await;
    assert_refused!(bench.store().reopen(unknown).await, Error::NotFound(_));
}

pub(super) async fn a_reopened_operation_needs_a_new_unit(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap();
    let claim = bench.claim_only(kept.id).await;
    let (ended, _) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    let reopened = bench.store().reopen(ended).await.unwrap();
    assert_eq!(reopened.quota, QuotaHold::None);
    assert_refused!(bench.store().commit_units(&lane(1), &bench.rule, kept.id).await, Error::QuotaSpent(_));
    assert!(matches!(bench.take_turn(&lane(1), kept.id).await, Turn::Reserved { .. }));
    assert_eq!(bench.counts(&lane(1)).await, (1, 1, 0, 0));
}
