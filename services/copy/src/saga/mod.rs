//! The copy as a durable operation: plan, copy, await, share, finish.
//!
//! Every destination is a target of its own, with its own call where the cloud does not fan out. What is written
//! around a step, and when it runs again, is decided by `sampan_ops`.

mod again;
mod await_copies;
mod call;
mod cancel;
mod copy;
mod finish;
mod follow;
mod look;
mod next;
mod plan;
mod refused;
mod remove;
mod result;
mod share;
mod target;
mod undo;

pub(crate) use result::not_copied;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sampan_chassis::PeerTransport;
use sampan_chassis::cost::Pricing;
use sampan_cloud::image::Image;
use sampan_cloud::{Account, Accounts};
use sampan_core::Reason;
use sampan_core::limits::Limits;
use sampan_ops::failure::of_reason as fail;
use sampan_ops::{CancelOutcome, Conclusion, Outcome, Reopening, Saga, Step, StepContext, StepError};
use sampan_state::operation::{Failure, Operation, State, TargetState};
use serde::{Deserialize, Serialize};

use crate::spec::{CopySpec, FailurePolicy, Route};
use crate::waiting;

/// Kind of the operations of this saga.
pub const KIND: &str = "copy";

const PLAN: &str = "plan_copies";
const COPY: &str = "copy";
const AWAIT: &str = "await_copies";
const SHARE: &str = "share_copies";
const FINISH: &str = "finish_copies";

const STEPS: &[Step] = &[
    Step { name: PLAN, under_lane_lock: true },
    Step { name: COPY, under_lane_lock: true },
    Step { name: AWAIT, under_lane_lock: false },
    Step { name: SHARE, under_lane_lock: false },
    Step { name: FINISH, under_lane_lock: false },
];

/// Copies one image to one or many regions.
#[derive(Debug, Clone)]
pub struct CopySaga {
    accounts: Accounts,
    limits: Arc<Limits>,
    pricing: Pricing,
    share: PeerTransport,
}

/// What every run of a step works with.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    account: &'a Account,
    limits: &'a Limits,
    spec: &'a CopySpec,
    pricing: &'a Pricing,
    share: &'a PeerTransport,
}

/// Output of the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Planned {
    /// The image as it was when the copies were decided on.
    image: Image,
    /// How the content travels.
    route: Route,
}

impl CopySaga {
    /// Makes the saga over the configured accounts and limits; `pricing` tells what its copies cost, and `share` leads
    /// to the service that passes them on.
    pub fn new(accounts: Accounts, limits: Arc<Limits>, pricing: Pricing, share: PeerTransport) -> Self {
        Self { accounts, limits, pricing, share }
    }

    fn job<'a>(&'a self, spec: &'a CopySpec) -> Option<Job<'a>> {
        let account = self.accounts.get(&spec.account)?;
        Some(Job { account, limits: &self.limits, spec, pricing: &self.pricing, share: &self.share })
    }
}

/// The account may have been taken out of the configuration since the operation was admitted.
fn forgotten(spec: &CopySpec) -> String {
    format!("account {} is not configured any more; what the cloud has begun goes on there", spec.account)
}

#[async_trait]
impl Saga for CopySaga {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    fn has_work(&self, step: &Step, operation: &Operation) -> bool {
        let spec: Option<CopySpec> = operation.request.read().ok();
        step.name != SHARE || spec.is_none_or(|spec| !spec.share_with.is_empty())
    }

    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        let spec: CopySpec = context.request()?;
        let Some(job) = self.job(&spec) else {
            return Ok(Outcome::Fail(fail(Reason::AccountUnknown, forgotten(&spec))));
        };
        match step.name {
            PLAN => plan::run(job, context).await,
            COPY => copy::run(job, context).await,
            AWAIT => await_copies::run(job, context).await,
            SHARE => share::run(job, context).await,
            FINISH => finish::run(job, context).await,
            other => Err(StepError::Record(format!("there is no step {other}"))),
        }
    }

    async fn cancel(&self, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
        let spec: CopySpec = context.request()?;
        match self.job(&spec) {
            Some(job) => cancel::run(job, context).await,
            None => Ok(CancelOutcome::Cancelled { message: forgotten(&spec) }),
        }
    }

    /// Everything that was made hangs on the targets, so one undo, that of the first step, removes all of it.
    async fn undo(&self, step: &Step, context: &mut StepContext) -> Result<(), StepError> {
        let spec: CopySpec = context.request()?;
        match (step.name, self.job(&spec)) {
            (PLAN, Some(job)) => undo::run(job, context).await,
            (PLAN, None) => {
                context.warn(undo::LEFTOVERS, forgotten(&spec));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn reopening(&self, operation: &Operation) -> Option<Reopening> {
        let spec: CopySpec = operation.request.read().ok()?;
        let open = operation.targets.iter().filter(|target| target.state != TargetState::Succeeded).count();
        let calls = if operation.targets.is_empty() { spec.destinations.len() } else { open };
        Some(Reopening { from_step: PLAN, units: spec.units(calls) })
    }

    fn conclude(&self, operation: &Operation) -> Conclusion {
        let succeeded = operation.targets.iter().filter(|target| target.state == TargetState::Succeeded).count();
        let state = match succeeded {
            0 => State::Failed,
            all if all == operation.targets.len() => State::Succeeded,
            _ => State::PartiallySucceeded,
        };
        // When the deadline ends the operation before its last step, what is there is told all the same.
        let known = operation.journal.outputs.get(FINISH).cloned();
        let result = known.or_else(|| serde_json::to_value(result::build(operation)?).ok()).filter(|_| succeeded > 0);
        Conclusion { state, result, failure: result::failure(operation) }
    }

    fn deadline_failure(&self, operation: &Operation) -> Failure {
        if operation.journal.intent.is_some() {
            return fail(
                Reason::CopyOutcomeUnknown,
                "no answer came to a copy call, and until the deadline nothing was seen that could tell its effect",
            );
        }
        let waited = operation.deadline.map_or_else(String::new, |deadline| format!(" at {deadline}"));
        let open = target::named(operation, |target| !target.state.is_final());
        let goes_on = if open.is_empty() { String::new() } else { format!("; what may still arrive: {open}") };
        fail(Reason::CopyDeadlinePassed, format!("Sampan stopped waiting{waited}{goes_on}"))
    }

    fn stall_after(&self, operation: &Operation) -> Option<Duration> {
        let spec: CopySpec = operation.request.read().ok()?;
        let planned: Planned = serde_json::from_value(operation.journal.outputs.get(PLAN)?.clone()).ok()?;
        Some(waiting::stall_after(&spec, &planned.image))
    }
}

impl Job<'_> {
    fn is_all_or_nothing(self) -> bool {
        self.spec.failure_policy == FailurePolicy::AllOrNothing
    }
}
