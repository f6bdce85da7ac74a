//! A fake cloud, neighbours, a store in memory, an engine and a clock by hand.

use std::sync::Arc;

use sampan_cloud::{Account, Accounts};
use sampan_copy_service::CopySaga;
use sampan_copy_service::spec::{CopySpec, Destination, FailurePolicy};
use sampan_core::clock::ManualClock;
use sampan_core::limits::{LimitChoices, Limits};
use sampan_core::{Cloud, OperationId, Region};
use sampan_ops::{Chance, Engine, LaneRules, Runner, RunnerOptions, Saga, StartRequest};
use sampan_state::embedded::Embedded;
use sampan_state::operation::{Operation, State, Target};
use sampan_state::result::CopyResult;
use sampan_state::{Admitted, Json, OnSpent, SharedStore};

use crate::cloud::{FakeCloud, home, region};
use crate::peers::Neighbours;

/// Noon of a day of UTC+8 that has twelve hours left.
pub const NOON: &str = "2026-11-21T04:00:00Z";

pub struct World {
    pub clock: Arc<ManualClock>,
    pub store: SharedStore,
    pub engine: Engine,
    pub runner: Runner,
    pub cloud: Arc<FakeCloud>,
    pub peers: Neighbours,
    pub spec: CopySpec,
}

/// The destinations that tests use.
pub fn regions(cloud: Cloud) -> Vec<Region> {
    let names = match cloud {
        Cloud::Tencent => ["ap-shanghai", "ap-beijing", "ap-hongkong"],
        Cloud::Alibaba => ["cn-shanghai", "cn-beijing", "cn-hongkong"],
    };
    names.into_iter().map(region).collect()
}

pub fn to(regions: impl IntoIterator<Item = Region>) -> Vec<Destination> {
    regions.into_iter().map(|region| Destination { region, image_name: None, kms_key_id: None }).collect()
}

pub fn spec(cloud: Cloud) -> CopySpec {
    let image = match cloud {
        Cloud::Tencent => "img-72n9mi0y",
        Cloud::Alibaba => "m-bp67acfmxazb4p0001",
    };
    CopySpec {
        cloud,
        account: "prod".parse().unwrap(),
        region: home(cloud),
        image: image.parse().unwrap(),
        destinations: to(regions(cloud)),
        image_name: None,
        description: None,
        encryption: None,
        resource_group_id: None,
        tags: Default::default(),
        share_with: Vec::new(),
        failure_policy: FailurePolicy::BestEffort,
        route: None,
        queue_when_quota_spent: false,
        deadline_seconds: None,
        stall_after_seconds: None,
        keep_for_seconds: None,
        max_cost: None,
        left_out: Vec::new(),
        lacks_region: false,
    }
}

pub fn accounts(cloud: &Arc<FakeCloud>) -> Accounts {
    let account = Account {
        name: "prod".parse().unwrap(),
        cloud: cloud.cloud,
        number: Some("100000000001".to_owned()),
        images: Arc::<FakeCloud>::clone(cloud),
        copies: Arc::<FakeCloud>::clone(cloud),
        shares: Arc::<FakeCloud>::clone(cloud),
        buckets: Arc::<FakeCloud>::clone(cloud),
    };
    [account].into_iter().collect()
}

pub fn limits() -> Arc<Limits> {
    Arc::new(Limits::load(&LimitChoices::default()).unwrap())
}

pub fn start_of(spec: &CopySpec) -> StartRequest {
    StartRequest {
        kind: sampan_copy_service::saga::KIND,
        lane: spec.lane(),
        caller: String::new(),
        labels: Default::default(),
        request_id: None,
        request: Json::of(spec).unwrap(),
        units: spec.units(spec.destinations.len()),
        on_spent: if spec.queue_when_quota_spent { OnSpent::Queue } else { OnSpent::Refuse },
    }
}

pub fn saga(cloud: &Arc<FakeCloud>, peers: &Neighbours) -> Arc<dyn Saga> {
    Arc::new(CopySaga::new(accounts(cloud), limits(), peers.pricing(), peers.share()))
}

impl World {
    pub fn new(cloud: Cloud) -> Self {
        let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
        let fake = FakeCloud::new(cloud, clock.clone());
        let store: SharedStore = Embedded::in_memory(clock.clone()).unwrap();
        let peers = Neighbours::new();
        let engine = Engine::new(store.clone(), clock.clone(), LaneRules::new(limits()), vec![saga(&fake, &peers)]);
        let options = RunnerOptions { chance: Chance::seeded(1), ..RunnerOptions::default() };
        let runner = Runner::new(engine.clone(), options);
        Self { clock, store, engine, runner, spec: spec(cloud), cloud: fake, peers }
    }

    /// The same world with a saga that removes everything when one fails.
    pub fn all_or_nothing(cloud: Cloud) -> Self {
        let mut world = Self::new(cloud);
        world.spec.failure_policy = FailurePolicy::AllOrNothing;
        world
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

    pub async fn retry(&self, id: OperationId) -> Operation {
        self.engine.retry(id).await.unwrap();
        self.end(id).await
    }

    /// Returns the units used, held and waiting in a region.
    pub async fn units_in(&self, region: &Region) -> (u32, u32, u32) {
        let picture = self.engine.quota(&self.spec.lane_of(region)).await.unwrap();
        (picture.committed, picture.reserved, picture.waiting_count)
    }

    pub async fn units(&self) -> (u32, u32, u32) {
        self.units_in(&self.spec.region).await
    }

    pub fn region(&self, index: usize) -> Region {
        self.spec.destinations[index].region.clone()
    }
}

pub fn result(operation: &Operation) -> CopyResult {
    serde_json::from_value(operation.result.clone().expect("a result")).expect("a result of a copy")
}

pub fn reason(operation: &Operation) -> &str {
    operation.failure.as_ref().map_or("", |failure| failure.reason.as_str())
}

pub fn reason_of(target: &Target) -> &str {
    target.failure.as_ref().map_or("", |failure| failure.reason.as_str())
}

pub fn warned(operation: &Operation, code: &str) -> bool {
    operation.warnings.iter().any(|warning| warning.code == code)
}

pub fn states(operation: &Operation) -> Vec<&'static str> {
    use sampan_state::operation::TargetState as Of;
    let word = |target: &Target| match target.state {
        Of::Pending => "pending",
        Of::Running => "running",
        Of::Succeeded => "succeeded",
        Of::Failed => "failed",
        Of::Cancelled => "cancelled",
    };
    operation.targets.iter().map(word).collect()
}

pub fn succeeded(operation: &Operation) {
    assert_eq!(operation.state, State::Succeeded, "{:?} {:?}", operation.failure, operation.warnings);
}
