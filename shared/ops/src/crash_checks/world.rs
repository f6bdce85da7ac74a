//! A fresh world for one scenario, and how an operation is brought to its end in it.

use std::sync::Arc;
use std::time::Duration;

use sampan_core::clock::ManualClock;
use sampan_state::operation::{Operation, State};
use sampan_state::{Admitted, SharedStore};

use super::Scenario;
use super::meddler::{Halt, Meddler, injected_failure};
use crate::engine::{Engine, StartRequest};
use crate::policy::Chance;
use crate::rules::LaneRules;
use crate::runner::{Runner, RunnerOptions};
use crate::saga::Saga;

/// How far the clock moves between two looks.
const STEP: Duration = Duration::from_secs(15);
/// Looks after which an operation counts as never ending: four days.
const LOOKS: u32 = 4 * 24 * 3600 / 15;

/// A fresh world: nothing in it may be shared with another.
#[derive(Debug)]
pub struct CheckWorld<F> {
    /// An empty store on `clock`.
    pub store: SharedStore,
    /// The clock of store and fakes; the check moves it.
    pub clock: Arc<ManualClock>,
    /// Quota of the lanes; there must be enough for the start.
    pub rules: LaneRules,
    /// The saga, over the fakes.
    pub saga: Arc<dyn Saga>,
    /// A start that succeeds when nothing disturbs it.
    pub start: StartRequest,
    /// What the judge looks at.
    pub fakes: F,
}

impl<F> CheckWorld<F> {
    /// Starts the operation and brings it to its end under the scenario.
    pub(super) async fn run(&self, scenario: Scenario) -> Result<Operation, String> {
        let halt = Halt::default();
        let meddler = Arc::new(Meddler::new(Arc::clone(&self.saga), scenario, halt.clone()));
        let saga: Arc<dyn Saga> = Arc::<Meddler>::clone(&meddler);
        let engine = Engine::new(self.store.clone(), self.clock.clone(), self.rules.clone(), vec![saga]);
        let admitted = engine.start(self.start.clone()).await.map_err(|error| format!("not admitted: {error}"))?;
        let (Admitted::New(operation) | Admitted::Existing(operation)) = admitted;
        let mut runner = new_runner(&engine, "first");
        for _ in 0..LOOKS {
            tokio::select! {
                biased;
                ticked = runner.tick() => { ticked.map_err(|error| format!("nothing claimed: {error}"))?; }
                () = halt.reached() => {
                    // What ran is dropped with everything it knew; its leases run out, and another process comes.
                    meddler.crashed();
                    runner = new_runner(&engine, "second");
                    self.advance(RunnerOptions::default().work_ttl.max(RunnerOptions::default().lane_ttl));
                }
            }
            let now = engine.get(operation.id).await.map_err(|error| format!("not readable: {error}"))?;
            if now.state.is_final() {
                return Ok(now);
            }
            self.advance(STEP);
        }
        Err("the operation never ended".to_owned())
    }

    /// Checks what is true of every saga.
    pub(super) async fn judge_end(&self, ended: &Operation, scenario: Scenario) -> Result<(), String> {
        let failure = ended.failure.as_ref().map_or("none", |failure| failure.message.as_str());
        match scenario {
            Scenario::Failed(_) => {
                if ended.state != State::Failed || failure != injected_failure().message {
                    return Err(format!(
                        "ended as {:?} with failure `{failure}`, not with the injected one",
                        ended.state
                    ));
                }
            }
            Scenario::Undisturbed | Scenario::Repeated(_) | Scenario::Recovered(_) | Scenario::Crashed(_, _) => {
                if !matches!(ended.state, State::Succeeded | State::PartiallySucceeded) {
                    return Err(format!("ended as {:?} with failure `{failure}`", ended.state));
                }
                if let Some(intent) = &ended.journal.intent {
                    return Err(format!("left its call {} open", intent.action));
                }
            }
        }
        let rule = self.rules.rule(&ended.lane);
        let quota = self.store.quota(&ended.lane, &rule).await.map_err(|error| error.to_string())?;
        if quota.committed > self.start.units || quota.reserved > 0 || quota.waiting_count > 0 {
            return Err(format!(
                "left {} units used, {} held and {} waiting; it asked for {}",
                quota.committed, quota.reserved, quota.waiting_count, self.start.units
            ));
        }
        Ok(())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(crate::announce::signed(by));
    }
}

fn new_runner(engine: &Engine, owner: &str) -> Runner {
    let options = RunnerOptions { owner: owner.to_owned(), chance: Chance::seeded(1), ..RunnerOptions::default() };
    Runner::new(engine.clone(), options)
}
