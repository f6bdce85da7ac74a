//! Claims operations that are due and has each carried on by one task: a pool with a bound.

use std::sync::Arc;
use std::time::Duration;

use sampan_state::{Claim, Error as StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use uuid::Uuid;

use crate::drive::Worker;
use crate::engine::Engine;
use crate::error::Error;
use crate::leases::LeaseTimes;
use crate::metrics;
use crate::policy::{Chance, Policy};

/// Longest wait for a due operation; a store's clock that was moved is noticed after it.
const IDLE: Duration = Duration::from_secs(1);
/// Pause after an early wake-up that brought nothing, so that a store is not asked in a circle.
const IN_VAIN: Duration = Duration::from_millis(20);
/// Pause after a claim that the store could not answer.
const UNAVAILABLE: Duration = Duration::from_secs(1);

/// How a runner works.
#[derive(Debug)]
pub struct RunnerOptions {
    /// Who holds the leases; unique per process.
    pub owner: String,
    /// Operations that are worked on at once, 1 or more.
    pub concurrency: usize,
    /// Lifetime of a work lease.
    pub work_ttl: Duration,
    /// Lifetime of a lane lease.
    pub lane_ttl: Duration,
    /// How often leases are prolonged while a step runs; `None` means at a third of the shorter lifetime.
    pub renew_every: Option<Duration>,
    /// How long running steps may go on after a stop.
    pub grace: Duration,
    /// The waits.
    pub policy: Policy,
    /// Chance in the waits.
    pub chance: Chance,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            owner: format!("runner-{}", Uuid::new_v4()),
            concurrency: 64,
            work_ttl: Duration::from_secs(30),
            lane_ttl: Duration::from_secs(30),
            renew_every: None,
            grace: Duration::from_secs(10),
            policy: Policy::default(),
            chance: Chance::fresh(),
        }
    }
}

/// Carries on the operations of an engine's kinds.
#[derive(Debug)]
pub struct Runner {
    pub(crate) worker: Arc<Worker>,
    concurrency: usize,
    grace: Duration,
}

impl Runner {
    /// Makes a runner; it does nothing before [`run`](Self::run) or [`tick`](Self::tick).
    pub fn new(engine: Engine, options: RunnerOptions) -> Self {
        let RunnerOptions { owner, concurrency, work_ttl, lane_ttl, renew_every, grace, policy, chance } = options;
        let renew_every = renew_every.unwrap_or(work_ttl.min(lane_ttl) / 3);
        let worker = Worker {
            engine,
            policy,
            chance,
            owner,
            times: LeaseTimes { work_ttl, lane_ttl, renew_every },
            stopping: CancellationToken::new(),
            leaving: CancellationToken::new(),
        };
        Self { worker: Arc::new(worker), concurrency: concurrency.max(1), grace }
    }

    /// Works until `stop`: then claims nothing more, lets the running steps come to their end within the grace
    /// period, hands every lease back, and returns. Work that was cut off is due at once for whoever comes next.
    ///
    /// # Cancellation
    /// Nothing is lost: the leases run out, and another runner goes on from the last commit of each operation.
    pub async fn run(&self, stop: CancellationToken) {
        let kinds = self.worker.engine.kinds();
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let tracker = TaskTracker::new();
        if kinds.is_empty() {
            stop.cancelled().await;
        }
        let mut in_vain = false;
        while !stop.is_cancelled() {
            let found = self.claim_and_spawn(&kinds, &slots, &tracker, &stop).await;
            if !found && in_vain {
                stop.run_until_cancelled(tokio::time::sleep(IN_VAIN)).await;
            }
            in_vain = !found && stop.run_until_cancelled(self.wakes_early(&kinds)).await.unwrap_or(false);
        }
        self.worker.stopping.cancel();
        tracker.close();
        if tokio::time::timeout(self.grace, tracker.wait()).await.is_err() {
            warn!(running = tracker.len(), "grace period over, steps are left");
            self.worker.leaving.cancel();
            tracker.wait().await;
        }
        info!(owner = self.worker.owner, "runner stopped");
    }

    /// Claims what is due now, as much as the bound allows, and carries it on one after the other until each
    /// rests; returns how many that were.
    ///
    /// Waits for nothing that is not due: for tests that hold the clock.
    ///
    /// # Errors
    /// [`Error::Store`] when nothing could be claimed.
    pub async fn tick(&self) -> Result<usize, Error> {
        let claims = self.claim(&self.worker.engine.kinds(), self.concurrency).await?;
        let count = claims.len();
        for claim in claims {
            self.worker.drive(claim).await;
        }
        Ok(count)
    }

    /// Returns whether anything was due. Stops at its waits only: what is claimed is carried on or handed back,
    /// never forgotten.
    async fn claim_and_spawn(
        &self,
        kinds: &[String],
        slots: &Arc<Semaphore>,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> bool {
        let Some(Ok(first)) = stop.run_until_cancelled(Arc::clone(slots).acquire_owned()).await else { return false };
        let mut permits = vec![first];
        while let Ok(permit) = Arc::clone(slots).try_acquire_owned() {
            permits.push(permit);
        }
        match self.claim(kinds, permits.len()).await {
            Ok(claims) => {
                let found = !claims.is_empty();
                for (claim, permit) in claims.into_iter().zip(permits) {
                    self.spawn(claim, permit, tracker);
                }
                found
            }
            Err(error) => {
                warn!(%error, "nothing claimed");
                drop(permits);
                stop.run_until_cancelled(tokio::time::sleep(UNAVAILABLE)).await;
                false
            }
        }
    }

    fn spawn(&self, claim: Claim, permit: OwnedSemaphorePermit, tracker: &TaskTracker) {
        metrics::claimed(&claim.operation);
        let worker = Arc::clone(&self.worker);
        tracker.spawn(async move {
            worker.drive(claim).await;
            drop(permit);
        });
    }

    /// Waits until something may be due; returns whether that took no time worth speaking of.
    async fn wakes_early(&self, kinds: &[String]) -> bool {
        let asked = Instant::now();
        self.worker.engine.store().wait_due(kinds, IDLE).await;
        asked.elapsed() < IN_VAIN
    }

    async fn claim(&self, kinds: &[String], limit: usize) -> Result<Vec<Claim>, StoreError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.worker.engine.store().claim(kinds, &self.worker.owner, limit, self.worker.times.work_ttl).await
    }
}
