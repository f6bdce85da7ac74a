//! A change of shares as a durable operation: change, follow, prove.
//!
//! The accounts of one image are changed under the lock of its lane ([`change`]). Copies in other regions are other
//! lanes, with their own quota and lock: each is changed by an operation of its own, which this one starts and
//! follows ([`follow`], [`children`]). At last the list is read back ([`prove`]). What is written around a step, and
//! when it runs again, is decided by `sampan_ops`.

mod cancel;
mod change;
mod children;
mod follow;
mod notes;
mod prove;
mod refused;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use sampan_cloud::{Account, Accounts};
use sampan_core::limits::Limits;
use sampan_core::{Reason, SharedClock};
use sampan_ops::failure::of_reason as fail;
use sampan_ops::{
    CancelOutcome, Conclusion, Engine, LaneRules, Outcome, Reopening, Saga, Step, StepContext, StepError,
};
use sampan_state::SharedStore;
use sampan_state::operation::{Failure, Operation, State, TargetState};
use serde::Serialize;

use crate::spec::ShareSpec;

/// Kind of the operations of this saga.
pub const KIND: &str = "share";

const CHANGE: &str = "change";
const FOLLOW: &str = "follow";
const READ_BACK: &str = "read_back";

const STEPS: &[Step] = &[
    Step { name: CHANGE, under_lane_lock: true },
    Step { name: FOLLOW, under_lane_lock: false },
    Step { name: READ_BACK, under_lane_lock: false },
];

/// How long Sampan works on a change; calls and lists answer within seconds, outages and throttling are waited out.
const DEADLINE: SignedDuration = SignedDuration::from_hours(1);

/// Changes the accounts that one image, and its copies, are shared with.
#[derive(Debug, Clone)]
pub struct ShareSaga {
    accounts: Accounts,
    limits: Arc<Limits>,
    desk: Desk,
}

/// Where operations for other regions are started.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The store of the operations.
    pub store: SharedStore,
    /// Dates the ids of operations.
    pub clock: SharedClock,
    /// Quota of every lane.
    pub rules: LaneRules,
}

/// What every run of a step works with.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    account: &'a Account,
    limits: &'a Limits,
    spec: &'a ShareSpec,
}

impl ShareSaga {
    /// Makes the saga over the configured accounts and limits.
    pub fn new(accounts: Accounts, limits: Arc<Limits>, desk: Desk) -> Self {
        Self { accounts, limits, desk }
    }

    /// Returns an engine that starts operations of this saga and reads every other.
    fn engine(&self) -> Engine {
        let Desk { store, clock, rules } = self.desk.clone();
        Engine::new(store, clock, rules, vec![Arc::new(self.clone())])
    }
}

/// The account may have been taken out of the configuration since the operation was admitted.
fn forgotten(spec: &ShareSpec) -> String {
    format!("account {} is not configured any more", spec.account)
}

#[async_trait]
impl Saga for ShareSaga {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    fn has_work(&self, step: &Step, operation: &Operation) -> bool {
        let spec: Option<ShareSpec> = operation.request.read().ok();
        step.name != FOLLOW || spec.is_none_or(|spec| spec.include_copies)
    }

    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        let spec: ShareSpec = context.request()?;
        let Some(account) = self.accounts.get(&spec.account) else {
            return Ok(Outcome::Fail(fail(Reason::AccountUnknown, forgotten(&spec))));
        };
        let job = Job { account, limits: &self.limits, spec: &spec };
        match step.name {
            CHANGE => change::run(job, context).await,
            FOLLOW => follow::run(job, &self.engine(), context).await,
            READ_BACK => prove::run(job, context).await,
            other => Err(StepError::Record(format!("there is no step {other}"))),
        }
    }

    async fn cancel(&self, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
        let spec: ShareSpec = context.request()?;
        match self.accounts.get(&spec.account) {
            Some(account) => {
                cancel::run(Job { account, limits: &self.limits, spec: &spec }, &self.engine(), context).await
            }
            None => Ok(CancelOutcome::Cancelled { message: forgotten(&spec) }),
        }
    }

    fn reopening(&self, operation: &Operation) -> Option<Reopening> {
        let spec: ShareSpec = operation.request.read().ok()?;
        let failed: Vec<_> = operation.targets.iter().filter(|target| target.state == TargetState::Failed).collect();
        let of_image = failed.iter().filter(|target| !targets::is_of_copy(target)).count();
        if of_image == 0 && !failed.is_empty() {
            return Some(Reopening { from_step: FOLLOW, units: 0 });
        }
        // What failed before its accounts were known begins with all of them.
        let traits = self.accounts.get(&spec.account)?.shares.share_traits();
        let calls = traits.accounts_per_call.map_or(1, |most| of_image.div_ceil(most.max(1)).max(1));
        Some(Reopening { from_step: CHANGE, units: u32::try_from(calls).unwrap_or(u32::MAX) })
    }

    fn conclude(&self, operation: &Operation) -> Conclusion {
        let succeeded = operation.targets.iter().filter(|target| target.state == TargetState::Succeeded).count();
        let state = match succeeded {
            // An exact list of nobody, of an image that nobody has, is as wanted.
            all if all == operation.targets.len() => State::Succeeded,
            0 => State::Failed,
            _ => State::PartiallySucceeded,
        };
        let result = operation.journal.outputs.get(READ_BACK).filter(|_| state != State::Failed).cloned();
        let failure = operation.targets.iter().find_map(|target| target.failure.clone());
        Conclusion { state, result, failure }
    }

    fn deadline_failure(&self, operation: &Operation) -> Failure {
        let words = if operation.journal.intent.is_some() {
            "no answer came to the share call, and the list of shares could not be read until the deadline"
        } else {
            "the change was not done when the deadline passed"
        };
        fail(Reason::ShareDeadlinePassed, words)
    }

    fn stall_after(&self, _operation: &Operation) -> Option<Duration> {
        // Every part ends within seconds or waits for something that it names.
        None
    }
}

fn done<T: Serialize>(output: &T) -> Result<Outcome, StepError> {
    serde_json::to_value(output).map(Outcome::Done).map_err(|error| StepError::Record(error.to_string()))
}

/// The work goes on for an hour more: what is waited for has its own deadline.
fn prolong(context: &mut StepContext) {
    let deadline = context.now().saturating_add(DEADLINE).unwrap_or(context.now());
    context.set_deadline(deadline);
}
