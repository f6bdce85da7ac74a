//! Facts of the due queue and of work leases.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Harness;
use super::fixture::{Bench, KIND, PAST_TTL, TTL, assert_refused, ending, lane, later, new, write};
use crate::operations::Next;
use crate::{Error, NewOperation};

fn kinds() -> [String; 1] {
    [KIND.to_owned()]
}

pub(super) async fn nothing_is_claimed_before_it_is_due(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    assert!(bench.claim(10).await.is_empty());
    let operation = bench.record(&lane(1)).await;
    let first_due = Some(later(bench.now().await, Duration::from_micros(1_000_001)));
    let kept = new(bench.store().admit(NewOperation { operation, quota: None, first_due }).await);
    bench.advance(Duration::from_secs(1)).await;
    assert!(bench.claim(10).await.is_empty());
    bench.advance(Duration::from_millis(1)).await;
    bench.claim_only(kept.id).await;
}

pub(super) async fn the_longest_due_is_claimed_first(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut expected = Vec::new();
    for (kind, seconds) in [("export", 3), ("copy", 1), ("export", 2), ("copy", 5), ("export", 4)] {
        let mut operation = bench.record(&lane(1)).await;
        operation.kind = kind.to_owned();
        let first_due = Some(later(bench.now().await, Duration::from_secs(seconds)));
        expected.push((seconds, new(bench.store().admit(NewOperation { operation, quota: None, first_due }).await).id));
    }
    expected.sort_unstable();
    bench.advance(Duration::from_secs(10)).await;
    let both = ["export".to_owned(), "copy".to_owned()];
    let mut claimed = Vec::new();
    for limit in [1, 2, 10] {
        let claims = bench.store().claim(&both, "w", limit, TTL).await.unwrap();
        claimed.extend(claims.iter().map(|claim| claim.operation.id));
    }
    assert_eq!(claimed, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

pub(super) async fn only_the_wanted_kinds_are_claimed(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut ids = HashMap::new();
    for kind in ["export", "exporter", "copy"] {
        let mut operation = bench.record(&lane(1)).await;
        operation.kind = kind.to_owned();
        ids.insert(kind, operation.id);
        new(bench.store().admit(NewOperation { operation, quota: None, first_due: None }).await);
    }
    assert!(bench.store().claim(&[], "w", 10, TTL).await.unwrap().is_empty());
    let claims = bench.store().claim(&kinds(), "w", 10, TTL).await.unwrap();
    assert_eq!(claims.iter().map(|claim| claim.operation.id).collect::<Vec<_>>(), [ids["export"]]);
    let both = ["copy".to_owned(), "exporter".to_owned(), "export".to_owned(), "copy".to_owned()];
    assert_eq!(bench.store().claim(&both, "w", 10, TTL).await.unwrap().len(), 2);
}

pub(super) async fn a_claimed_operation_is_not_claimed_again(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    assert_eq!(claim.operation, kept);
    assert_eq!((claim.lease.operation, claim.lease.expires), (kept.id, later(bench.now().await, TTL)));
    assert!(bench.claim(10).await.is_empty());
}

pub(super) async fn each_due_operation_goes_to_one_of_many_claimers(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    for _ in 0..100 {
        bench.admit_free(&lane(1)).await;
    }
    let mut claimers = JoinSet::new();
    for number in 0..32 {
        let store = bench.store();
        claimers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claims = store.claim(&kinds(), &format!("worker-{number}"), 3, TTL).await.unwrap();
                if claims.is_empty() {
                    return mine;
                }
                mine.extend(claims.into_iter().map(|claim| claim.operation.id));
            }
        });
    }
    let mut all: Vec<_> = claimers.join_all().await.into_iter().flatten().collect();
    assert_eq!(all.len(), 100);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 100);
}

pub(super) async fn an_expired_lease_is_claimed_with_a_higher_fence_and_the_old_commit_is_refused(
    harness: &dyn Harness,
) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let old = bench.claim_only(kept.id).await;
    bench.advance(PAST_TTL).await;
    let taken = bench.store().claim(&kinds(), "worker-2", 10, TTL).await.unwrap().remove(0);
    assert!(taken.lease.fence > old.lease.fence);
    let stale = bench.store().commit(&old.lease, ending(old.operation.clone())).await;
    assert_refused!(stale, Error::LeaseLost(_));
    assert_eq!(bench.get(kept.id).await, kept);
    // The same owner's older claim is as stale as another owner's.
    bench.advance(PAST_TTL).await;
    let third = bench.claim_only(kept.id).await;
    let stale = bench.store().commit(&old.lease, ending(old.operation)).await;
    assert_refused!(stale, Error::LeaseLost(_));
    bench.store().commit(&third.lease, ending(third.operation)).await.unwrap();
}

pub(super) async fn a_renewed_lease_lives_longer(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.advance(Duration::from_secs(20)).await;
    let renewed = bench.store().renew(&claim.lease, TTL).await.unwrap();
    assert_eq!((renewed.fence, renewed.expires), (claim.lease.fence, later(bench.now().await, TTL)));
    bench.advance(Duration::from_secs(20)).await;
    assert!(bench.claim(10).await.is_empty());
    let now = bench.now().await;
    bench.store().commit(&renewed, write(claim.operation, Next::DueAt(now))).await.unwrap();
}

pub(super) async fn a_lease_that_ran_out_cannot_be_renewed(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    bench.advance(PAST_TTL).await;
    assert_refused!(bench.store().renew(&claim.lease, TTL).await, Error::LeaseLost(_));
    bench.claim_only(kept.id).await;
    assert_refused!(bench.store().renew(&claim.lease, TTL).await, Error::LeaseLost(_));
}
