//! Facts of a store that is closed and opened again.

use super::Harness;
use super::fixture::{Bench, PAST_TTL, TTL, assert_refused, cancel, ending, lane, new, request_id, write};
use crate::operations::Next;
use crate::{Admitted, Error, ListQuery, OnSpent, Turn};

pub(super) async fn a_restart_loses_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let ended = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(ended.id).await;
    bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    let cancelled = bench.admit(&lane(1)).await;
    bench.store().request_cancel(cancelled.id, cancel(true)).await.unwrap();
    let held = bench.claim_only(cancelled.id).await;
    let due = bench.admit(&lane(1)).await;
    let all = ListQuery { page_size: 100, ..ListQuery::default() };
    let before = bench.store().list(&all).await.unwrap();
    let picture = bench.store().quota(&lane(1), &bench.rule).await.unwrap();
    harness.restart().await;
    assert_eq!(bench.store().list(&all).await.unwrap(), before);
    assert_eq!(bench.store().quota(&lane(1), &bench.rule).await.unwrap(), picture);
    bench.claim_only(due.id).await;
    // A worker that outlived the store's restart goes on with its lease.
    bench.store().commit(&held.lease, write(held.operation, Next::Keep(TTL))).await.unwrap();
}

pub(super) async fn fences_never_decrease_over_a_restart(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let lane_lease = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    harness.restart().await;
    assert_refused!(bench.store().lock_lane(&lane(1), "b", TTL).await, Error::LaneHeld { .. });
    bench.advance(PAST_TTL).await;
    assert!(bench.store().lock_lane(&lane(1), "b", TTL).await.unwrap().fence > lane_lease.fence);
    assert!(bench.claim_only(kept.id).await.lease.fence > claim.lease.fence);
    assert_refused!(bench.store().commit(&claim.lease, ending(claim.operation)).await, Error::LeaseLost(_));
}

pub(super) async fn quota_and_waiting_list_survive_a_restart(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    let first = bench.admit(&lane(1)).await;
    let second = bench.queue(&lane(1)).await;
    let third = bench.queue(&lane(1)).await;
    harness.restart().await;
    assert_eq!(bench.get(second.id).await, second);
    assert_eq!(bench.get(third.id).await, third);
    // A cancel comes without a rule: the store knows the lane's own.
    bench.store().request_cancel(second.id, cancel(false)).await.unwrap();
    bench.store().release_units(&lane(1), &bench.rule, first.id).await.unwrap();
    assert!(bench.is_due(third.id).await);
    let fourth = bench.queue(&lane(1)).await;
    assert!(matches!(bench.take_turn(&lane(1), fourth.id).await, Turn::Waiting { position: 1, .. }));
}

pub(super) async fn a_request_id_is_known_after_a_restart(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut start = bench.start(&lane(1), OnSpent::Refuse).await;
    start.operation.request_id = Some(request_id(1));
    let kept = new(bench.store().admit(start.clone()).await);
    harness.restart().await;
    assert_eq!(new(bench.store().admit(start.clone()).await), kept);
    start.operation.id = bench.record(&lane(1)).await.id;
    assert_eq!(bench.store().admit(start).await.unwrap(), Admitted::Existing(kept));
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
}
