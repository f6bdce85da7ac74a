//! Facts of the lane locks.

use std::time::Duration;

use tokio::task::JoinSet;

use super::Harness;
use super::fixture::{Bench, PAST_TTL, TTL, assert_refused, lane, later};
use crate::{Error, LaneLease};

pub(super) async fn a_lane_is_held_by_one_owner(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let lease = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    assert_eq!((&lease.lane, lease.owner.as_str()), (&lane(1), "a"));
    assert_eq!(lease.expires, later(bench.now().await, TTL));
    match bench.store().lock_lane(&lane(1), "b", TTL).await {
        Err(Error::LaneHeld { lane: held, until }) => assert_eq!((held, until), (lane(1), lease.expires)),
        other => panic!("expected a refusal, got {other:?}"),
    }
    bench.store().lock_lane(&lane(2), "b", TTL).await.unwrap();
}

pub(super) async fn the_owner_is_granted_its_lane_again_with_a_higher_fence(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let first = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let second = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    assert!(second.fence > first.fence);
}

pub(super) async fn an_expired_lane_is_granted_to_another_with_a_higher_fence(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let first = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    bench.advance(PAST_TTL).await;
    let second = bench.store().lock_lane(&lane(1), "b", TTL).await.unwrap();
    assert!(second.fence > first.fence);
}

pub(super) async fn a_renewed_lane_keeps_its_fence_and_lives_longer(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let first = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    bench.advance(Duration::from_secs(20)).await;
    let renewed = bench.store().renew_lane(&first, TTL).await.unwrap();
    assert_eq!(renewed, LaneLease { expires: later(bench.now().await, TTL), ..first });
    bench.advance(Duration::from_secs(20)).await;
    assert_refused!(bench.store().lock_lane(&lane(1), "b", TTL).await, Error::LaneHeld { .. });
}

pub(super) async fn a_lane_that_ran_out_cannot_be_renewed(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let lease = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    bench.advance(PAST_TTL).await;
    assert_refused!(bench.store().renew_lane(&lease, TTL).await, Error::LeaseLost(_));
    bench.store().lock_lane(&lane(1), "b", TTL).await.unwrap();
}

pub(super) async fn a_lane_that_was_granted_anew_cannot_be_renewed_by_the_old_lease(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let old = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let new = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    assert_refused!(bench.store().renew_lane(&old, TTL).await, Error::LeaseLost(_));
    bench.store().renew_lane(&new, TTL).await.unwrap();
}

pub(super) async fn only_the_owner_gives_a_lane_back(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let old = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let lease = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    let foreign = LaneLease { owner: "b".to_owned(), ..lease.clone() };
    for other in [old, foreign] {
        bench.store().unlock_lane(&other).await.unwrap();
        assert_refused!(bench.store().lock_lane(&lane(1), "b", TTL).await, Error::LaneHeld { .. });
    }
    bench.store().renew_lane(&lease, TTL).await.unwrap();
}

pub(super) async fn a_lane_given_back_is_free_and_its_fence_grows_on(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let first = bench.store().lock_lane(&lane(1), "a", TTL).await.unwrap();
    for _ in 0..2 {
        bench.store().unlock_lane(&first).await.unwrap();
    }
    assert_refused!(bench.store().renew_lane(&first, TTL).await, Error::LeaseLost(_));
    let second = bench.store().lock_lane(&lane(1), "b", TTL).await.unwrap();
    assert!(second.fence > first.fence);
}

pub(super) async fn one_of_many_gets_the_lane(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut owners = JoinSet::new();
    for number in 0..32 {
        let store = bench.store();
        owners.spawn(async move { store.lock_lane(&lane(1), &format!("owner-{number}"), TTL).await });
    }
    let granted = owners.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(granted, 1);
}
