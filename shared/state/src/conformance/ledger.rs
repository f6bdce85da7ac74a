//! Facts of the quota ledger.

use super::Harness;
use super::fixture::{Bench, assert_refused, ending, lane};
use crate::operation::QuotaHold;
use crate::{Error, OnSpent, Turn};

pub(super) async fn units_are_reserved_then_committed(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    let day = bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap();
    assert_eq!(day, bench.rule.day(bench.now().await));
    assert_eq!(bench.counts(&lane(1)).await, (1, 0, 0, 0));
    let read = bench.get(kept.id).await;
    assert_eq!(read.quota, QuotaHold::Committed { day, units: 1 });
    assert_eq!(read.revision, 2);
}

pub(super) async fn a_committed_unit_stays_counted_however_often_it_is_committed(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    for _ in 0..3 {
        bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap();
        let turn = bench.take_turn(&lane(1), kept.id).await;
        assert_eq!(turn, Turn::Reserved { day: bench.rule.day(bench.now().await) });
    }
    assert_eq!(bench.counts(&lane(1)).await, (1, 0, 0, 0));
    assert_eq!(bench.get(kept.id).await.revision, 2);
}

pub(super) async fn released_units_can_be_used_again(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    let reserved = bench.admit(&lane(1)).await;
    let committed = bench.admit(&lane(1)).await;
    bench.store().commit_units(&lane(1), &bench.rule, committed.id).await.unwrap();
    for id in [reserved.id, committed.id] {
        for _ in 0..2 {
            bench.store().release_units(&lane(1), &bench.rule, id).await.unwrap();
        }
        assert_eq!(bench.get(id).await.quota, QuotaHold::Released);
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    bench.admit(&lane(1)).await;
    bench.admit(&lane(1)).await;
}

pub(super) async fn units_without_a_holder_are_released_without_harm(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit_free(&lane(1)).await;
    let unknown = bench.record(&lane(1)).await;
    for id in [kept.id, unknown.id] {
        bench.store().release_units(&lane(1), &bench.rule, id).await.unwrap();
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    assert_eq!(bench.get(kept.id).await, kept);
}

pub(super) async fn a_reservation_lapses_when_its_day_ends(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    bench.pass_reset().await;
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    assert_refused!(bench.store().commit_units(&lane(1), &bench.rule, kept.id).await, Error::QuotaSpent(_));
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    let day = bench.rule.day(bench.now().await);
    assert_eq!(bench.take_turn(&lane(1), kept.id).await, Turn::Reserved { day });
    assert_eq!(bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap(), day);
}

pub(super) async fn a_commitment_counts_on_the_day_that_it_was_made(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let day = bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap();
    bench.pass_reset().await;
    assert_eq!(bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap(), day);
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    bench.store().release_units(&lane(1), &bench.rule, kept.id).await.unwrap();
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
}

pub(super) async fn a_new_day_is_empty(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    for _ in 0..4 {
        let kept = bench.admit(&lane(1)).await;
        bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap();
        assert_eq!(bench.counts(&lane(1)).await, (1, 0, 0, 0));
        bench.pass_reset().await;
        assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    }
}

pub(super) async fn a_lane_marked_spent_refuses_until_the_reset(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    bench.store().commit_units(&lane(1), &bench.rule, kept.id).await.unwrap();
    for _ in 0..2 {
        bench.store().mark_spent(&lane(1), &bench.rule).await.unwrap();
    }
    assert_eq!(bench.counts(&lane(1)).await, (1, 0, 4, 0));
    let picture = bench.store().quota(&lane(1), &bench.rule).await.unwrap();
    assert_eq!(picture.remaining(), Some(0));
    let start = bench.start(&lane(1), OnSpent::Refuse).await;
    assert_refused!(bench.store().admit(start).await, Error::QuotaSpent(_));
    // What comes back was used by somebody else, or the cloud would not have said that nothing is left.
    bench.store().release_units(&lane(1), &bench.rule, kept.id).await.unwrap();
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 5, 0));
    bench.pass_reset().await;
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    bench.admit(&lane(1)).await;
}

pub(super) async fn a_lane_marked_spent_lapses_what_is_not_committed(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    bench.store().mark_spent(&lane(1), &bench.rule).await.unwrap();
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 5, 0));
    assert_refused!(bench.store().commit_units(&lane(1), &bench.rule, kept.id).await, Error::QuotaSpent(_));
    assert_eq!(bench.get(kept.id).await.quota, QuotaHold::Released);
}

pub(super) async fn lanes_count_apart(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    for number in 0..3 {
        bench.admit(&lane(number)).await;
    }
    bench.store().mark_spent(&lane(3), &bench.rule).await.unwrap();
    for number in 0..3 {
        assert_eq!(bench.counts(&lane(number)).await, (0, 1, 0, 0));
    }
}

pub(super) async fn an_unlimited_lane_refuses_nothing(harness: &dyn Harness) {
    let mut bench = Bench::new(harness).await;
    bench.rule.daily_units = None;
    for _ in 0..50 {
        bench.admit(&lane(1)).await;
    }
    let picture = bench.store().quota(&lane(1), &bench.rule).await.unwrap();
    assert_eq!((picture.limit, picture.remaining(), picture.reserved), (None, None, 50));
}

pub(super) async fn an_ended_operation_gets_no_turn(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    let turn = bench.store().take_turn(&lane(1), &bench.rule, kept.id, 1).await;
    assert_refused!(turn, Error::Ended(ended) if ended.id == kept.id);
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
}

pub(super) async fn a_spending_counts_once_for_its_key_and_day(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let day = bench.rule.day(bench.now().await);
    for key in ["undo/1", "undo/2", "undo/1", "undo/2"] {
        assert_eq!(bench.store().spend_units(&lane(1), &bench.rule, key, 1).await.unwrap(), day);
    }
    assert_eq!(bench.counts(&lane(1)).await, (2, 1, 0, 0));
    assert_eq!(bench.counts(&lane(2)).await, (0, 0, 0, 0));
    // The operation of the lane knows nothing of it.
    assert_eq!(bench.get(kept.id).await, kept);
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, "", 1).await, Error::Invalid(_));
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, &"k".repeat(201), 1).await, Error::Invalid(_));
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, "undo/3", 0).await, Error::Invalid(_));
}

pub(super) async fn a_spending_beyond_the_day_is_refused_and_counts_nothing(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    bench.admit(&lane(1)).await;
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 2).await, Error::QuotaSpent(_));
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 1).await.unwrap();
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, "undo/2", 1).await, Error::QuotaSpent(_));
    // What was counted is still known when nothing is left.
    bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 1).await.unwrap();
    assert_eq!(bench.counts(&lane(1)).await, (1, 1, 0, 0));
    bench.store().mark_spent(&lane(2), &bench.rule).await.unwrap();
    assert_refused!(bench.store().spend_units(&lane(2), &bench.rule, "undo/1", 1).await, Error::QuotaSpent(_));
}

pub(super) async fn a_spending_overtakes_nobody_and_moves_nobody_who_fits(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 3).await;
    let held = bench.admit(&lane(1)).await;
    bench.admit(&lane(1)).await;
    // It wants two, and one is left: the one is its own, whoever comes later.
    let waiter = bench.queue_of(&lane(1), 2).await;
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 1).await, Error::QuotaSpent(_));
    bench.store().release_units(&lane(1), &bench.rule, held.id).await.unwrap();
    assert!(bench.is_due(waiter.id).await);
    assert_refused!(bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 1).await, Error::QuotaSpent(_));
    assert!(bench.is_due(waiter.id).await);
}

pub(super) async fn a_spending_is_forgotten_with_its_day(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 1).await.unwrap();
    bench.pass_reset().await;
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
    let day = bench.rule.day(bench.now().await);
    assert_eq!(bench.store().spend_units(&lane(1), &bench.rule, "undo/1", 1).await.unwrap(), day);
    assert_eq!(bench.counts(&lane(1)).await, (1, 0, 0, 0));
}
