//! A store around a store that can be down, and tells when a lease was prolonged.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};
use sampan_state::operation::CancelRequest;
use sampan_state::{
    Admission, Admitted, Claim, Commit, Error, Health, LaneLease, LaneLocks, ListPage, ListQuery, NewOperation,
    Operation, Operations, QuotaLedger, QuotaPicture, SharedStore, Turn, WorkLease,
};
use tokio::sync::Notify;

#[derive(Debug)]
pub struct Flaky {
    inner: SharedStore,
    /// Every call fails.
    pub down: AtomicBool,
    /// The next commits fail before they reach the store.
    pub failing_commits: AtomicU32,
    /// The next commits reach the store, and their answer is lost.
    pub lost_commits: AtomicU32,
    pub renewed: Notify,
    pub trips: Mutex<Vec<&'static str>>,
}

impl Flaky {
    pub fn new(inner: SharedStore) -> Self {
        Self {
            inner,
            down: AtomicBool::new(false),
            failing_commits: AtomicU32::new(0),
            lost_commits: AtomicU32::new(0),
            renewed: Notify::new(),
            trips: Mutex::default(),
        }
    }

    fn up(&self, trip: &'static str) -> Result<&SharedStore, Error> {
        self.trips.lock().unwrap().push(trip);
        if self.down.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(&self.inner) }
    }
}

fn unavailable() -> Error {
    Error::Unavailable("the flaky store is down".to_owned())
}

/// Takes one of a number of mishaps.
fn takes_one(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Admission for Flaky {
    async fn admit(&self, start: NewOperation) -> Result<Admitted, Error> {
        self.up("admit")?.admit(start).await
    }
}

#[async_trait]
impl Operations for Flaky {
    async fn get(&self, id: OperationId) -> Result<Operation, Error> {
        self.up("get")?.get(id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, Error> {
        self.up("list")?.list(query).await
    }

    async fn claim(&self, kinds: &[String], owner: &str, limit: u32, ttl: Duration) -> Result<Vec<Claim>, Error> {
        self.up("claim")?.claim(kinds, owner, limit, ttl).await
    }

    async fn renew(&self, lease: &WorkLease, ttl: Duration) -> Result<WorkLease, Error> {
        let renewed = self.up("renew")?.renew(lease, ttl).await;
        self.renewed.notify_one();
        renewed
    }

    async fn commit(&self, lease: &WorkLease, commit: Commit) -> Result<(Operation, Option<WorkLease>), Error> {
        let store = self.up("commit")?;
        if takes_one(&self.failing_commits) {
            return Err(unavailable());
        }
        let committed = store.commit(lease, commit).await;
        if takes_one(&self.lost_commits) { Err(unavailable()) } else { committed }
    }

    async fn request_cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error> {
        self.up("request_cancel")?.request_cancel(id, request).await
    }

    async fn reopen(&self, change: Operation) -> Result<Operation, Error> {
        self.up("reopen")?.reopen(change).await
    }

    async fn changed(&self, id: OperationId, after: u64) -> Result<Operation, Error> {
        self.up("changed")?.changed(id, after).await
    }

    async fn wait_due(&self, kinds: &[String], at_most: Duration) {
        self.inner.wait_due(kinds, at_most).await;
    }
}

#[async_trait]
impl LaneLocks for Flaky {
    async fn lock_lane(&self, lane: &Lane, owner: &str, ttl: Duration) -> Result<LaneLease, Error> {
        self.up("lock_lane")?.lock_lane(lane, owner, ttl).await
    }

    async fn renew_lane(&self, lease: &LaneLease, ttl: Duration) -> Result<LaneLease, Error> {
        self.up("renew_lane")?.renew_lane(lease, ttl).await
    }

    async fn unlock_lane(&self, lease: &LaneLease) -> Result<(), Error> {
        self.up("unlock_lane")?.unlock_lane(lease).await
    }
}

#[async_trait]
impl QuotaLedger for Flaky {
    async fn take_turn(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId, units: u32) -> Result<Turn, Error> {
        self.up("take_turn")?.take_turn(lane, rule, holder, units).await
    }

    async fn commit_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<Date, Error> {
        self.up("commit_units")?.commit_units(lane, rule, holder).await
    }

    async fn release_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<(), Error> {
        self.up("release_units")?.release_units(lane, rule, holder).await
    }

    async fn spend_units(&self, lane: &Lane, rule: &QuotaRule, key: &str, units: u32) -> Result<Date, Error> {
        self.up("spend_units")?.spend_units(lane, rule, key, units).await
    }

    async fn mark_spent(&self, lane: &Lane, rule: &QuotaRule) -> Result<(), Error> {
        self.up("mark_spent")?.mark_spent(lane, rule).await
    }

    async fn quota(&self, lane: &Lane, rule: &QuotaRule) -> Result<QuotaPicture, Error> {
        self.up("quota")?.quota(lane, rule).await
    }
}

#[async_trait]
impl Health for Flaky {
    async fn now(&self) -> Result<Timestamp, Error> {
        // The clock is no trip here: it only counts where it fails.
        if self.down.load(Ordering::SeqCst) { Err(unavailable()) } else { self.inner.now().await }
    }

    async fn check(&self) -> Result<(), Error> {
        self.up("check")?.check().await
    }
}
