//! Last step: looks at every object twice and writes the manifest.

use std::time::Duration;

use sampan_chassis::convert;
use sampan_chassis::cost::Pricing;
use sampan_cloud::Account;
use sampan_cloud::bucket::Object;
use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::TargetState;
use serde::{Deserialize, Serialize};

use super::{AWAIT, Completed, SUBMIT, Submitted, fail, manifest, objects};
use crate::price;
use crate::spec::ExportSpec;

/// Pause between the two looks; a file that is still being written changes within it.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Looks after which objects that never look the same twice count as somebody else's work.
const MAX_LOOKS: u32 = 30;

/// What the look before this one saw.
#[derive(Debug, Default, Serialize, Deserialize)]
struct LastLook {
    objects: Vec<Option<Object>>,
    looks: u32,
}

pub(super) async fn run(
    account: &Account,
    pricing: &Pricing,
    spec: &ExportSpec,
    context: &mut StepContext,
) -> Result<Outcome, StepError> {
    let submitted: Submitted = context.output(SUBMIT)?;
    let completed: Completed = context.output(AWAIT)?;
    let seen = objects::heads(account, spec, &completed.objects).await?;
    let last: Option<LastLook> = context.scratch()?;
    let proven: Option<Vec<Object>> = seen.iter().cloned().collect();
    let proven = proven.filter(|objects| objects.iter().all(|object| submitted.plan.is_ours(object)));
    let is_stable = last.as_ref().is_some_and(|last| last.objects == seen);
    match proven {
        Some(objects) if is_stable => prove(pricing, spec, context, &submitted, objects).await,
        _ => look_again(context, seen, last.map_or(0, |last| last.looks)),
    }
}

fn look_again(context: &mut StepContext, objects: Vec<Option<Object>>, looks: u32) -> Result<Outcome, StepError> {
    if looks >= MAX_LOOKS {
        let message = "an exported object vanished or keeps changing after the cloud reported the export as done";
        return Ok(Outcome::Fail(fail(Reason::ArtifactChanged, message)));
    }
    context.keep(&LastLook { objects, looks: looks + 1 })?;
    Ok(Outcome::Poll { hint: Some(LOOK_AGAIN) })
}

async fn prove(
    pricing: &Pricing,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
    objects: Vec<Object>,
) -> Result<Outcome, StepError> {
    let artifacts = manifest::artifacts(spec, &submitted.plan.disks, objects);
    let now = context.now();
    for (target, artifact) in context.targets().iter_mut().zip(&artifacts) {
        target.finished = Some(now);
        let Some(artifact) = artifact else {
            target.state = TargetState::Failed;
            target.failure = Some(fail(Reason::ExportFailedAtCloud, "the cloud wrote no object for this disk"));
            continue;
        };
        target.state = TargetState::Succeeded;
        target.percent = Some(100);
        target.cloud_ids.insert("object".to_owned(), artifact.key.clone());
        target.facts = serde_json::to_value(artifact).map_err(|error| StepError::Record(error.to_string()))?;
    }
    let mut result = manifest::build(spec, artifacts.into_iter().flatten().collect());
    result.first_estimate.clone_from(&submitted.plan.estimate);
    // What is done is done: a price that is not known changes nothing of it.
    let price = price::after(pricing, spec, &result.artifacts).await;
    result.estimate = price.ok().as_ref().map(convert::estimate::kept);
    serde_json::to_value(&result).map(Outcome::Done).map_err(|error| StepError::Record(error.to_string()))
}
