//! Facts of waiting for changes and for work.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::Harness;
use super::fixture::{Bench, KIND, TTL, assert_refused, ending, lane, later, write};
use crate::operation::State;
use crate::operations::Next;
use crate::{Error, NewOperation};

/// Longer than any wait that ends by an event, shorter than a person's patience.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn a_change_wakes_its_watcher(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let (store, id) = (bench.store(), kept.id);
    let mut watchers = JoinSet::new();
    watchers.spawn(async move { store.changed(id, 1).await.unwrap() });
    let (written, _) = bench.store().commit(&claim.lease, write(claim.operation, Next::Keep(TTL))).await.unwrap();
    let seen = timeout(PATIENCE, watchers.join_next()).await.expect("woken").unwrap().unwrap();
    assert_eq!(seen, written);
}

pub(super) async fn a_watcher_that_is_late_gets_the_newest_revision_at_once(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let mut operation = claim.operation;
    for percent in 1..=5 {
        operation.percent = Some(percent);
        operation = bench.store().commit(&claim.lease, write(operation, Next::Keep(TTL))).await.unwrap().0;
    }
    for after in [0, 1, 5] {
        let seen = timeout(PATIENCE, bench.store().changed(kept.id, after)).await.expect("at once").unwrap();
        assert_eq!(seen, operation);
    }
    assert!(timeout(Duration::from_millis(20), bench.store().changed(kept.id, 6)).await.is_err());
}

pub(super) async fn a_slow_watcher_never_misses_the_final_state(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut watchers = JoinSet::new();
    let mut claims = Vec::new();
    for _ in 0..8 {
        let kept = bench.admit_free(&lane(1)).await;
        claims.push(bench.claim_only(kept.id).await);
        let store = bench.store();
        watchers.spawn(async move {
            let mut seen = 0;
            loop {
                let operation = store.changed(kept.id, seen).await.unwrap();
                assert!(operation.revision > seen, "revisions only grow");
                seen = operation.revision;
                if operation.state.is_final() {
                    return (operation.state, operation.revision);
                }
            }
        });
    }
    for claim in claims {
        let mut operation = claim.operation;
        for percent in 1..=20 {
            operation.percent = Some(percent);
            operation = bench.store().commit(&claim.lease, write(operation, Next::Keep(TTL))).await.unwrap().0;
        }
        bench.store().commit(&claim.lease, ending(operation)).await.unwrap();
    }
    let finals = timeout(PATIENCE, watchers.join_all()).await.expect("every watcher ends");
    assert_eq!(finals, [(State::Succeeded, 22); 8]);
}

pub(super) async fn an_ended_operation_is_returned_whatever_revision_is_known(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let kept = bench.admit(&lane(1)).await;
    let claim = bench.claim_only(kept.id).await;
    let (ended, _) = bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    for after in [0, ended.revision, u64::MAX] {
        let seen = timeout(PATIENCE, bench.store().changed(kept.id, after)).await.expect("at once").unwrap();
        assert_eq!(seen, ended);
    }
}

pub(super) async fn an_unknown_operation_cannot_be_watched(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let unknown = bench.record(&lane(1)).await.id;
    let watched = timeout(PATIENCE, bench.store().changed(unknown, 0)).await.expect("at once");
    assert_refused!(watched, Error::NotFound(_));
}

pub(super) async fn something_due_ends_the_wait_at_once(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    bench.admit(&lane(1)).await;
    timeout(PATIENCE, bench.store().wait_due(&[KIND.to_owned()], Duration::from_secs(3600))).await.expect("at once");
}

pub(super) async fn a_new_start_ends_the_wait_for_work(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let store = bench.store();
    let mut waits = JoinSet::new();
    waits.spawn(async move { store.wait_due(&[KIND.to_owned()], Duration::from_secs(3600)).await });
    bench.admit(&lane(1)).await;
    timeout(PATIENCE, waits.join_next()).await.expect("woken");
}

pub(super) async fn a_jump_of_the_clock_ends_the_wait_for_work(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let operation = bench.record(&lane(1)).await;
    let first_due = Some(later(bench.now().await, Duration::from_secs(7200)));
    bench.store().admit(NewOperation { operation, quota: None, first_due }).await.unwrap();
    let store = bench.store();
    let mut waits = JoinSet::new();
    waits.spawn(async move { store.wait_due(&[KIND.to_owned()], Duration::from_secs(3600)).await });
    bench.advance(Duration::from_secs(7200)).await;
    timeout(PATIENCE, waits.join_next()).await.expect("woken");
}

pub(super) async fn a_wait_for_work_ends_when_its_time_is_up(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let at_most = Duration::from_millis(30);
    let started = Instant::now();
    let waited = timeout(PATIENCE, bench.store().wait_due(&["no such kind".to_owned()], at_most)).await;
    waited.expect("the time is up");
    assert!(started.elapsed() < PATIENCE);
}
