//! Facts of getting and listing.

use std::time::Duration;

use sampan_core::{Cloud, Lane};

use super::Harness;
use super::fixture::{Bench, assert_refused, ending, lane, new};
use crate::operation::{QuotaHold, State};
use crate::{Error, ListQuery, NewOperation};

pub(super) async fn an_unknown_operation_is_not_found(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let unknown = bench.record(&lane(1)).await.id;
    assert_refused!(bench.store().get(unknown).await, Error::NotFound(id) if id == unknown);
}

pub(super) async fn a_list_is_newest_first_and_pages_without_gap_or_repeat(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.insert(0, bench.admit_free(&lane(1)).await.id);
        bench.advance(Duration::from_millis(1)).await;
    }
    let mut query = ListQuery { page_size: 3, ..ListQuery::default() };
    let mut seen = Vec::new();
    for more in [true, true, false] {
        let page = bench.store().list(&query).await.unwrap();
        assert_eq!(page.more, more);
        seen.extend(page.operations.iter().map(|operation| operation.id));
        query.before = seen.last().copied();
        // What is started meanwhile shifts no page.
        bench.admit_free(&lane(1)).await;
    }
    assert_eq!(seen, expected);
    query.page_size = 100;
    assert_eq!(bench.store().list(&query).await.unwrap().operations, []);
}

pub(super) async fn a_list_keeps_to_its_filters(harness: &dyn Harness) {
    let bench = Bench::new(harness).await;
    let plain = bench.admit_free(&lane(1)).await;
    let mut other = bench.record(&lane(1)).await;
    other.kind = "copy".to_owned();
    other.caller = "alice".to_owned();
    other.labels = [("team".to_owned(), "ops".to_owned()), ("tier".to_owned(), "1".to_owned())].into();
    other.lane =
        Lane { cloud: Cloud::Alibaba, account: "other".parse().unwrap(), region: "cn-hangzhou".parse().unwrap() };
    let other = new(bench.store().admit(NewOperation { operation: other, quota: None, first_due: None }).await);
    let claim = bench.claim_only(plain.id).await;
    bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    let all = ListQuery { page_size: 10, ..ListQuery::default() };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let only_other = [
        ListQuery { kinds: vec!["copy".to_owned(), "share".to_owned()], ..all.clone() },
        ListQuery { states: vec![State::Running, State::Failed], ..all.clone() },
        ListQuery { cloud: Some(Cloud::Alibaba), ..all.clone() },
        ListQuery { account: Some("other".to_owned()), ..all.clone() },
        ListQuery { region: Some("cn-hangzhou".to_owned()), ..all.clone() },
        ListQuery { caller: Some("alice".to_owned()), ..all.clone() },
        ListQuery { labels: vec![label("tier", "1"), label("team", "ops")], ..all.clone() },
    ];
    for query in only_other {
        let page = bench.store().list(&query).await.unwrap();
        let ids: Vec<_> = page.operations.iter().map(|operation| operation.id).collect();
        assert_eq!((ids, page.more), (vec![other.id], false), "{query:?}");
    }
    assert_eq!(bench.store().list(&all).await.unwrap().operations.len(), 2);
    let none = ListQuery { labels: vec![label("team", "ops"), label("tier", "2")], ..all };
    assert_eq!(bench.store().list(&none).await.unwrap().operations, []);
}

pub(super) async fn a_list_shows_places_in_the_waiting_list(harness: &dyn Harness) {
    let bench = Bench::with_units(harness, 1).await;
    bench.admit(&lane(1)).await;
    for _ in 0..2 {
        bench.advance(Duration::from_millis(1)).await;
        bench.queue(&lane(1)).await;
    }
    let query = ListQuery { states: vec![State::WaitingForQuota], page_size: 10, ..ListQuery::default() };
    let page = bench.store().list(&query).await.unwrap();
    let expected = [
        QuotaHold::Waiting { position: 1, earliest_start: Some(bench.reset_after(1).await) },
        QuotaHold::Waiting { position: 0, earliest_start: Some(bench.reset_after(0).await) },
    ];
    assert_eq!(page.operations.into_iter().map(|operation| operation.quota).collect::<Vec<_>>(), expected);
}
