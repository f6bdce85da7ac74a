//! Facts of cancelling.

use std::time::Duration;

use super::Harness;
use super::fixture::{Bench, TTL, assert_refused, cancel, ending, lane, later, write};
use crate::Error;
use crate::operation::{QuotaHold, State, TargetState};
use crate::operations::Next;

pub(super) async fn a_waiting_operation_is_cancelled_at_once_and_spends_nothing(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.admit(&lane(1)).await;
    let waiter = bench.queue(&lane(1)).await;
    let cancelled = bench.store().request_cancel(waiter.id, cancel(false)).await.unwrap();
    assert_eq!((cancelled.state, cancelled.revision), (State::Cancelled, 2));
    assert_eq!(cancelled.quota, QuotaHold::None);
    assert_eq!(cancelled.finished, Some(bench.now().await));
    assert!(cancelled.targets.iter().all(|target| target.state == TargetState::Cancelled));
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    bench.pass_reset().await;
    assert!(!bench.is_due(waiter.id).await);
}

pub(super) async fn a_cancelled_waiter_moves_the_others_up(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.admit(&lane(1)).await;
    let first = bench.queue(&lane(1)).await;
    let second = bench.queue(&lane(1)).await;
    bench.store().request_cancel(first.id, cancel(false)).await.unwrap();
    let expected = QuotaHold::Waiting { position: 0, earliest_start: Some(bench.reset_after(0).await) };
    assert_eq!(bench.get(second.id).await.quota, expected);
    bench.pass_reset().await;
    assert!(bench.is_due(second.id).await);
}

pub(super) async fn a_running_operation_keeps_the_cancel_and_is_due_at_once(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let much_later = later(bench.now().await, Duration::from_secs(3600));
    bench.store().commit(&claim.lease, write(claim.operation, Next::DueAt(much_later))).await.unwrap();
    assert!(bench.claim(10).await.is_empty());
    let asked = bench.store().request_cancel(kept.id, cancel(true)).await.unwrap();
    assert_eq!((asked.state, asked.revision), (State::Cancelling, 3));
    let request = asked.cancel.expect("kept");
    assert_eq!((request.by.as_str(), request.remove_result, request.at), ("ci", true, bench.now().await));
    bench.claim_only(kept.id).await;
}

pub(super) async fn a_cancel_survives_a_concurrent_commit(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.store().request_cancel(kept.id, cancel(true)).await.unwrap();
    let commit = write(claim.operation, Next::Keep(TTL));
    let (written, _) = bench.store().commit(&claim.lease, commit).await.unwrap();
    assert!(written.cancel.is_some_and(|request| request.remove_result));
    assert_eq!((written.state, written.revision), (State::Cancelling, 3));
}

pub(super) async fn a_cancel_while_a_worker_is_busy_makes_it_due_when_given_back(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.store().request_cancel(kept.id, cancel(false)).await.unwrap();
    assert!(bench.claim(10).await.is_empty(), "the worker keeps its lease");
    let much_later = later(bench.now().await, Duration::from_secs(3600));
    bench.store().commit(&claim.lease, write(claim.operation, Next::DueAt(much_later))).await.unwrap();
    bench.claim_only(kept.id).await;
}

pub(super) async fn a_second_cancel_only_turns_the_removal_on(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let first = bench.store().request_cancel(kept.id, cancel(false)).await.unwrap();
    assert_eq!(bench.store().request_cancel(kept.id, cancel(false)).await.unwrap(), first);
    let third = bench.store().request_cancel(kept.id, cancel(true)).await.unwrap();
    assert_eq!(third.revision, first.revision + 1);
    assert!(third.cancel.as_ref().is_some_and(|request| request.remove_result));
    assert_eq!(bench.store().request_cancel(kept.id, cancel(false)).await.unwrap(), third);
}

pub(super) async fn an_ended_operation_cannot_be_cancelled(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let (ended, _) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    assert_refused!(bench.store().request_cancel(kept.id, cancel(false)).await, Error::Ended(known) if *known == ended);
    assert_eq!(bench.get(kept.id).await, ended);
}

pub(super) async fn an_unknown_operation_cannot_be_cancelled(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let unknown = bench.record(&lane(1)).await.id;
    assert_refused!(bench.store().request_cancel(unknown, cancel(false)).await, Error::NotFound(id) if id == unknown);
}
