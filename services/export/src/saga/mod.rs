//! The export as a durable operation: submit, await, prove.
//!
//! Done means proven: every promised object exists, is newer than the request, and looks the same twice. What is
//! written around a step, and when it runs again, is decided by `sampan_ops`.

mod await_completion;
mod cancel;
mod manifest;
mod objects;
mod prove;
mod search;
mod submit;

pub(crate) use submit::exported_disks;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_chassis::cost::Pricing;
use sampan_cloud::Accounts;
use sampan_cloud::image::Disk;
use sampan_core::Reason;
use sampan_core::limits::Limits;
use sampan_ops::failure::of_reason as fail;
use sampan_ops::{CancelOutcome, Conclusion, Outcome, Saga, Step, StepContext, StepError};
use sampan_state::operation::{Failure, Operation, State, TargetState};
use serde::{Deserialize, Serialize};

use crate::spec::ExportSpec;
use crate::waiting;

/// Kind of the operations of this saga.
pub const KIND: &str = "export";

const SUBMIT: &str = "submit";
const AWAIT: &str = "await_completion";
const PROVE: &str = "prove";

const STEPS: &[Step] = &[
    Step { name: SUBMIT, under_lane_lock: true },
    Step { name: AWAIT, under_lane_lock: false },
    Step { name: PROVE, under_lane_lock: false },
];

/// Exports one image to a bucket.
#[derive(Debug, Clone)]
pub struct ExportSaga {
    accounts: Accounts,
    limits: Arc<Limits>,
    pricing: Pricing,
}

/// An object that was in the bucket before the call, so that it is not taken for the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SeenObject {
    key: String,
    etag: String,
    last_modified: Option<Timestamp>,
}

/// What is known before the call: kept with the intent, so that an effect can be recognised after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    disks: Vec<Disk>,
    before: Vec<SeenObject>,
    /// Export tasks of the image that were there before the call and look as new as ours.
    #[serde(default)]
    known_tasks: Vec<String>,
    /// Objects are not older than this, the vendor's clock.
    since: Timestamp,
    /// What the export was expected to cost, in the form that results keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    estimate: Option<String>,
}

/// Output of the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Submitted {
    plan: Plan,
    task_id: Option<String>,
    /// Promised keys; empty when they have to be found by listing.
    objects: Vec<String>,
    vendor_request_id: Option<String>,
}

/// Output of the second step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Completed {
    /// Keys of the objects, one per disk that has one.
    objects: Vec<String>,
}

impl ExportSaga {
    /// Makes the saga over the configured accounts and limits; `pricing` tells what its exports cost.
    pub fn new(accounts: Accounts, limits: Arc<Limits>, pricing: Pricing) -> Self {
        Self { accounts, limits, pricing }
    }
}

/// The account may have been taken out of the configuration since the operation was admitted.
fn forgotten(spec: &ExportSpec) -> String {
    format!("account {} is not configured any more; what the cloud has begun goes on there", spec.account)
}

#[async_trait]
impl Saga for ExportSaga {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        let spec: ExportSpec = context.request()?;
        let Some(account) = self.accounts.get(&spec.account) else {
            return Ok(Outcome::Fail(fail(Reason::AccountUnknown, forgotten(&spec))));
        };
        match step.name {
            SUBMIT => {
                let job = submit::Job { account, limits: &self.limits, pricing: &self.pricing, spec: &spec };
                job.run(context).await
            }
            AWAIT => await_completion::run(account, &spec, context).await,
            PROVE => prove::run(account, &self.pricing, &spec, context).await,
            other => Err(StepError::Record(format!("there is no step {other}"))),
        }
    }

    async fn cancel(&self, context: &mut StepContext) -> Result<CancelOutcome, StepError> {
        let spec: ExportSpec = context.request()?;
        match self.accounts.get(&spec.account) {
            Some(account) => cancel::run(account, &spec, context).await,
            None => Ok(CancelOutcome::Cancelled { message: forgotten(&spec) }),
        }
    }

    fn conclude(&self, operation: &Operation) -> Conclusion {
        let succeeded = operation.targets.iter().filter(|target| target.state == TargetState::Succeeded).count();
        let state = match succeeded {
            0 => State::Failed,
            all if all == operation.targets.len() => State::Succeeded,
            _ => State::PartiallySucceeded,
        };
        let result = operation.journal.outputs.get(PROVE).cloned();
        let failure = operation.targets.iter().find_map(|target| target.failure.clone());
        Conclusion { state, result, failure }
    }

    fn deadline_failure(&self, operation: &Operation) -> Failure {
        if operation.journal.intent.is_some() {
            return fail(
                Reason::ExportOutcomeUnknown,
                "no answer came to the export call, and until the deadline nothing was seen that could tell its effect",
            );
        }
        let waited = operation.deadline.map_or_else(String::new, |deadline| format!(" at {deadline}"));
        fail(
            Reason::ExportDeadlinePassed,
            format!("Sampan stopped waiting{waited}; the export may still be running at the cloud"),
        )
    }

    fn stall_after(&self, operation: &Operation) -> Option<Duration> {
        let spec: ExportSpec = operation.request.read().ok()?;
        let span = operation.deadline?.duration_since(operation.started.unwrap_or(operation.created));
        Some(waiting::stall_after(&spec, Duration::try_from(span).ok()?))
    }
}
