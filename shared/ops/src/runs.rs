//! Runs a step, a cancel or an undo once: under its leases, stopped when one is lost, a panic caught.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use jiff::Timestamp;
use sampan_cloud::audit::CallContext;
use sampan_state::Error;
use sampan_state::operation::{Operation, State};
use tracing::{Instrument as _, error, info_span};

use crate::after::{self, Ran, Rest, Verdict};
use crate::announce::CallGuard;
use crate::context::{Purpose, StepContext};
use crate::drive::Job;
use crate::leases::{Lost, keep_alive};
use crate::saga::{Step, StepError};
use crate::{ending, metrics, repeat};

/// How a guarded run ended.
enum Guarded<T> {
    Ended(Result<T, StepError>),
    Panicked,
    Lost(Lost),
    Left,
}

impl Job<'_> {
    /// Runs a step once.
    pub(crate) async fn run_step(&mut self, step: &Step, now: Timestamp) -> Result<Option<Verdict>, Error> {
        if !step.under_lane_lock {
            self.unlock().await;
        } else if let Err(error) = self.lock(now).await {
            let operation = self.operation.clone();
            return Ok(Some(repeat::after_error(operation, StepError::Store(error), self.frame(now))));
        }
        let mut operation = self.operation.clone();
        if operation.started.is_none() {
            metrics::began(&operation, now);
        }
        after::begin_step(&mut operation, now);
        let mut context = self.context(operation, Purpose::Step(step.name), now);
        let saga = Arc::clone(&self.saga);
        let work = self.on_behalf(step.name.to_owned(), self.operation.units).scope(saga.run(step, &mut context));
        let ended = self.guarded(work).await;
        let context = self.take_back(context);
        let ran = match ended {
            Guarded::Ended(Ok(outcome)) => Ran::Outcome(outcome),
            Guarded::Ended(Err(error)) => Ran::Error(error),
            Guarded::Panicked => Ran::Panicked,
            Guarded::Lost(lost) => return Ok(self.interrupted(lost, now)),
            Guarded::Left => return Ok(Some(self.handed_back())),
        };
        // The call may have taken its time.
        let mut frame = self.frame(self.store.now().await.unwrap_or(now));
        frame.facts.queued_at_vendor = context.queued_at_vendor;
        frame.facts.fresh = context.fresh;
        Ok(Some(after::after_step(&context.base, context.operation, ran, frame)))
    }

    /// Runs the saga's cancel once.
    pub(crate) async fn run_cancel(&mut self, now: Timestamp) -> Result<Option<Verdict>, Error> {
        let mut operation = self.operation.clone();
        operation.state = State::Cancelling;
        let before = operation.targets.clone();
        let mut context = self.context(operation, Purpose::Aside, now);
        let saga = Arc::clone(&self.saga);
        let work = self.on_behalf("cancel".to_owned(), 0).scope(saga.cancel(&mut context));
        let ended = self.guarded(work).await;
        let context = self.take_back(context);
        let ended = match ended {
            Guarded::Ended(ended) => ended,
            Guarded::Panicked => Err(StepError::Record("the cancel panicked".to_owned())),
            Guarded::Lost(lost) => return Ok(self.interrupted(lost, now)),
            Guarded::Left => return Ok(Some(self.handed_back())),
        };
        let frame = self.frame(self.store.now().await.unwrap_or(now));
        let mut operation = context.operation;
        crate::progress::observe(&before, &mut operation, frame.facts.now);
        Ok(Some(ending::after_cancel(operation, ended, frame)))
    }

    /// Undoes one step once.
    pub(crate) async fn run_undo(&mut self, step: &Step, now: Timestamp) -> Result<Option<Verdict>, Error> {
        let mut context = self.context(self.operation.clone(), Purpose::Aside, now);
        let saga = Arc::clone(&self.saga);
        let work = self.on_behalf(format!("undo {}", step.name), 0).scope(saga.undo(step, &mut context));
        let ended = self.guarded(work).await;
        let context = self.take_back(context);
        let ended = match ended {
            Guarded::Ended(ended) => ended,
            Guarded::Panicked => Err(StepError::Record("the undo panicked".to_owned())),
            Guarded::Lost(lost) => return Ok(self.interrupted(lost, now)),
            Guarded::Left => return Ok(Some(self.handed_back())),
        };
        let frame = self.frame(self.store.now().await.unwrap_or(now));
        Ok(Some(ending::after_undo(context.operation, ended, frame)))
    }

    fn context(&self, operation: Operation, purpose: Purpose, now: Timestamp) -> StepContext {
        let policy = &self.worker.policy;
        StepContext {
            operation,
            base: self.operation.clone(),
            purpose,
            now,
            store: Arc::clone(self.store),
            rule: self.rule.clone(),
            rules: self.worker.engine.rules().clone(),
            work: self.lease.clone(),
            lane: self.lane.clone(),
            guard: CallGuard {
                day_end_margin: policy.day_end_margin,
                after_reset: policy.after_reset,
                work_ttl: self.worker.times.work_ttl,
                #[cfg(any(test, feature = "crash-checks"))]
                halt: None,
            },
            fresh: None,
            queued_at_vendor: false,
        }
    }

    /// For whom and why the calls of a run are made.
    fn on_behalf(&self, step: String, units: u32) -> CallContext {
        let Operation { id, caller, kind, .. } = &self.operation;
        CallContext { operation: Some(id.name()), caller: caller.clone(), kind: kind.clone(), step, units }
    }

    /// Takes over what the run has committed by itself.
    fn take_back(&mut self, context: StepContext) -> StepContext {
        self.operation = context.base.clone();
        self.lease = context.work.clone();
        context
    }

    async fn guarded<T>(&self, run: impl Future<Output = Result<T, StepError>>) -> Guarded<T> {
        let Operation { id, kind, journal, .. } = &self.operation;
        let span = info_span!("step", operation = %id, kind, step = journal.step_name);
        let run = AssertUnwindSafe(run.instrument(span)).catch_unwind();
        let leases = keep_alive(self.store, self.lease.clone(), self.lane.clone(), self.worker.times);
        tokio::select! {
            biased;
            lost = leases => Guarded::Lost(lost),
            ended = run => match ended {
                Ok(ended) => Guarded::Ended(ended),
                Err(_) => {
                    error!(operation = %self.operation.id, step = %self.operation.journal.step_name, "step panicked");
                    Guarded::Panicked
                }
            },
            () = self.worker.leaving.cancelled() => Guarded::Left,
        }
    }

    /// A lease was lost and the run was dropped. Without the work there is nothing to write any more.
    fn interrupted(&mut self, lost: Lost, now: Timestamp) -> Option<Verdict> {
        match lost {
            Lost::Work => {
                metrics::lost("work");
                None
            }
            Lost::Lane => {
                metrics::lost("lane");
                self.lane = None;
                let frame = self.frame(now);
                let wait = frame.policy.lost_delay(frame.facts.chance);
                Some(Verdict::new(self.operation.clone(), Rest::Until(frame.after(wait)), "lane_lost"))
            }
        }
    }

    /// The process leaves: the operation is due at once for the next one.
    pub(crate) fn handed_back(&self) -> Verdict {
        Verdict::new(self.operation.clone(), Rest::Until(self.operation.updated), "handed_back")
    }
}
