//! A store of one map that tests write to as a worker would, and that can be told to fail.
#![allow(dead_code, unreachable_pub, reason = "shared by test binaries that each use another part")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_chassis::{OperationApi, Problem, Retry};
use sampan_core::clock::ManualClock;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId, Reason};
use sampan_state::lease::{LaneLease, LaneLocks, WorkLease};
use sampan_state::operation::{CancelRequest, Journal, Operation, QuotaHold, RECORD_VERSION, State};
use sampan_state::operations::{Claim, Commit, ListPage, ListQuery, Operations};
use sampan_state::quota::{QuotaLedger, QuotaPicture, Turn};
use sampan_state::{Admission, Admitted, Error, Health, NewOperation};
use tokio::sync::{Notify, watch};

pub const NOON: &str = "2026-11-21T04:00:00Z";

pub fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

pub fn lane(account: &str) -> Lane {
    Lane {
        cloud: sampan_core::Cloud::Tencent,
        account: account.parse().unwrap(),
        region: "ap-guangzhou".parse().unwrap(),
    }
}

pub fn running(id: OperationId) -> Operation {
    Operation {
        version: RECORD_VERSION,
        id,
        kind: "export".to_owned(),
        lane: lane("prod"),
        caller: "alice".to_owned(),
        labels: BTreeMap::new(),
        request_id: None,
        request: serde_json::json!({ "image": "img-72n9mi0y" }).into(),
        request_digest: String::new(),
        state: State::Running,
        targets: Vec::new(),
        quota: QuotaHold::None,
        units: 1,
        on_spent: sampan_state::OnSpent::Refuse,
        journal: Journal { step_name: "submit".to_owned(), ..Journal::default() },
        percent: None,
        warnings: Vec::new(),
        failure: None,
        cancel: None,
        result: None,
        created: noon(),
        started: None,
        last_progress: None,
        updated: noon(),
        finished: None,
        deadline: None,
        stalled_since: None,
        trace_parent: None,
        revision: 1,
    }
}

pub fn id(second: i64) -> OperationId {
    OperationId::generate(noon() + jiff::SignedDuration::from_secs(second))
}

/// Returns OperationService over `store`, at noon, for operations that cannot be tried again.
pub fn api(store: &Arc<FakeStore>) -> OperationApi {
    OperationApi::new(store.clone(), Arc::new(ManualClock::new(noon())), Arc::new(NoRetry))
}

/// Tries nothing again, and tells what it was asked by whom.
#[derive(Debug)]
pub struct NoRetry;

#[async_trait]
impl Retry for NoRetry {
    async fn retry(&self, id: OperationId, caller: &str) -> Result<Operation, Problem> {
        Err(Problem::new(Reason::OperationNotRetryable, format!("{id} asked by {caller}")))
    }
}

#[derive(Debug)]
pub struct FakeStore {
    records: Mutex<BTreeMap<OperationId, Operation>>,
    changes: watch::Sender<u64>,
    fails: AtomicBool,
    pub hangs: AtomicBool,
    /// Is told of each read that hangs.
    pub hung: Notify,
}

impl Default for FakeStore {
    fn default() -> Self {
        Self {
            records: Mutex::default(),
            changes: watch::channel(0).0,
            fails: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            hung: Notify::new(),
        }
    }
}

impl FakeStore {
    pub fn holding(records: impl IntoIterator<Item = Operation>) -> Self {
        let store = Self::default();
        for record in records {
            store.records.lock().unwrap().insert(record.id, record);
        }
        store
    }

    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// Changes a record as a worker's commit would.
    pub fn change(&self, id: OperationId, change: impl FnOnce(&mut Operation)) {
        let mut records = self.records.lock().unwrap();
        let record = records.get_mut(&id).unwrap();
        change(record);
        record.revision += 1;
        drop(records);
        self.changes.send_modify(|count| *count += 1);
    }

    fn read(&self, id: OperationId) -> Result<Operation, Error> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("told to fail".to_owned()));
        }
        self.records.lock().unwrap().get(&id).cloned().ok_or(Error::NotFound(id))
    }
}

#[async_trait]
impl Health for FakeStore {
    async fn now(&self) -> Result<Timestamp, Error> {
        Ok(noon())
    }

    async fn check(&self) -> Result<(), Error> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) { Err(Error::Unavailable("told to fail".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Admission for FakeStore {
    async fn admit(&self, _: NewOperation) -> Result<Admitted, Error> {
        unreachable!("the edge admits nothing")
    }
}

#[async_trait]
impl Operations for FakeStore {
    async fn get(&self, id: OperationId) -> Result<Operation, Error> {
        if self.hangs.load(Ordering::SeqCst) {
            self.hung.notify_one();
            std::future::pending::<()>().await;
        }
        self.read(id)
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, Error> {
        let records = self.records.lock().unwrap();
        let matches = |record: &&Operation| {
            query.before.is_none_or(|before| record.id < before)
                && (query.states.is_empty() || query.states.contains(&record.state))
                && (query.kinds.is_empty() || query.kinds.contains(&record.kind))
                && query.account.as_ref().is_none_or(|account| record.lane.account.as_str() == account)
        };
        let mut operations: Vec<_> =
            records.values().rev().filter(matches).take(query.page_size as usize + 1).cloned().collect();
        let more = operations.len() > query.page_size as usize;
        operations.truncate(query.page_size as usize);
        Ok(ListPage { operations, more })
    }

    async fn request_cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error> {
        let record = self.read(id)?;
        if record.state.is_final() {
            return Err(Error::Ended(Box::new(record)));
        }
        self.change(id, |record| {
            record.state = State::Cancelling;
            record.cancel = Some(request);
        });
        self.read(id)
    }

    async fn changed(&self, id: OperationId, after: u64) -> Result<Operation, Error> {
        let mut changes = self.changes.subscribe();
        loop {
            let record = self.read(id)?;
            if record.revision > after || record.state.is_final() {
                return Ok(record);
            }
            changes.changed().await.map_err(|error| Error::Unavailable(error.to_string()))?;
        }
    }

    async fn claim(&self, _: &[String], _: &str, _: u32, _: Duration) -> Result<Vec<Claim>, Error> {
        unreachable!("the edge claims nothing")
    }

    async fn renew(&self, _: &WorkLease, _: Duration) -> Result<WorkLease, Error> {
        unreachable!("the edge holds no lease")
    }

    async fn commit(&self, _: &WorkLease, _: Commit) -> Result<(Operation, Option<WorkLease>), Error> {
        unreachable!("the edge commits nothing")
    }

    async fn reopen(&self, _: Operation) -> Result<Operation, Error> {
        unreachable!("a retry goes through its trait")
    }

    async fn wait_due(&self, _: &[String], _: Duration) {}
}

#[async_trait]
impl LaneLocks for FakeStore {
    async fn lock_lane(&self, _: &Lane, _: &str, _: Duration) -> Result<LaneLease, Error> {
        unreachable!("the edge locks nothing")
    }

    async fn renew_lane(&self, _: &LaneLease, _: Duration) -> Result<LaneLease, Error> {
        unreachable!("the edge locks nothing")
    }

    async fn unlock_lane(&self, _: &LaneLease) -> Result<(), Error> {
        unreachable!("the edge locks nothing")
    }
}

#[async_trait]
impl QuotaLedger for FakeStore {
    async fn take_turn(&self, _: &Lane, _: &QuotaRule, _: OperationId, _: u32) -> Result<Turn, Error> {
        unreachable!("the edge spends nothing")
    }

    async fn commit_units(&self, _: &Lane, _: &QuotaRule, _: OperationId) -> Result<jiff::civil::Date, Error> {
        unreachable!("the edge spends nothing")
    }

    async fn release_units(&self, _: &Lane, _: &QuotaRule, _: OperationId) -> Result<(), Error> {
        unreachable!("the edge spends nothing")
    }

    async fn spend_units(&self, _: &Lane, _: &QuotaRule, _: &str, _: u32) -> Result<jiff::civil::Date, Error> {
        unreachable!("the edge spends nothing")
    }

    async fn mark_spent(&self, _: &Lane, _: &QuotaRule) -> Result<(), Error> {
        unreachable!("the edge spends nothing")
    }

    async fn quota(&self, lane: &Lane, rule: &QuotaRule) -> Result<QuotaPicture, Error> {
        Ok(spent_picture(lane.clone(), rule))
    }
}

/// A day of which 3 units are used, 1 is held and 1 went elsewhere.
pub fn spent_picture(lane: Lane, rule: &QuotaRule) -> QuotaPicture {
    QuotaPicture {
        lane,
        day: rule.day(noon()),
        limit: rule.daily_units,
        committed: 3,
        reserved: 1,
        spent_elsewhere: 1,
        resets_at: rule.resets_at(noon()),
        waiting: vec![sampan_state::quota::Waiter {
            operation: id(9),
            position: 0,
            earliest_start: rule.resets_at(noon()),
        }],
        waiting_count: 1,
    }
}
