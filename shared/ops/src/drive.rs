//! Carries one claimed operation on until it rests: one step, one commit, and again.
//!
//! What is next and what a run means is decided in `plan` and `after`; how a step is run is in `runs`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sampan_core::Reason;
use sampan_core::quota_day::QuotaRule;
use sampan_state::lease::{LaneLease, WorkLease};
use sampan_state::operation::{Operation, State};
use sampan_state::{Claim, Commit, Error, Next, SharedStore};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error, info, warn};

use crate::after::{Facts, Frame, Rest, Verdict};
use crate::engine::Engine;
use crate::leases::LeaseTimes;
use crate::plan::{self, Action};
use crate::policy::{Chance, Policy};
use crate::saga::{Saga, StepError};
use crate::{ending, failure, metrics, repeat, trace, waiting};

/// Writes of one commit while the store is not reachable.
const COMMIT_ATTEMPTS: u32 = 5;
const COMMIT_PAUSE: Duration = Duration::from_millis(100);

/// What all operations of a runner share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) engine: Engine,
    pub(crate) policy: Policy,
    pub(crate) chance: Chance,
    pub(crate) owner: String,
    pub(crate) times: LeaseTimes,
    /// Begin no further step.
    pub(crate) stopping: CancellationToken,
    /// Leave the running steps too.
    pub(crate) leaving: CancellationToken,
}

/// One claimed operation.
pub(crate) struct Job<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) store: &'a SharedStore,
    pub(crate) saga: Arc<dyn Saga>,
    pub(crate) rule: QuotaRule,
    pub(crate) operation: Operation,
    pub(crate) lease: WorkLease,
    pub(crate) lane: Option<LaneLease>,
}

impl Worker {
    /// Carries the operation on until it rests, ends, or is lost.
    ///
    /// # Cancellation
    /// The leases run out, and another worker goes on from the last commit.
    pub(crate) async fn drive(&self, claim: Claim) {
        let span = trace::run(&claim.operation);
        self.carry_on(claim).instrument(span).await;
    }

    async fn carry_on(&self, claim: Claim) {
        let Some(saga) = self.engine.saga(&claim.operation.kind) else { return };
        let mut job = Job {
            worker: self,
            store: self.engine.store(),
            saga: Arc::clone(saga),
            rule: self.engine.rule(&claim.operation.lane),
            operation: claim.operation,
            lease: claim.lease,
            lane: None,
        };
        loop {
            match job.turn().await {
                Ok(Some(verdict)) => {
                    if !job.commit(verdict).await {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    warn!(operation = %job.operation.id, %error, "operation left until its lease runs out");
                    break;
                }
            }
        }
        job.unlock().await;
    }
}

impl Job<'_> {
    /// Does what is next and decides what comes of it; `None` when the operation is not ours any more.
    async fn turn(&mut self) -> Result<Option<Verdict>, Error> {
        if self.worker.stopping.is_cancelled() {
            return Ok(Some(self.handed_back()));
        }
        let now = self.store.now().await?;
        let saga = Arc::clone(&self.saga);
        let operation = self.operation.clone();
        Ok(match plan::next_action(&operation, now, saga.steps()) {
            Action::Nothing => None,
            Action::Run(index) => self.run_step(&saga.steps()[index], now).await?,
            Action::Cancel => self.run_cancel(now).await?,
            Action::Undo(index) => self.run_undo(&saga.steps()[index], now).await?,
            Action::TakeTurn => Some(self.take_turn(now).await),
            Action::Conclude => Some(ending::conclude(operation, self.frame(now))),
            Action::EndFailed => Some(ending::end_failed(operation, self.frame(now))),
            Action::FailByDeadline => Some(ending::fail_by_deadline(operation, None, self.frame(now))),
            Action::FailUnknownStep => {
                let words = format!("this version knows no step {}", operation.journal.step_name);
                let failure = failure::of_reason(Reason::InternalFault, words);
                Some(ending::fail(operation, failure, self.frame(now)))
            }
        })
    }

    async fn take_turn(&self, now: Timestamp) -> Verdict {
        let mut operation = self.operation.clone();
        if operation.units == 0 {
            operation.state = State::Running;
            return Verdict::new(operation, Rest::GoOn, "quota_granted");
        }
        let turn = self.store.take_turn(&operation.lane, &self.rule, operation.id, operation.units).await;
        match turn {
            Ok(turn) => waiting::after_turn(operation, turn, self.frame(now)),
            Err(error) => repeat::after_error(operation, StepError::Store(error), self.frame(now)),
        }
    }

    pub(crate) fn frame(&self, now: Timestamp) -> Frame<'_> {
        let chance = self.worker.chance.draw();
        let facts = Facts { now, queued_at_vendor: false, fresh: None, chance };
        Frame { saga: self.saga.as_ref(), policy: &self.worker.policy, rule: &self.rule, facts }
    }

    /// Writes the verdict; returns whether this worker goes on with the operation.
    async fn commit(&mut self, verdict: Verdict) -> bool {
        let Verdict { operation, rest, units, outcome } = verdict;
        let next = match rest {
            Rest::GoOn if self.worker.stopping.is_cancelled() => Next::DueAt(operation.updated),
            Rest::GoOn => Next::Keep(self.worker.times.work_ttl),
            Rest::Until(due) => Next::DueAt(due),
            Rest::InLine { since, at_latest } => Next::InLine { since, at_latest },
            Rest::Ended => Next::Ended,
            Rest::Abandon => return false,
        };
        let goes_on = matches!(next, Next::Keep(_));
        let (step, attempt) = (self.operation.journal.step_name.clone(), operation.journal.step_attempts);
        let commit = Commit { operation, next, units, rule: Some(self.rule.clone()), lane: None };
        match self.write(commit).await {
            Ok((operation, lease)) => {
                // Looks that change nothing but the time of the next one are for those who ask for them.
                let moved = goes_on || operation.state != self.operation.state;
                log_move(&operation, &step, attempt, outcome, moved);
                metrics::committed(&self.operation, &operation);
                self.operation = operation;
                self.lease = lease.unwrap_or_else(|| self.lease.clone());
                goes_on
            }
            Err(Error::LeaseLost(_)) => {
                warn!(operation = %self.operation.id, step, outcome, "work lease lost, outcome dropped");
                false
            }
            Err(error) => {
                error!(operation = %self.operation.id, step, outcome, %error, "outcome not written");
                false
            }
        }
    }

    async fn write(&self, commit: Commit) -> Result<(Operation, Option<WorkLease>), Error> {
        for _ in 1..COMMIT_ATTEMPTS {
            match self.store.commit(&self.lease, commit.clone()).await {
                Err(Error::Unavailable(_)) => tokio::time::sleep(COMMIT_PAUSE).await,
                written => return written,
            }
        }
        self.store.commit(&self.lease, commit).await
    }

    /// Takes the lane, or prolongs what is held of it.
    pub(crate) async fn lock(&mut self, now: Timestamp) -> Result<(), Error> {
        let ttl = self.worker.times.lane_ttl;
        if let Some(held) = self.lane.take()
            && let Ok(renewed) = self.store.renew_lane(&held, ttl).await
        {
            self.lane = Some(renewed);
            return Ok(());
        }
        // One owner per operation, so that two of this process exclude each other too.
        let owner = format!("{}/{}", self.worker.owner, self.operation.id);
        let lane = &self.operation.lane;
        match self.store.lock_lane(lane, &owner, ttl).await {
            Ok(lease) => self.lane = Some(lease),
            Err(error) => {
                if matches!(error, Error::LaneHeld { .. }) {
                    metrics::lane_held(lane);
                }
                return Err(error);
            }
        }
        let journal = &self.operation.journal;
        metrics::locked(lane, journal.step_started.filter(|_| journal.step_attempts == 0), now);
        Ok(())
    }

    pub(crate) async fn unlock(&mut self) {
        if let Some(lane) = self.lane.take()
            && let Err(error) = self.store.unlock_lane(&lane).await
        {
            warn!(lane = %lane.lane, %error, "lane left until its lease runs out");
        }
    }
}

fn log_move(operation: &Operation, step: &str, attempt: u32, outcome: &str, moved: bool) {
    let Operation { id, kind, lane, revision, state, .. } = operation;
    if moved {
        info!(operation = %id, kind, %lane, step, attempt, revision, ?state, outcome, "operation moved");
    } else {
        debug!(operation = %id, kind, %lane, step, attempt, revision, ?state, outcome, "operation rests");
    }
}
