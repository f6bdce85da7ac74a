//! Second step: waits until the cloud has written every object.
//!
//! Where the cloud reports tasks, the task tells. Where it does not, the objects themselves are the only proof.

use std::time::Duration;

use jiff::SignedDuration;
use sampan_cloud::Account;
use sampan_cloud::bucket::Object;
use sampan_cloud::image::{ExportTask, ExportTaskState};
use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::Failure;
use serde::{Deserialize, Serialize};

use super::{Completed, SUBMIT, Submitted, fail, objects};
use crate::names;
use crate::spec::ExportSpec;

/// Pause between two looks for objects of a finished task that are not there yet.
const LATE_OBJECTS: Duration = Duration::from_secs(15);
/// Such looks before an export counts as finished without them: listings follow a write with a delay.
const MAX_LATE_LOOKS: u32 = 20;
/// What is there at the deadline is still proven within this time.
const PROOF: SignedDuration = SignedDuration::from_mins(10);

/// Kept between two looks.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Late {
    looks: u32,
}

pub(super) async fn run(account: &Account, spec: &ExportSpec, context: &mut StepContext) -> Result<Outcome, StepError> {
    let submitted: Submitted = context.output(SUBMIT)?;
    let outcome = match &submitted.task_id {
        Some(task) if account.images.export_traits().reports_tasks => {
            follow_task(account, spec, context, &submitted, task).await?
        }
        _ => follow_objects(account, spec, context, &submitted).await?,
    };
    Ok(outcome)
}

async fn follow_task(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
    task: &String,
) -> Result<Outcome, StepError> {
    let described = account.images.export_tasks(&spec.region, std::slice::from_ref(task)).await?;
    // A task that the cloud does not list (yet, or any more) is no failure; the deadline bounds the wait.
    let Some(described) = described.into_iter().next().flatten() else { return Ok(Outcome::Poll { hint: None }) };
    match described.state {
        ExportTaskState::Queued => {
            context.mark_queued_at_vendor();
            Ok(Outcome::Poll { hint: None })
        }
        ExportTaskState::Running => {
            for target in context.targets() {
                target.percent = described.percent.or(target.percent);
            }
            Ok(Outcome::Poll { hint: None })
        }
        ExportTaskState::Finished => finished(account, spec, context, submitted, described).await,
        ExportTaskState::Failed { code, message } => Ok(Outcome::Fail(Failure {
            vendor_code: (!code.is_empty()).then_some(code),
            ..fail(
                Reason::ExportFailedAtCloud,
                if message.is_empty() { "the cloud gives no cause".to_owned() } else { message },
            )
        })),
        ExportTaskState::Cancelled => {
            Ok(Outcome::Fail(fail(Reason::ExportCancelledAtCloud, format!("task {task} was cancelled at the cloud"))))
        }
    }
}

/// The task has ended well: finds out which objects it wrote.
async fn finished(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
    task: ExportTask,
) -> Result<Outcome, StepError> {
    let expected = submitted.plan.disks.len();
    if task.objects.len() >= expected {
        return done(context, spec, submitted, task.objects);
    }
    // Some answers name one object of several; the bucket knows them all.
    let mut keys = keys(objects::of_export(account, spec, &submitted.plan, &[]).await?);
    keys.extend(task.objects.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>());
    if keys.len() >= expected {
        return done(context, spec, submitted, keys);
    }
    let late: Late = context.scratch()?.unwrap_or_default();
    if late.looks < MAX_LATE_LOOKS {
        context.keep(&Late { looks: late.looks + 1 })?;
        return Ok(Outcome::Poll { hint: Some(LATE_OBJECTS) });
    }
    if keys.is_empty() {
        let words = format!("the cloud reports the export as finished, but bucket {} holds nothing of it", spec.bucket);
        return Ok(Outcome::Fail(fail(Reason::ExportFailedAtCloud, words)));
    }
    let words = format!("the cloud reports the export as finished with {} of {expected} objects", keys.len());
    context.warn("OBJECTS_MISSING", words);
    done(context, spec, submitted, keys)
}

async fn follow_objects(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
) -> Result<Outcome, StepError> {
    let keys = keys(objects::of_export(account, spec, &submitted.plan, &submitted.objects).await?);
    let expected = submitted.plan.disks.len();
    show(context, spec, submitted, &keys);
    if keys.len() >= expected {
        return done(context, spec, submitted, keys);
    }
    let is_late = context.operation().deadline.is_some_and(|deadline| deadline <= context.now());
    if keys.is_empty() || !is_late {
        return Ok(Outcome::Poll { hint: None });
    }
    // The good disks are kept and the others named: what is there is proven beyond the deadline.
    context.set_deadline(context.now().saturating_add(PROOF).unwrap_or(context.now()));
    let words = format!("at the deadline {} of {expected} objects were there; the others are given up", keys.len());
    context.warn("OBJECTS_MISSING", words);
    done(context, spec, submitted, keys)
}

/// Shows in the targets which disks have an object now; one that had one may have lost it.
fn show(context: &mut StepContext, spec: &ExportSpec, submitted: &Submitted, keys: &[String]) {
    let disks = &submitted.plan.disks;
    for (index, target) in context.targets().iter_mut().enumerate() {
        let key = keys.iter().find(|key| names::disk_of(spec, key, disks) == Some(index));
        match key {
            Some(key) => {
                target.percent = Some(100);
                target.cloud_ids.insert("object".to_owned(), key.clone());
            }
            None => {
                target.percent = None;
                target.cloud_ids.remove("object");
            }
        }
    }
}

fn keys(objects: Vec<Object>) -> Vec<String> {
    objects.into_iter().map(|object| object.key).collect()
}

fn done(
    context: &mut StepContext,
    spec: &ExportSpec,
    submitted: &Submitted,
    objects: Vec<String>,
) -> Result<Outcome, StepError> {
    show(context, spec, submitted, &objects);
    serde_json::to_value(Completed { objects }).map(Outcome::Done).map_err(|error| StepError::Record(error.to_string()))
}
