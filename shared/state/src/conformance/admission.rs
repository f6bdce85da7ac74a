//! Facts of admission.

use std::time::Duration;

use tokio::task::JoinSet;

use super::Harness;
use super::fixture::{Bench, KIND, assert_refused, ending, lane, later, new, record, request_id};
use crate::operation::{QuotaHold, State};
use crate::{Admitted, Error, NewOperation, OnSpent};

pub(super) async fn a_start_is_kept_as_given_with_the_stores_own_fields(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let start = bench.start(&lane(1), OnSpent::Refuse).await;
    let given = start.operation.clone();
    let kept = new(bench.store().admit(start).await);
    let day = bench.rule.day(bench.now().await);
    assert_eq!(kept.revision, 1);
    assert_eq!(kept.state, State::Running);
    assert_eq!(kept.quota, QuotaHold::Reserved { day, units: 1 });
    assert_eq!(kept.created, kept.updated);
    assert_eq!((&kept.request, &kept.labels, &kept.targets), (&given.request, &given.labels, &given.targets));
    assert_eq!(bench.get(given.id).await, kept);
}

pub(super) async fn a_repeat_of_an_admission_counts_nothing_twice(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let start = bench.start(&lane(1), OnSpent::Refuse).await;
    let first = new(bench.store().admit(start.clone()).await);
    for _ in 0..10 {
        assert_eq!(new(bench.store().admit(start.clone()).await), first);
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    bench.claim_only(first.id).await;
}

pub(super) async fn an_equal_request_with_a_known_request_id_returns_the_first_operation(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut first = bench.start(&lane(1), OnSpent::Refuse).await;
    first.operation.request_id = Some(request_id(1));
    let mut second = bench.start(&lane(1), OnSpent::Refuse).await;
    second.operation.request_id = Some(request_id(1));
    let kept = new(bench.store().admit(first).await);
    assert_eq!(bench.store().admit(second.clone()).await.unwrap(), Admitted::Existing(kept));
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    assert_refused!(bench.store().get(second.operation.id).await, Error::NotFound(_));
}

pub(super) async fn another_request_with_a_known_request_id_is_refused_and_named(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut first = bench.start(&lane(1), OnSpent::Refuse).await;
    first.operation.request_id = Some(request_id(1));
    let mut second = bench.start(&lane(1), OnSpent::Refuse).await;
    second.operation.request_id = Some(request_id(1));
    second.operation.request_digest = "digest-2".to_owned();
    let kept = new(bench.store().admit(first).await);
    match bench.store().admit(second.clone()).await {
        Err(Error::RequestIdReused { request_id: named, existing }) => {
            assert_eq!(named, request_id(1));
            assert_eq!(*existing, kept);
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    assert_refused!(bench.store().get(second.operation.id).await, Error::NotFound(_));
}

pub(super) async fn the_same_request_id_of_another_caller_is_another_request(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    for caller in ["ci", "ci-2", ""] {
        let mut start = bench.start(&lane(1), OnSpent::Refuse).await;
        start.operation.request_id = Some(request_id(1));
        start.operation.caller = caller.to_owned();
        new(bench.store().admit(start).await);
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 3, 0, 0));
}

pub(super) async fn a_request_id_is_known_after_its_operation_has_ended(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut start = bench.start(&lane(1), OnSpent::Refuse).await;
    start.operation.request_id = Some(request_id(1));
    let kept = new(bench.store().admit(start.clone()).await);
    let claim = bench.claim_only(kept.id).await;
    bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    start.operation.id = bench.record(&lane(1)).await.id;
    match bench.store().admit(start).await.unwrap() {
        Admitted::Existing(known) => assert_eq!((known.id, known.state), (kept.id, State::Succeeded)),
        Admitted::New(other) => panic!("{} was started again", other.id),
    }
}

pub(super) async fn a_refused_start_keeps_nothing_and_its_request_id_stays_free(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.admit(&lane(1)).await;
    let mut refused = bench.start(&lane(1), OnSpent::Refuse).await;
    refused.operation.request_id = Some(request_id(1));
    assert_refused!(bench.store().admit(refused.clone()).await, Error::QuotaSpent(_));
    assert_refused!(bench.store().get(refused.operation.id).await, Error::NotFound(_));
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
    assert_eq!(bench.claim(10).await.len(), 1);
    bench.pass_reset().await;
    assert_eq!(new(bench.store().admit(refused.clone()).await).id, refused.operation.id);
}

pub(super) async fn the_sixth_start_of_the_day_is_refused_until_the_reset(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    for _ in 0..5 {
        bench.admit(&lane(1)).await;
    }
    let refused = bench.start(&lane(1), OnSpent::Refuse).await;
    match bench.store().admit(refused).await {
        Err(Error::QuotaSpent(picture)) => {
            assert_eq!(picture.remaining(), Some(0));
            assert_eq!((picture.limit, picture.reserved, picture.waiting_count), (Some(5), 5, 0));
            assert_eq!(picture.resets_at, bench.rule.resets_at(bench.now().await));
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    bench.pass_reset().await;
    bench.admit(&lane(1)).await;
}

pub(super) async fn a_start_that_needs_more_than_a_whole_day_is_refused(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 2).await;
    for on_spent in [OnSpent::Refuse, OnSpent::Queue] {
        let start = bench.start_of(&lane(1), 3, on_spent).await;
        assert_refused!(bench.store().admit(start).await, Error::QuotaSpent(_));
    }
    assert_eq!(bench.counts(&lane(1)).await, (0, 0, 0, 0));
}

pub(super) async fn a_start_without_quota_runs_at_once(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 0).await;
    let kept = bench.admit_free(&lane(1)).await;
    assert_eq!((kept.state, &kept.quota), (State::Running, &QuotaHold::None));
    bench.claim_only(kept.id).await;
}

pub(super) async fn a_later_first_step_is_due_later(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let wait = Duration::from_secs(60);
    let mut start = bench.start(&lane(1), OnSpent::Refuse).await;
    start.first_due = Some(later(bench.now().await, wait));
    let kept = new(bench.store().admit(start).await);
    bench.advance(wait - Duration::from_secs(1)).await;
    assert!(bench.claim(10).await.is_empty());
    bench.advance(Duration::from_secs(1)).await;
    bench.claim_only(kept.id).await;
}

pub(super) async fn callers_at_once_admit_exactly_the_limit_of_each_lane(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut callers = JoinSet::new();
    for number in 0..64 {
        let store = bench.store();
        let lane = lane(number % 7);
        let mut starts = Vec::new();
        for _ in 0..2 {
            starts.push(bench.start(&lane, OnSpent::Refuse).await);
        }
        callers.spawn(async move {
            let mut admitted = 0;
            for start in starts {
                match store.admit(start).await {
                    Ok(_) => admitted += 1,
                    Err(Error::QuotaSpent(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            admitted
        });
    }
    assert_eq!(callers.join_all().await.iter().sum::<u32>(), 35);
    for number in 0..7 {
        assert_eq!(bench.counts(&lane(number)).await, (0, 5, 0, 0));
    }
}

pub(super) async fn a_request_that_arrives_many_times_at_once_starts_one_operation(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let now = bench.now().await;
    let mut callers = JoinSet::new();
    for _ in 0..32 {
        let store = bench.store();
        let mut start = bench.start(&lane(1), OnSpent::Refuse).await;
        start.operation = record(start.operation.id, &lane(1), now);
        start.operation.request_id = Some(request_id(1));
        callers.spawn(async move { store.admit(NewOperation { first_due: None, ..start }).await.unwrap() });
    }
    let admitted = callers.join_all().await;
    assert_eq!(admitted.iter().filter(|admitted| matches!(admitted, Admitted::New(_))).count(), 1);
    let claims = bench.store().claim(&[KIND.to_owned()], "worker-1", 64, Duration::from_secs(30)).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(bench.counts(&lane(1)).await, (0, 1, 0, 0));
}
