//! A fake cloud, a store in memory, an engine and a clock by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sampan_cloud::unasked::Unasked;
use sampan_cloud::{Account, Accounts};
use sampan_core::clock::ManualClock;
use sampan_core::limits::{LimitChoices, Limits};
use sampan_core::{Cloud, ImageId, OperationId};
use sampan_ops::{
    CancelOutcome, Chance, Conclusion, Engine, LaneRules, Outcome, Runner, RunnerOptions, Saga, StartRequest, Step,
    StepContext, StepError,
};
use sampan_share_service::ShareSaga;
use sampan_share_service::saga::Desk;
use sampan_share_service::spec::{Change, ShareSpec};
use sampan_state::embedded::Embedded;
use sampan_state::operation::{Failure, Operation, State, Target, TargetState};
use sampan_state::result::{CopiedImage, CopyResult, ImageAt, ShareResult, SharedImage};
use sampan_state::{Admitted, Json, OnSpent, SharedStore};
use serde_json::json;

use crate::cloud::{FakeCloud, image_id, region};

/// Noon of a day of UTC+8 that has twelve hours left.
pub const NOON: &str = "2026-11-21T04:00:00Z";
/// Number of the account itself.
pub const OWN: &str = "100000000001";

pub struct World {
    pub clock: Arc<ManualClock>,
    pub store: SharedStore,
    pub engine: Engine,
    pub runner: Runner,
    pub cloud: Arc<FakeCloud>,
    pub image: ImageId,
}

/// Numbers of accounts.
pub fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|number| (100_000_100_000 + number).to_string()).collect()
}

pub fn spec(cloud: Cloud, change: Change, account_ids: Vec<String>) -> ShareSpec {
    ShareSpec {
        cloud,
        account: "prod".parse().unwrap(),
        region: region(cloud),
        image: image_id(cloud),
        change,
        account_ids,
        include_copies: false,
        queue_when_quota_spent: false,
        follows: None,
    }
}

pub fn accounts(cloud: &Arc<FakeCloud>) -> Accounts {
    let account = Account {
        name: "prod".parse().unwrap(),
        cloud: cloud.cloud,
        number: Some(OWN.to_owned()),
        images: Arc::<FakeCloud>::clone(cloud),
        copies: Arc::new(Unasked(cloud.cloud)),
        shares: Arc::<FakeCloud>::clone(cloud),
        buckets: Arc::new(Unasked(cloud.cloud)),
    };
    [account].into_iter().collect()
}

pub fn limits() -> Arc<Limits> {
    Arc::new(Limits::load(&LimitChoices::default()).unwrap())
}

pub fn saga(cloud: &Arc<FakeCloud>, store: &SharedStore) -> ShareSaga {
    let rules = LaneRules::new(limits());
    let desk = Desk { store: store.clone(), clock: cloud.clock.clone(), rules };
    ShareSaga::new(accounts(cloud), limits(), desk)
}

/// What the service starts for a spec.
pub fn start_of(spec: &ShareSpec, cloud: &FakeCloud) -> StartRequest {
    use sampan_cloud::ShareCloud as _;
    StartRequest {
        kind: sampan_share_service::saga::KIND,
        lane: spec.lane(),
        caller: String::new(),
        labels: BTreeMap::new(),
        request_id: None,
        request: Json::of(spec).unwrap(),
        units: spec.units(cloud.share_traits()),
        on_spent: spec.on_spent(),
    }
}

/// A copy that has ended, or goes on for ever: what the share finds in the store.
#[derive(Debug)]
pub struct CopyDone;

#[async_trait]
impl Saga for CopyDone {
    fn kind(&self) -> &'static str {
        "copy"
    }

    fn steps(&self) -> &'static [Step] {
        &[Step { name: "copy", under_lane_lock: false }]
    }

    async fn run(&self, _: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        let result = context.operation().request.read::<serde_json::Value>().unwrap()["result"].take();
        if result.is_null() {
            return Ok(Outcome::Poll { hint: Some(Duration::from_secs(24 * 3600)) });
        }
        Ok(Outcome::Done(result))
    }

    async fn cancel(&self, _: &mut StepContext) -> Result<CancelOutcome, StepError> {
        Ok(CancelOutcome::TooLate)
    }

    fn conclude(&self, operation: &Operation) -> Conclusion {
        let result = operation.journal.outputs.get("copy").cloned();
        Conclusion { state: State::Succeeded, result, failure: None }
    }

    fn deadline_failure(&self, _: &Operation) -> Failure {
        unreachable!("it has no deadline")
    }

    fn stall_after(&self, _: &Operation) -> Option<Duration> {
        None
    }
}

impl World {
    pub fn new(cloud: Cloud) -> Self {
        let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
        let fake = FakeCloud::new(cloud, clock.clone());
        let store: SharedStore = Embedded::in_memory(clock.clone()).unwrap();
        let rules = LaneRules::new(limits());
        let sagas: Vec<Arc<dyn Saga>> = vec![Arc::new(saga(&fake, &store)), Arc::new(CopyDone)];
        let engine = Engine::new(store.clone(), clock.clone(), rules, sagas);
        let options = RunnerOptions { chance: Chance::seeded(1), ..RunnerOptions::default() };
        let runner = Runner::new(engine.clone(), options);
        Self { clock, store, engine, runner, cloud: fake, image: image_id(cloud) }
    }

    pub fn spec(&self, change: Change, accounts: &[String]) -> ShareSpec {
        spec(self.cloud.cloud, change, accounts.to_vec())
    }

    pub async fn start(&self, spec: &ShareSpec) -> OperationId {
        self.try_start(spec).await.unwrap().id
    }

    pub async fn try_start(&self, spec: &ShareSpec) -> Result<Operation, sampan_ops::Error> {
        let started = self.engine.start(start_of(spec, &self.cloud)).await?;
        let (Admitted::New(operation) | Admitted::Existing(operation)) = started;
        Ok(operation)
    }

    pub async fn get(&self, id: OperationId) -> Operation {
        self.engine.get(id).await.unwrap()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    /// Runs for `seconds`, looking every second.
    pub async fn run_for(&self, seconds: i64) {
        for _ in 0..seconds {
            self.runner.tick().await.unwrap();
            self.advance(1);
        }
        self.runner.tick().await.unwrap();
    }

    /// Runs until the operation has ended.
    pub async fn end(&self, id: OperationId) -> Operation {
        for look in 0..2_000 {
            self.runner.tick().await.unwrap();
            let operation = self.get(id).await;
            if operation.state.is_final() {
                return operation;
            }
            self.advance(if look < 200 { 5 } else { 120 });
        }
        panic!("never ended: {:?}", self.get(id).await);
    }

    pub async fn run(&self, change: Change, accounts: &[String]) -> Operation {
        let id = self.start(&self.spec(change, accounts)).await;
        self.end(id).await
    }

    /// Returns the units of the image's lane: used, held and waiting.
    pub async fn units(&self) -> (u32, u32, u32) {
        self.units_in(region(self.cloud.cloud).as_str()).await
    }

    pub async fn units_in(&self, region: &str) -> (u32, u32, u32) {
        let lane = ShareSpec { region: region.parse().unwrap(), ..self.spec(Change::Add, &[]) }.lane();
        let picture = self.engine.quota(&lane).await.unwrap();
        (picture.committed, picture.reserved, picture.waiting_count)
    }

    /// Uses units of a lane's day.
    pub async fn spend(&self, region: &str, units: u32) {
        let lane = ShareSpec { region: region.parse().unwrap(), ..self.spec(Change::Add, &[]) }.lane();
        self.store.spend_units(&lane, &self.engine.rule(&lane), "others", units).await.unwrap();
    }

    /// Notes a copy of `source` in the store, as the copy service does; `image` is `None` while it goes on.
    pub async fn copied(&self, source: (&str, &str), copy: (&str, Option<&str>)) {
        let result = copy.1.map(|image| {
            let at = ImageAt {
                cloud: self.cloud.cloud,
                account: "prod".to_owned(),
                region: copy.0.parse().unwrap(),
                image: image.parse().unwrap(),
            };
            let copied = CopiedImage {
                at,
                name: "web".to_owned(),
                snapshot_ids: Vec::new(),
                shared_with: Vec::new(),
                share_operation: None,
                snapshot_cost_per_month: None,
                currency: None,
            };
            CopyResult { images: vec![copied], ..CopyResult::default() }
        });
        let mut lane = self.spec(Change::Add, &[]).lane();
        lane.region = source.0.parse().unwrap();
        let start = StartRequest {
            kind: "copy",
            lane,
            caller: String::new(),
            labels: BTreeMap::new(),
            request_id: None,
            request: json!({ "image": source.1, "result": result }).into(),
            units: 0,
            on_spent: OnSpent::Refuse,
        };
        self.engine.start(start).await.unwrap();
        self.runner.tick().await.unwrap();
        if let Some(image) = copy.1 {
            self.cloud.add_image(copy.0, image);
        }
        self.advance(1);
    }
}

pub fn result(operation: &Operation) -> ShareResult {
    serde_json::from_value(operation.result.clone().expect("a result")).expect("a result of a share")
}

/// The result of the image itself.
pub fn own(operation: &Operation) -> SharedImage {
    result(operation).images.swap_remove(0)
}

pub fn reason(operation: &Operation) -> &str {
    operation.failure.as_ref().map_or("", |failure| failure.reason.as_str())
}

pub fn warned(operation: &Operation, code: &str) -> bool {
    operation.warnings.iter().any(|warning| warning.code == code)
}

pub fn succeeded(operation: &Operation) {
    assert_eq!(operation.state, State::Succeeded, "{:?} {:?}", operation.failure, operation.targets);
}

pub fn target<'a>(operation: &'a Operation, id: &str) -> &'a Target {
    operation.targets.iter().find(|target| target.id == id).unwrap_or_else(|| panic!("no target {id}"))
}

/// Returns the ids of the targets in a state, in their order.
pub fn targets_in(operation: &Operation, state: TargetState) -> Vec<String> {
    operation.targets.iter().filter(|target| target.state == state).map(|target| target.id.clone()).collect()
}

impl World {
    /// Returns how many accounts each call that arrived added and removed.
    pub fn calls_made(&self) -> Vec<(usize, usize)> {
        self.cloud.calls().iter().map(|arrived| (arrived.call.add.len(), arrived.call.remove.len())).collect()
    }
}
