//! What the cases share: lanes, rules, starts and short ways to say common things.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId, RequestId};
use serde_json::{Value, json};

use super::Harness;
use crate::operation::{CancelRequest, Journal, Operation, QuotaHold, RECORD_VERSION, State, Target, TargetState};
use crate::operations::{Claim, Commit, Next, UnitsChange};
use crate::{Admitted, Error, NewOperation, OnSpent, QuotaRequest, SharedStore};

/// Kind of the operations.
pub(super) const KIND: &str = "export";
/// A lease long enough for a case.
pub(super) const TTL: Duration = Duration::from_secs(30);
/// A time after which a lease of [`TTL`] has run out.
pub(super) const PAST_TTL: Duration = Duration::from_secs(31);
/// Owner of leases where it does not matter.
pub(super) const WORKER: &str = "worker-1";

/// Returns a lane of its own for each number.
pub(super) fn lane(number: u32) -> Lane {
    Lane {
        cloud: sampan_core::Cloud::Tencent,
        account: "prod-cn".parse().unwrap(),
        region: format!("ap-region-{number}").parse().unwrap(),
    }
}

/// A store, with a rule whose day began about twelve hours ago by the store's clock.
pub(super) struct Bench<'a> {
    pub(super) harness: &'a dyn Harness,
    pub(super) rule: QuotaRule,
}

impl<'a> Bench<'a> {
    /// Begins a case with lanes of `daily` units.
    pub(super) async fn with_units(harness: &'a dyn Harness, daily: u32) -> Self {
        let now = harness.store().now().await.unwrap();
        let noon = i16::try_from(12 * 60).unwrap();
        let utc = now.to_zoned(TimeZone::UTC);
        let minutes = i16::from(utc.hour()) * 60 + i16::from(utc.minute());
        Self { harness, rule: QuotaRule { daily_units: Some(daily), utc_offset_minutes: noon - minutes } }
    }

    /// Begins a case with lanes of five units.
    pub(super) async fn new(harness: &'a dyn Harness) -> Self {
        Self::with_units(harness, 5).await
    }

    pub(super) fn store(&self) -> SharedStore {
        self.harness.store()
    }

    pub(super) async fn now(&self) -> Timestamp {
        self.store().now().await.unwrap()
    }

    pub(super) async fn advance(&self, by: Duration) {
        self.harness.advance(by).await;
    }

    /// Moves to just after the next reset.
    pub(super) async fn pass_reset(&self) {
        let now = self.now().await;
        let left = self.rule.resets_at(now).duration_since(now);
        self.advance(Duration::try_from(left).unwrap() + Duration::from_secs(1)).await;
    }

    /// Returns the instant of the reset after `days` whole days.
    pub(super) async fn reset_after(&self, days: u32) -> Timestamp {
        let mut at = self.rule.resets_at(self.now().await);
        for _ in 0..days {
            at = self.rule.resets_at(at);
        }
        at
    }

    /// Returns a record as an engine gives it to the store.
    pub(super) async fn record(&self, lane: &Lane) -> Operation {
        let now = self.now().await;
        record(OperationId::generate(now), lane, now)
    }

    /// Returns a start of one unit.
    pub(super) async fn start(&self, lane: &Lane, on_spent: OnSpent) -> NewOperation {
        self.start_of(lane, 1, on_spent).await
    }

    pub(super) async fn start_of(&self, lane: &Lane, units: u32, on_spent: OnSpent) -> NewOperation {
        let quota = QuotaRequest { units, rule: self.rule.clone(), on_spent };
        NewOperation { operation: self.record(lane).await, quota: Some(quota), first_due: None }
    }

    /// Admits one operation of one unit, which must be there.
    pub(super) async fn admit(&self, lane: &Lane) -> Operation {
        new(self.store().admit(self.start(lane, OnSpent::Refuse).await).await)
    }

    /// Admits one operation of one unit, or puts it into the waiting list.
    pub(super) async fn queue(&self, lane: &Lane) -> Operation {
        self.queue_of(lane, 1).await
    }

    pub(super) async fn queue_of(&self, lane: &Lane, units: u32) -> Operation {
        new(self.store().admit(self.start_of(lane, units, OnSpent::Queue).await).await)
    }

    /// Admits an operation that needs no quota.
    pub(super) async fn admit_free(&self, lane: &Lane) -> Operation {
        let operation = self.record(lane).await;
        new(self.store().admit(NewOperation { operation, quota: None, first_due: None }).await)
    }

    /// Claims what is due.
    pub(super) async fn claim(&self, limit: u32) -> Vec<Claim> {
        self.store().claim(&[KIND.to_owned()], WORKER, limit, TTL).await.unwrap()
    }

    /// Claims one operation, which must be the given one.
    pub(super) async fn claim_only(&self, id: OperationId) -> Claim {
        let mut claims = self.claim(10).await;
        assert_eq!(claims.iter().map(|claim| claim.operation.id).collect::<Vec<_>>(), [id]);
        claims.remove(0)
    }

    /// Claims everything that is due and gives back the claim of the given operation.
    pub(super) async fn claim_among(&self, id: OperationId) -> Claim {
        let claims = self.claim(100).await;
        claims.into_iter().find(|claim| claim.operation.id == id).expect("the operation is due")
    }

    pub(super) async fn get(&self, id: OperationId) -> Operation {
        self.store().get(id).await.unwrap()
    }

    pub(super) async fn take_turn(&self, lane: &Lane, id: OperationId) -> crate::Turn {
        self.store().take_turn(lane, &self.rule, id, 1).await.unwrap()
    }

    /// Returns committed, reserved, spent elsewhere and waiting of the lane.
    pub(super) async fn counts(&self, lane: &Lane) -> (u32, u32, u32, u32) {
        let picture = self.store().quota(lane, &self.rule).await.unwrap();
        (picture.committed, picture.reserved, picture.spent_elsewhere, picture.waiting_count)
    }

    /// Returns whether the operation is due now, without claiming anything for long.
    pub(super) async fn is_due(&self, id: OperationId) -> bool {
        let claims = self.claim(100).await;
        let is_due = claims.iter().any(|claim| claim.operation.id == id);
        for claim in claims {
            let due = self.now().await;
            let commit = write(claim.operation, Next::DueAt(due));
            self.store().commit(&claim.lease, commit).await.unwrap();
        }
        is_due
    }
}

/// Returns a record as an engine makes it.
pub(crate) fn record(id: OperationId, lane: &Lane, now: Timestamp) -> Operation {
    Operation {
        version: RECORD_VERSION,
        id,
        kind: KIND.to_owned(),
        lane: lane.clone(),
        caller: "ci".to_owned(),
        labels: [("team".to_owned(), "images".to_owned())].into(),
        request_id: None,
        request: json!({ "image": "img-1" }).into(),
        request_digest: "digest-1".to_owned(),
        state: State::Running,
        targets: vec![target("xvda")],
        quota: QuotaHold::None,
        units: 1,
        on_spent: OnSpent::Refuse,
        journal: Journal::default(),
        percent: None,
        warnings: Vec::new(),
        failure: None,
        cancel: None,
        result: None,
        created: now,
        started: None,
        last_progress: None,
        updated: now,
        finished: None,
        deadline: None,
        stalled_since: None,
        trace_parent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        revision: 0,
    }
}

fn target(id: &str) -> Target {
    Target {
        id: id.to_owned(),
        label: "system disk".to_owned(),
        state: TargetState::Pending,
        percent: None,
        cloud_ids: Default::default(),
        failure: None,
        attempts: 0,
        started: None,
        last_progress: None,
        finished: None,
        facts: Value::Null,
    }
}

/// Returns the operation of an admission that must be new.
pub(super) fn new(admitted: Result<Admitted, Error>) -> Operation {
    match admitted.unwrap() {
        Admitted::New(operation) => operation,
        Admitted::Existing(operation) => panic!("{} was known", operation.id),
    }
}

/// Returns a request id of its own for each number.
pub(super) fn request_id(number: u32) -> RequestId {
    format!("0190a5b2-0000-7000-8000-{number:012x}").parse().unwrap()
}

/// Returns a commit that changes no units.
pub(super) fn write(operation: Operation, next: Next) -> Commit {
    Commit { operation, next, units: UnitsChange::Leave, rule: None, lane: None }
}

/// Returns a commit that ends the operation well.
pub(super) fn ending(mut operation: Operation) -> Commit {
    operation.state = State::Succeeded;
    write(operation, Next::Ended)
}

pub(super) fn cancel(remove_result: bool) -> CancelRequest {
    CancelRequest { at: Timestamp::UNIX_EPOCH, by: "ci".to_owned(), remove_result }
}

pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(SignedDuration::try_from(by).unwrap()).unwrap()
}

/// Asserts that a result is the given error.
macro_rules! assert_refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
pub(super) use assert_refused;
