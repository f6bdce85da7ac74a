//! Facts of the line for a lane.

use std::time::Duration;

use jiff::Timestamp;
use sampan_core::OperationId;
use serde_json::Value;

use super::Harness;
use super::fixture::{Bench, PAST_TTL, TTL, cancel, ending, lane, later, write};
use crate::operation::{Intent, Operation};
use crate::operations::Next;
use crate::{Claim, LaneLease};

const MOMENT: Duration = Duration::from_millis(1);

/// A lane that somebody holds, and what finds it held.
struct Line<'a> {
    bench: Bench<'a>,
    held: LaneLease,
    began: Timestamp,
}

impl<'a> Line<'a> {
    async fn new(harness: &'a dyn Harness) -> Self {
        let bench = Bench::new(harness).await;
        let held = bench.store().lock_lane(&lane(1), "somebody", TTL).await.unwrap();
        let began = bench.now().await;
        Self { bench, held, began }
    }

    /// Makes an operation that has waited since some seconds before the beginning.
    async fn comes(&self, seconds: u64) -> OperationId {
        let id = self.bench.admit_free(&lane(1)).await.id;
        let claim = self.bench.claim_only(id).await;
        self.stands(claim, seconds).await;
        id
    }

    /// The same, with an open call.
    async fn comes_with_a_call(&self, seconds: u64) -> OperationId {
        let id = self.bench.admit_free(&lane(1)).await.id;
        let mut claim = self.bench.claim_only(id).await;
        announce(&mut claim.operation, self.began);
        self.stands(claim, seconds).await;
        id
    }

    /// Puts a claimed operation into the line.
    async fn stands(&self, claim: Claim, seconds: u64) {
        let since = self.began.checked_sub(jiff::SignedDuration::try_from(Duration::from_secs(seconds)).unwrap());
        let next = Next::InLine { since: since.unwrap(), at_latest: None };
        self.bench.store().commit(&claim.lease, write(claim.operation, next)).await.unwrap();
    }

    async fn frees(&self) {
        self.bench.store().unlock_lane(&self.held).await.unwrap();
    }

    /// Claims the one that is due, locks the lane for it, and gives both back; returns who it was.
    async fn serves(&self) -> Option<OperationId> {
        let mut claims = self.bench.claim(10).await;
        assert!(claims.len() <= 1, "one at a time: {claims:?}");
        let claim = claims.pop()?;
        let held = self.bench.store().lock_lane(&lane(1), "worker", TTL).await.unwrap();
        self.bench.store().commit(&claim.lease, ending(claim.operation.clone())).await.unwrap();
        self.bench.store().unlock_lane(&held).await.unwrap();
        Some(claim.operation.id)
    }
}

fn announce(operation: &mut Operation, now: Timestamp) {
    operation.journal.intent = Some(Intent {
        step: "call".to_owned(),
        action: "Call".to_owned(),
        token: None,
        since: now,
        written: now,
        detail: Value::Null,
    });
}

pub(super) async fn who_stands_in_line_is_due_once_the_lane_is_given_back(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let waits = line.comes(0).await;
    line.bench.advance(Duration::from_secs(20)).await;
    assert!(line.bench.claim(10).await.is_empty(), "nobody asks while the lane is held");
    line.frees().await;
    line.bench.claim_only(waits).await;
}

pub(super) async fn the_lane_goes_from_one_to_the_next_who_waits_longest(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let (second, third, first) = (line.comes(20).await, line.comes(10).await, line.comes(30).await);
    line.frees().await;
    let mut served = Vec::new();
    while let Some(id) = line.serves().await {
        served.push(id);
    }
    assert_eq!(served, [first, second, third]);
}

pub(super) async fn an_open_call_stands_before_all_without_one(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let (third, second, first) =
        (line.comes(100).await, line.comes_with_a_call(1).await, line.comes_with_a_call(2).await);
    line.frees().await;
    let served = [line.serves().await, line.serves().await, line.serves().await, line.serves().await];
    assert_eq!(served, [Some(first), Some(second), Some(third), None]);
}

pub(super) async fn who_was_not_fast_enough_keeps_its_place(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let (first, second) = (line.comes(20).await, line.comes(10).await);
    line.frees().await;
    let claim = line.bench.claim_only(first).await;
    let faster = line.bench.store().lock_lane(&lane(1), "faster", TTL).await.unwrap();
    line.stands(claim, 20).await;
    assert!(line.bench.claim(10).await.is_empty());
    line.bench.store().unlock_lane(&faster).await.unwrap();
    assert_eq!([line.serves().await, line.serves().await], [Some(first), Some(second)]);
}

pub(super) async fn a_lane_that_was_freed_meanwhile_is_not_waited_for(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let id = line.bench.admit_free(&lane(1)).await.id;
    let claim = line.bench.claim_only(id).await;
    line.frees().await;
    line.stands(claim, 0).await;
    line.bench.claim_only(id).await;
}

pub(super) async fn who_needs_the_lane_no_more_passes_the_word_on(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let (first, second) = (line.comes(20).await, line.comes(10).await);
    line.frees().await;
    let claim = line.bench.claim_only(first).await;
    assert!(line.bench.claim(10).await.is_empty());
    line.bench.store().commit(&claim.lease, ending(claim.operation)).await.unwrap();
    line.bench.claim_only(second).await;
}

pub(super) async fn who_left_the_line_is_not_called(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let (first, second) = (line.comes(20).await, line.comes(10).await);
    line.bench.store().request_cancel(first, cancel(false)).await.unwrap();
    let claim = line.bench.claim_only(first).await;
    let later = later(line.bench.now().await, Duration::from_secs(600));
    line.bench.store().commit(&claim.lease, write(claim.operation, Next::DueAt(later))).await.unwrap();
    assert!(line.bench.claim(10).await.is_empty(), "the lane is held");
    line.frees().await;
    line.bench.claim_only(second).await;
}

pub(super) async fn a_lane_that_nobody_gives_back_is_asked_for_one_after_the_other(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let (first, second) = (line.comes(20).await, line.comes(10).await);
    line.bench.advance(TTL - MOMENT).await;
    assert!(line.bench.claim(10).await.is_empty(), "the lease of the lane lives");
    line.bench.advance(MOMENT * 2).await;
    line.bench.claim_only(first).await;
    line.bench.advance(PAST_TTL - TTL).await;
    line.bench.claim_only(second).await;
}

pub(super) async fn nobody_stands_in_line_longer_than_it_said(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let id = line.bench.admit_free(&lane(1)).await.id;
    let claim = line.bench.claim_only(id).await;
    let at_latest = Some(later(line.began, Duration::from_secs(5)));
    let next = Next::InLine { since: line.began, at_latest };
    line.bench.store().commit(&claim.lease, write(claim.operation, next)).await.unwrap();
    line.bench.advance(Duration::from_secs(4)).await;
    assert!(line.bench.claim(10).await.is_empty());
    line.bench.advance(Duration::from_secs(1) + MOMENT).await;
    line.bench.claim_only(id).await;
}

pub(super) async fn a_wake_up_while_somebody_asks_is_not_lost(harness: &dyn Harness) {
    let line = Line::new(harness).await;
    let id = line.comes(0).await;
    line.bench.advance(TTL - MOMENT).await;
    line.bench.store().renew_lane(&line.held, TTL).await.unwrap();
    line.bench.advance(MOMENT * 2).await;
    // It has asked, and was told that the lane is held; then the lane is given back, and only then it stands in line.
    let claim = line.bench.claim_only(id).await;
    line.frees().await;
    line.stands(claim, 0).await;
    line.bench.claim_only(id).await;
}
