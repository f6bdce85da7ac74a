//! Facts of the waiting list.

use std::time::Duration;

use sampan_core::OperationId;

use super::Harness;
use super::fixture::{Bench, assert_refused, lane, later, write};
use crate::operation::{Operation, QuotaHold, State};
use crate::operations::Next;
use crate::{Error, OnSpent, Turn};

fn place(operation: &Operation) -> (u32, jiff::Timestamp) {
    match &operation.quota {
        QuotaHold::Waiting { position, earliest_start: Some(at) } => (*position, *at),
        other => panic!("{} does not wait: {other:?}", operation.id),
    }
}

/// Fills the day of lane 1 with two units and returns who holds them.
async fn full_day(bench: &Bench<'_>) -> [OperationId; 2] {
    [bench.admit(&lane(1)).await.id, bench.admit(&lane(1)).await.id]
}

pub(super) async fn waiters_stand_in_order_of_admission(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    full_day(&bench).await;
    let mut ids = Vec::new();
    for position in 0..4 {
        let waiter = bench.queue(&lane(1)).await;
        assert_eq!(waiter.state, State::WaitingForQuota);
        assert_eq!(place(&waiter).0, position);
        ids.push(waiter.id);
    }
    for (position, id) in (0..).zip(ids) {
        assert_eq!(place(&bench.get(id).await).0, position);
    }
}

pub(super) async fn earliest_starts_spread_over_days(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    full_day(&bench).await;
    for days in [0, 0, 1, 1, 2] {
        let waiter = bench.queue(&lane(1)).await;
        assert_eq!(place(&waiter).1, bench.reset_after(days).await, "{days} days later");
    }
}

pub(super) async fn a_big_waiter_is_not_overtaken_by_a_small_one(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 3).await;
    bench.admit(&lane(1)).await;
    let big = bench.queue_of(&lane(1), 3).await;
    let small = bench.queue_of(&lane(1), 1).await;
    assert_eq!(place(&big), (0, bench.reset_after(0).await));
    assert_eq!(place(&small), (1, bench.reset_after(1).await));
    assert!(matches!(bench.take_turn(&lane(1), small.id).await, Turn::Waiting { position: 1, .. }));
}

pub(super) async fn a_new_start_does_not_overtake_the_waiting_list(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    let [first, second] = full_day(&bench).await;
    let waiter = bench.queue(&lane(1)).await;
    bench.store().release_units(&lane(1), &bench.rule, first).await.unwrap();
    let start = bench.start(&lane(1), OnSpent::Refuse).await;
    assert_refused!(bench.store().admit(start).await, Error::QuotaSpent(_));
    bench.store().release_units(&lane(1), &bench.rule, second).await.unwrap();
    bench.admit(&lane(1)).await;
    assert!(matches!(bench.take_turn(&lane(1), waiter.id).await, Turn::Reserved { .. }));
}

pub(super) async fn a_waiter_gets_its_turn_after_the_reset(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    let running = bench.admit(&lane(1)).await;
    let waiter = bench.queue(&lane(1)).await;
    bench.claim_only(running.id).await;
    assert!(matches!(bench.take_turn(&lane(1), waiter.id).await, Turn::Waiting { position: 0, .. }));
    bench.pass_reset().await;
    let claim = bench.claim_among(waiter.id).await;
    assert_eq!(claim.operation.state, State::WaitingForQuota);
    let day = bench.rule.day(bench.now().await);
    assert_eq!(bench.take_turn(&lane(1), waiter.id).await, Turn::Reserved { day });
    assert_eq!(bench.get(waiter.id).await.quota, QuotaHold::Reserved { day, units: 1 });
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
}

pub(super) async fn a_waiter_beyond_the_days_units_waits_on_after_the_reset(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.admit(&lane(1)).await;
    let first = bench.queue(&lane(1)).await;
    let second = bench.queue(&lane(1)).await;
    bench.pass_reset().await;
    let earliest_start = bench.reset_after(0).await;
    let turn = bench.take_turn(&lane(1), second.id).await;
    assert_eq!(turn, Turn::Waiting { position: 1, earliest_start });
    assert!(matches!(bench.take_turn(&lane(1), first.id).await, Turn::Reserved { .. }));
    let turn = bench.take_turn(&lane(1), second.id).await;
    assert_eq!(turn, Turn::Waiting { position: 0, earliest_start });
    assert!(!bench.is_due(second.id).await);
}

pub(super) async fn a_release_makes_the_next_waiter_due_at_once(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    let [first, _] = full_day(&bench).await;
    let next = bench.queue(&lane(1)).await;
    let last = bench.queue(&lane(1)).await;
    assert!(!bench.is_due(next.id).await);
    bench.store().release_units(&lane(1), &bench.rule, first).await.unwrap();
    let claims: Vec<_> = bench.claim(10).await.into_iter().map(|claim| claim.operation.id).collect();
    assert!(claims.contains(&next.id) && !claims.contains(&last.id), "{claims:?}");
}

pub(super) async fn a_lapsed_reservation_comes_before_those_admitted_later(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    let lapsed = bench.admit(&lane(1)).await;
    let second = bench.queue(&lane(1)).await;
    let third = bench.queue(&lane(1)).await;
    bench.pass_reset().await;
    // Somebody marked the new day too, so nobody starts and everybody lines up.
    bench.store().mark_spent(&lane(1), &bench.rule).await.unwrap();
    let turn = bench.take_turn(&lane(1), lapsed.id).await;
    assert_eq!(turn, Turn::Waiting { position: 0, earliest_start: bench.reset_after(0).await });
    assert_eq!(place(&bench.get(second.id).await), (1, bench.reset_after(1).await));
    assert_eq!(place(&bench.get(third.id).await), (2, bench.reset_after(2).await));
    bench.pass_reset().await;
    assert!(matches!(bench.take_turn(&lane(1), third.id).await, Turn::Waiting { position: 2, .. }));
    assert!(matches!(bench.take_turn(&lane(1), second.id).await, Turn::Waiting { position: 1, .. }));
    assert!(matches!(bench.take_turn(&lane(1), lapsed.id).await, Turn::Reserved { .. }));
    assert!(matches!(bench.take_turn(&lane(1), second.id).await, Turn::Waiting { position: 0, .. }));
}

pub(super) async fn taking_a_turn_twice_counts_once(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 3).await;
    let kept = bench.admit_free(&lane(1)).await;
    for _ in 0..3 {
        assert!(matches!(bench.take_turn(&lane(1), kept.id).await, Turn::Reserved { .. }));
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    bench.store().mark_spent(&lane(1), &bench.rule).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(bench.take_turn(&lane(1), kept.id).await, Turn::Waiting { position: 0, .. }));
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 3, 1));
}

pub(super) async fn a_picture_shows_the_waiting_list(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.admit(&lane(1)).await;
    let mut ids = Vec::new();
    for _ in 0..103 {
        ids.push(bench.queue(&lane(1)).await.id);
    }
    let picture = bench.store().quota(&lane(1), &bench.rule).await.unwrap();
    assert_eq!((picture.waiting_count, picture.waiting.len()), (103, 100));
    for (position, (waiter, id)) in picture.waiting.iter().zip(&ids).enumerate() {
        assert_eq!((waiter.position as usize, waiter.operation), (position, *id));
    }
    assert_eq!(picture.waiting[2].earliest_start, bench.reset_after(2).await);
}

pub(super) async fn a_waiter_that_was_woken_while_claimed_is_due_when_it_is_given_back(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    let first = bench.admit(&lane(1)).await;
    let waiter = bench.queue(&lane(1)).await;
    bench.pass_reset().await;
    bench.store().mark_spent(&lane(1), &bench.rule).await.unwrap();
    bench.pass_reset().await;
    let first_turn = bench.take_turn(&lane(1), first.id).await;
    assert!(matches!(first_turn, Turn::Reserved { .. }));
    let claim = bench.claim_among(waiter.id).await;
    assert!(matches!(bench.take_turn(&lane(1), waiter.id).await, Turn::Waiting { .. }));
    // The unit comes free between the worker's question and its giving the operation back until the reset.
    bench.store().release_units(&lane(1), &bench.rule, first.id).await.unwrap();
    let reset = later(bench.now().await, Duration::from_secs(20 * 3600));
    bench.store().commit(&claim.lease, write(claim.operation, Next::DueAt(reset))).await.unwrap();
    assert!(bench.is_due(waiter.id).await);
}
