//! A saga around a saga that disturbs one step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sampan_cloud::{CallClass, CallError};
use sampan_core::{Cloud, Reason};
use sampan_state::operation::{Failure, Operation};
use tokio::sync::Notify;

use super::{Moment, Scenario};
use crate::after::begin_step;
use crate::context::StepContext;
use crate::failure;
use crate::saga::{CancelOutcome, Conclusion, Outcome, Reopening, Saga, Step, StepError};

/// Runs of a step that meet an error before it passes.
const ERRORS: u32 = 3;

/// Where a process is to die: whoever comes here never goes on, and says so.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Notify>);

impl Halt {
    /// Waits until somebody has come here.
    pub(super) async fn reached(&self) {
        self.0.notified().await;
    }

    async fn stay(&self) {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// The place in `begin_call` between the write and the permission to call.
pub(crate) async fn halt_after_announcement(halt: Option<&Halt>) {
    if let Some(halt) = halt {
        halt.stay().await;
    }
}

#[derive(Debug)]
pub(super) struct Meddler {
    inner: Arc<dyn Saga>,
    scenario: Scenario,
    halt: Halt,
    runs: AtomicU32,
    crashes: AtomicU32,
}

impl Meddler {
    pub(super) fn new(inner: Arc<dyn Saga>, scenario: Scenario, halt: Halt) -> Self {
        Self { inner, scenario, halt, runs: AtomicU32::new(0), crashes: AtomicU32::new(0) }
    }

    /// Runs the step and forgets it, as a process does that dies, then runs it from what the store has.
    async fn repeat(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        // The outcome is what the crash takes with it.
        drop(self.inner.run(step, context).await);
        context.operation = context.base.clone();
        begin_step(&mut context.operation, context.now);
        context.fresh = None;
        context.queued_at_vendor = false;
        self.inner.run(step, context).await
    }

    async fn crash(&self, step: &Step, moment: Moment, context: &mut StepContext) -> Result<Outcome, StepError> {
        if self.crashes.load(Ordering::SeqCst) > 0 {
            return self.inner.run(step, context).await;
        }
        match moment {
            Moment::Announced => {
                context.guard.halt = Some(self.halt.clone());
                let outcome = self.inner.run(step, context).await;
                context.guard.halt = None;
                outcome
            }
            Moment::Ran => {
                drop(self.inner.run(step, context).await);
                self.halt.stay().await;
                Err(StepError::CancelRequested)
            }
            Moment::Done => match self.inner.run(step, context).await {
                Ok(Outcome::Done(_)) => {
                    self.halt.stay().await;
                    Err(StepError::CancelRequested)
                }
                other => other,
            },
        }
    }

    /// The process has died: from now on everything runs undisturbed.
    pub(super) fn crashed(&self) {
        self.crashes.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Saga for Meddler {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn steps(&self) -> &'static [Step] {
        self.inner.steps()
    }

    /// The step that is meddled with runs, whatever the saga says: its turn is what is checked.
    fn has_work(&self, step: &Step, operation: &Operation) -> bool {
        let is_meddled_with = match self.scenario {
            Scenario::Undisturbed => false,
            Scenario::Repeated(name)
            | Scenario::Failed(name)
            | Scenario::Recovered(name)
            | Scenario::Crashed(name, _) => name == step.name,
        };
        is_meddled_with || self.inner.has_work(step, operation)
    }

    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        match self.scenario {
            Scenario::Repeated(name) if name == step.name => self.repeat(step, context).await,
            Scenario::Failed(name) if name == step.name => Ok(Outcome::Fail(injected_failure())),
            Scenario::Recovered(name) if name == step.name => match self.runs.fetch_add(1, Ordering::SeqCst) {
                before if before < ERRORS => Err(passing_error(context.operation().lane.cloud).into()),
                _ => self.inner.run(step, context).await,
            },
            Scenario::Crashed(name, moment) if name == step.name => self.crash(step, moment, context).await,
            Scenario::Undisturbed
            | Scenario::Repeated(_)
            | Scenario::Failed(_)
            | Scenario::Recovered(_)
            | Scenario::Crashed(_, _) => self.inner.run(step, context).await,
        }
    }

    async fn cancel(&self, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
        self.inner.cancel(context).await
    }

    async fn undo(&self, step: &Step, context: &mut StepContext) -> Result<(), StepError> {
        self.inner.undo(step, context).await
    }

    fn reopening(&self, operation: &Operation) -> Option<Reopening> {
        self.inner.reopening(operation)
    }

    fn conclude(&self, operation: &Operation) -> Conclusion {
        self.inner.conclude(operation)
    }

    fn deadline_failure(&self, operation: &Operation) -> Failure {
        self.inner.deadline_failure(operation)
    }

    fn stall_after(&self, operation: &Operation) -> Option<Duration> {
        self.inner.stall_after(operation)
    }
}

pub(super) fn injected_failure() -> Failure {
    failure::of_reason(Reason::CloudRefused, "injected by the check")
}

fn passing_error(cloud: Cloud) -> CallError {
    CallError {
        cloud,
        action: "Injected",
        class: CallClass::Transient,
        reason: Reason::CloudUnavailable,
        code: None,
        message: "injected by the check".to_owned(),
        request_id: None,
        http_status: Some(503),
        retry_after: None,
        attempts: 1,
    }
}
