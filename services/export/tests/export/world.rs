//! A fake cloud, a store in memory, an engine and a clock by hand.

use std::sync::Arc;
use std::time::Duration;

use sampan_cloud::image::ExportCall;
use sampan_cloud::unasked::Unasked;
use sampan_cloud::{Account, Accounts};
use sampan_core::clock::{Clock as _, ManualClock};
use sampan_core::limits::{LimitChoices, Limits};
use sampan_core::{Cloud, ImageFormat, OperationId};
use sampan_export_service::spec::ExportSpec;
use sampan_export_service::{ExpectedUse, ExportSaga};
use sampan_ops::{Chance, Engine, LaneRules, Runner, RunnerOptions, Saga, StartRequest};
use sampan_state::embedded::Embedded;
use sampan_state::operation::{Operation, State};
use sampan_state::result::ExportResult;
use sampan_state::{Admitted, Json, OnSpent, SharedStore};

use crate::cloud::{FakeCloud, region};
use crate::estimator::Estimator;

/// Noon of a day of UTC+8 that has twelve hours left.
pub const NOON: &str = "2026-11-21T04:00:00Z";

pub struct World {
    pub clock: Arc<ManualClock>,
    pub store: SharedStore,
    pub engine: Engine,
    pub runner: Runner,
    pub cloud: Arc<FakeCloud>,
    pub spec: ExportSpec,
    pub estimator: Estimator,
}

pub fn spec(cloud: Cloud) -> ExportSpec {
    let (image, bucket) = match cloud {
        Cloud::Tencent => ("img-72n9mi0y", "images-1250000000"),
        Cloud::Alibaba => ("m-bp67acfmxazb4p0001", "images"),
    };
    ExportSpec {
        cloud,
        account: "prod".parse().unwrap(),
        region: region(cloud),
        image: image.parse().unwrap(),
        bucket: bucket.to_owned(),
        prefix: Some("nightly".to_owned()),
        format: ImageFormat::Raw,
        only_root_disk: false,
        role_name: None,
        queue_when_quota_spent: false,
        deadline_seconds: None,
        stall_after_seconds: None,
        max_cost: None,
        expected_use: ExpectedUse::default(),
        lacks_region: false,
    }
}

pub fn accounts(cloud: &Arc<FakeCloud>) -> Accounts {
    let account = Account {
        name: "prod".parse().unwrap(),
        cloud: cloud.cloud,
        number: None,
        images: Arc::<FakeCloud>::clone(cloud),
        copies: Arc::new(Unasked(cloud.cloud)),
        shares: Arc::new(Unasked(cloud.cloud)),
        buckets: Arc::<FakeCloud>::clone(cloud),
    };
    [account].into_iter().collect()
}

pub fn limits() -> Arc<Limits> {
    Arc::new(Limits::load(&LimitChoices::default()).unwrap())
}

pub fn start_of(spec: &ExportSpec) -> StartRequest {
    StartRequest {
        kind: sampan_export_service::saga::KIND,
        lane: spec.lane(),
        caller: String::new(),
        labels: Default::default(),
        request_id: None,
        request: Json::of(spec).unwrap(),
        units: 1,
        on_spent: if spec.queue_when_quota_spent { OnSpent::Queue } else { OnSpent::Refuse },
    }
}

impl World {
    pub fn new(cloud: Cloud) -> Self {
        let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
        let fake = FakeCloud::new(cloud, clock.clone());
        let store: SharedStore = Embedded::in_memory(clock.clone()).unwrap();
        Self::over(clock, fake.clone(), store, accounts(&fake), Estimator::up())
    }

    /// The same store and cloud, in another process with other accounts.
    pub fn restarted(&self, accounts: Accounts) -> Self {
        let spec = self.spec.clone();
        let parts = (self.clock.clone(), self.cloud.clone(), self.store.clone());
        Self { spec, ..Self::over(parts.0, parts.1, parts.2, accounts, self.estimator.clone()) }
    }

    fn over(
        clock: Arc<ManualClock>,
        cloud: Arc<FakeCloud>,
        store: SharedStore,
        accounts: Accounts,
        estimator: Estimator,
    ) -> Self {
        let saga: Arc<dyn Saga> = Arc::new(ExportSaga::new(accounts, limits(), estimator.pricing()));
        let engine = Engine::new(store.clone(), clock.clone(), LaneRules::new(limits()), vec![saga]);
        let options = RunnerOptions { chance: Chance::seeded(1), ..RunnerOptions::default() };
        let runner = Runner::new(engine.clone(), options);
        let spec = spec(cloud.cloud);
        Self { clock, store, engine, runner, cloud, spec, estimator }
    }

    pub fn call(&self) -> ExportCall {
        self.spec.call()
    }

    pub async fn start(&self) -> OperationId {
        let (Admitted::New(operation) | Admitted::Existing(operation)) =
            self.engine.start(start_of(&self.spec)).await.unwrap();
        operation.id
    }

    pub async fn get(&self, id: OperationId) -> Operation {
        self.engine.get(id).await.unwrap()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    /// Runs for `seconds`, looking every 5 s.
    pub async fn run_for(&self, seconds: i64) {
        for _ in 0..seconds / 5 {
            self.runner.tick().await.unwrap();
            self.advance(5);
        }
        self.runner.tick().await.unwrap();
    }

    /// Runs until the operation has ended.
    pub async fn end(&self, id: OperationId) -> Operation {
        for _ in 0..100_000 {
            self.runner.tick().await.unwrap();
            let operation = self.get(id).await;
            if operation.state.is_final() {
                return operation;
            }
            self.advance(10);
        }
        panic!("never ended: {:?}", self.get(id).await);
    }

    pub async fn run(&self) -> Operation {
        let id = self.start().await;
        self.end(id).await
    }

    /// Returns the units used, held and waiting.
    pub async fn units(&self) -> (u32, u32, u32) {
        let picture = self.engine.quota(&self.spec.lane()).await.unwrap();
        (picture.committed, picture.reserved, picture.waiting_count)
    }

    pub fn since_noon(&self) -> Duration {
        let noon: jiff::Timestamp = NOON.parse().unwrap();
        self.clock.now().duration_since(noon).try_into().unwrap()
    }
}

pub fn result(operation: &Operation) -> ExportResult {
    serde_json::from_value(operation.result.clone().expect("a result")).expect("a manifest")
}

pub fn reason(operation: &Operation) -> &str {
    operation.failure.as_ref().map_or("", |failure| failure.reason.as_str())
}

pub fn warned(operation: &Operation, code: &str) -> bool {
    operation.warnings.iter().any(|warning| warning.code == code)
}

pub fn succeeded(operation: &Operation) {
    assert_eq!(operation.state, State::Succeeded, "{:?} {:?}", operation.failure, operation.warnings);
}
