//! What a service writes to describe its durable work: a linear list of named steps.
//!
//! When a step runs, how often, and what is written around it is decided by the planner and the runner.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sampan_cloud::CallError;
use sampan_state::operation::{Failure, Operation, State};
use serde_json::Value;

use crate::context::StepContext;

/// One named step of a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Name, unique within the saga and stable: it is kept in the records.
    pub name: &'static str,
    /// Whether the step runs under the lane lock: true from the live read of cloud limits to the accepted call.
    pub under_lane_lock: bool,
}

/// How one run of a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The step is done; its output is kept under its name.
    Done(Value),
    /// The cloud works; look again after a time that the poll schedule decides, or after `hint`.
    Poll {
        /// A wish that wins over the schedule.
        hint: Option<Duration>,
    },
    /// Other work holds the resource at the cloud; try the step again after this time. No quota is spent by it.
    Busy {
        /// How long to wait.
        after: Duration,
        /// What holds it, told to the caller as a warning.
        message: String,
    },
    /// The cloud says that the day's quota of the lane is spent. The engine queues or fails the operation, as its
    /// caller chose.
    SpentElsewhere(CallError),
    /// The operation fails; steps that are done are undone in reverse order.
    Fail(Failure),
}

/// Why a run of a step ended without an outcome.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A cloud call failed. The engine decides by its class: repeat later, wait, look for the effect, or fail.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store failed or refused; the engine decides. Never swallow it: after a lost lease nothing may be called.
    #[error(transparent)]
    Store(#[from] sampan_state::Error),
    /// The operation has to wait for its turn in the lane's quota; made by `StepContext::begin_call`.
    #[error("waits for the lane's quota")]
    WaitForQuota {
        /// When to try again.
        until: jiff::Timestamp,
        /// Place in the waiting list; `None` when the day is about to turn and no call may begin.
        position: Option<u32>,
    },
    /// A cancel was asked for before the announced call; made by `StepContext::begin_call`.
    #[error("a cancel was asked for")]
    CancelRequested,
    /// The deadline passed before the announced call; made by `StepContext::begin_call`.
    #[error("the deadline has passed")]
    DeadlinePassed,
    /// The record does not hold what the step needs.
    #[error("the record is not readable by this step: {0}")]
    Record(String),
}

/// How a run of a cancel ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CancelOutcome {
    /// Nothing is left to cancel: the operation ends as cancelled, with these words to the caller.
    Cancelled {
        /// What was stopped, what could not be, what may still arrive.
        message: String,
    },
    /// The cloud is stopping it; look again.
    Poll,
    /// It had ended before the cancel reached it: the steps go on to prove and record the result.
    TooLate,
}

/// How an operation ends after its last step.
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    /// A final state.
    pub state: State,
    /// The result of the kind.
    pub result: Option<Value>,
    /// Why it failed, when it did.
    pub failure: Option<Failure>,
}

/// Where an ended operation begins again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reopening {
    /// Name of the step; outputs of the steps before it are kept.
    pub from_step: &'static str,
    /// Units that the further mutating calls need.
    pub units: u32,
}

/// A kind of durable operation.
///
/// Steps are idempotent, keep no state outside of the record, look before they create, and never sleep: they end
/// with [`Outcome::Poll`] instead.
#[async_trait]
pub trait Saga: Send + Sync + fmt::Debug {
    /// Returns the kind, as kept in the records: `export`.
    fn kind(&self) -> &'static str;

    /// Returns the steps in order; never empty, and never reordered once records exist.
    fn steps(&self) -> &'static [Step];

    /// Says whether a step has anything to do for this operation, as far as its record tells. One that has not is
    /// passed over, and nobody is told that it runs. The first step always runs; by default every step does.
    fn has_work(&self, _step: &Step, _operation: &Operation) -> bool {
        true
    }

    /// Runs one step once.
    ///
    /// The context's working copy of the record is committed together with the outcome. When the context holds an
    /// intent of this step, a mutating call was announced before and its outcome is not known: look for the effect
    /// first, adopt it if it is there, and only call again when it surely is not.
    ///
    /// # Cancellation
    /// May be dropped at any await when the lease is lost or the process stops; the next run begins anew.
    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError>;

    /// Carries out a cancel. Called instead of the steps from the moment that a cancel was asked for, until it
    /// answers something else than [`CancelOutcome::Poll`].
    async fn cancel(&self, context: &mut StepContext) -> Result<CancelOutcome, StepError>;

    /// Removes what a step that was done has made, after a failure. The default removes nothing.
    async fn undo(&self, _step: &Step, _context: &mut StepContext) -> Result<(), StepError> {
        Ok(())
    }

    /// Says where an ended operation with failed targets begins again; `None` when it cannot be tried again, which
    /// is the default.
    fn reopening(&self, _operation: &Operation) -> Option<Reopening> {
        None
    }

    /// Decides how the operation ends after its last step.
    fn conclude(&self, operation: &Operation) -> Conclusion;

    /// Returns the failure with which the operation ends when its deadline passes.
    fn deadline_failure(&self, operation: &Operation) -> Failure;

    /// Returns how long the operation may go without progress before it counts as stalled; `None` turns the alarm
    /// off.
    fn stall_after(&self, operation: &Operation) -> Option<Duration>;
}
