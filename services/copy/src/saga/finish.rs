//! Last step: asks what the copies cost from now on, and writes down what there is.

use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::TargetState;
use serde_json::Value;

use super::{Job, PLAN, Planned, result};
use crate::price;

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    let planned: Planned = context.output(PLAN)?;
    let Some(mut left) = result::build(context.operation()) else { return Ok(Outcome::Done(Value::Null)) };
    let targets = &context.operation().targets;
    if targets.iter().any(|target| target.state == TargetState::Succeeded) {
        let regions = left.images.iter().map(|image| &image.at.region);
        match price::of(job.pricing, job.spec, &planned.image, regions, None).await {
            Ok(estimate) => result::add_price(&mut left, &estimate),
            Err(why) => context.warn(Reason::PriceUnavailable.as_str(), why.message().to_owned()),
        }
        context.warn("SNAPSHOTS_STAY", price::snapshots_stay(job.spec.cloud));
    }
    serde_json::to_value(&left).map(Outcome::Done).map_err(|error| StepError::Record(error.to_string()))
}
