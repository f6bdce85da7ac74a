//! What a step sees and may change: the working copy of the record.
//!
//! The door to mutating calls, [`StepContext::begin_call`], is in `announce`.

use jiff::Timestamp;
use sampan_core::quota_day::QuotaRule;
use sampan_state::SharedStore;
use sampan_state::lease::{LaneLease, WorkLease};
use sampan_state::operation::{Intent, Operation, QuotaHold, Target, Warning};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::announce::Announcement;
use crate::announce::CallGuard;
use crate::rules::LaneRules;
use crate::saga::StepError;

/// What became of an announced call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The cloud accepted it: the units are used.
    Accepted,
    /// It surely never took effect: the units go back.
    WithoutEffect,
}

/// What the context is given out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A step.
    Step(&'static str),
    /// A cancel or an undo: their calls remove things and are not counted.
    Aside,
}

/// The working copy of an operation during one run of a step.
#[derive(Debug)]
pub struct StepContext {
    pub(crate) operation: Operation,
    /// The record as the store has it.
    pub(crate) base: Operation,
    pub(crate) purpose: Purpose,
    pub(crate) now: Timestamp,
    pub(crate) store: SharedStore,
    pub(crate) rule: QuotaRule,
    /// The rules of the other lanes.
    pub(crate) rules: LaneRules,
    pub(crate) work: WorkLease,
    pub(crate) lane: Option<LaneLease>,
    pub(crate) guard: CallGuard,
    /// Action announced first in this run: no earlier call of the step can have had an effect.
    pub(crate) fresh: Option<&'static str>,
    pub(crate) queued_at_vendor: bool,
}

impl StepContext {
    /// Returns the record as it will be committed.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Returns the store's clock at the beginning of the step.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Reads the checked request.
    ///
    /// # Errors
    /// [`StepError::Record`] when it has another form.
    pub fn request<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        self.operation.request.read().map_err(|error| StepError::Record(error.to_string()))
    }

    /// Reads the output of a step that is done.
    ///
    /// # Errors
    /// [`StepError::Record`] when the step is not done, or its output has another form.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<T, StepError> {
        let value = self.operation.journal.outputs.get(step).cloned();
        let value = value.ok_or_else(|| StepError::Record(format!("step {step} has no output")))?;
        serde_json::from_value(value).map_err(|error| StepError::Record(error.to_string()))
    }

    /// Reads what this step kept at its last run; `None` at the first.
    ///
    /// # Errors
    /// [`StepError::Record`] when it has another form.
    pub fn scratch<T: DeserializeOwned>(&self) -> Result<Option<T>, StepError> {
        serde_json::from_value(self.operation.journal.scratch.clone())
            .map_err(|error| StepError::Record(error.to_string()))
    }

    /// Keeps `value` until the next run of this step.
    ///
    /// # Errors
    /// [`StepError::Record`] when it cannot be written as JSON.
    pub fn keep<T: Serialize>(&mut self, value: &T) -> Result<(), StepError> {
        self.operation.journal.scratch =
            serde_json::to_value(value).map_err(|error| StepError::Record(error.to_string()))?;
        Ok(())
    }

    /// Returns the announced call of this step whose outcome is not known.
    pub fn intent(&self) -> Option<&Intent> {
        self.operation.journal.intent.as_ref()
    }

    /// Says what became of the announced call: the intent is settled.
    ///
    /// Units of a call without effect go back with the commit that ends the step or the operation; while the step
    /// is going to repeat the call they stay held, so that nobody overtakes it and nothing is counted twice.
    pub fn settle(&mut self, settled: Settled) {
        self.operation.journal.intent = None;
        self.operation.journal.units_unused = match settled {
            Settled::Accepted => false,
            Settled::WithoutEffect => true,
        };
    }

    /// Returns the targets, to be set up by the first step and moved on by the others.
    pub fn targets(&mut self) -> &mut Vec<Target> {
        &mut self.operation.targets
    }

    /// Sets when Sampan stops waiting for the cloud.
    pub fn set_deadline(&mut self, deadline: Timestamp) {
        self.operation.deadline = Some(deadline);
    }

    /// Tells the caller something that does not stop the operation; the same code again replaces the message.
    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        warn(&mut self.operation, code, message);
    }

    /// Sets how many units of the operation's own lane the calls that are still to come need, once that is known
    /// better than at the start. What was used stays counted; what is held and not needed goes back with the step.
    pub fn need_units(&mut self, units: u32) {
        let held = match self.operation.quota {
            QuotaHold::Reserved { units, .. } => units,
            QuotaHold::None | QuotaHold::Waiting { .. } | QuotaHold::Committed { .. } | QuotaHold::Released => 0,
        };
        self.operation.units = units;
        if units == 0 && held > 0 {
            self.operation.journal.units_unused = true;
        }
    }

    /// Adds to the words of the failure that is being undone: what could not be removed.
    pub fn add_to_failure(&mut self, words: &str) {
        if let Some(failure) = &mut self.operation.failure {
            failure.message.push_str(words);
        }
    }

    /// Says that the vendor has queued the work: the time counts as no stall.
    pub fn mark_queued_at_vendor(&mut self) {
        self.queued_at_vendor = true;
    }
}

/// Adds a warning, or replaces the one of that code.
pub(crate) fn warn(operation: &mut Operation, code: &str, message: impl Into<String>) {
    let message = message.into();
    match operation.warnings.iter_mut().find(|warning| warning.code == code) {
        Some(warning) => warning.message = message,
        None => operation.warnings.push(Warning { code: code.to_owned(), message }),
    }
}
