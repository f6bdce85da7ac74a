//! Cancels an export as far as the cloud can, and says how far that was.

use sampan_cloud::Account;
use sampan_cloud::image::{CancelAnswer, ExportTaskState};
use sampan_ops::{CancelOutcome, StepContext, StepError};
use sampan_state::operation::Intent;
use serde::{Deserialize, Serialize};

use super::{Plan, SUBMIT, Submitted, objects};
use crate::spec::ExportSpec;

/// How far the cancel is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    asked: bool,
}

pub(super) async fn run(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
) -> Result<CancelOutcome, StepError> {
    let submitted = match (context.output::<Submitted>(SUBMIT).ok(), context.intent().cloned()) {
        (Some(submitted), _) => submitted,
        (None, Some(intent)) => unsettled(account, spec, &intent).await?,
        (None, None) => return Ok(cancelled("nothing was sent to the cloud")),
    };
    match &submitted.task_id {
        Some(task) if account.images.export_traits().cancels => {
            stop_task(account, spec, context, &submitted, task).await
        }
        _ => let_go(account, spec, context, &submitted).await,
    }
}

/// A call was announced and its outcome is not known: finds its task, if the cloud has one.
async fn unsettled(account: &Account, spec: &ExportSpec, intent: &Intent) -> Result<Submitted, StepError> {
    let plan: Plan =
        serde_json::from_value(intent.detail.clone()).map_err(|error| StepError::Record(error.to_string()))?;
    let search = account.images.find_export(&spec.call(), intent.since).await?;
    let task = match search {
        sampan_cloud::image::ExportSearch::Tasks(tasks) => tasks.into_iter().next(),
        sampan_cloud::image::ExportSearch::Busy | sampan_cloud::image::ExportSearch::Idle => None,
    };
    let (task_id, objects) = task.map_or((None, Vec::new()), |task| (Some(task.task_id), task.objects));
    Ok(Submitted { plan, task_id, objects, vendor_request_id: None })
}

async fn stop_task(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
    task: &String,
) -> Result<CancelOutcome, StepError> {
    let progress: Progress = context.scratch().ok().flatten().unwrap_or_default();
    if !progress.asked {
        match account.images.cancel_export(&spec.region, task).await? {
            CancelAnswer::Accepted => context.keep(&Progress { asked: true })?,
            CancelAnswer::AlreadyEnded => {}
            CancelAnswer::Impossible => return let_go(account, spec, context, submitted).await,
        }
    }
    let described = account.images.export_tasks(&spec.region, std::slice::from_ref(task)).await?;
    match described.into_iter().next().flatten().map(|task| task.state) {
        Some(ExportTaskState::Finished) if !removes(context) => Ok(CancelOutcome::TooLate),
        Some(ExportTaskState::Queued | ExportTaskState::Running) => Ok(CancelOutcome::Poll),
        Some(ExportTaskState::Finished | ExportTaskState::Failed { .. } | ExportTaskState::Cancelled) | None => {
            // Objects of disks that were done before the cancel stay in the bucket unless they are removed.
            let left = leftovers(account, spec, submitted).await?;
            let removed = remove(account, spec, context, &left).await?;
            Ok(cancelled(format!("the cloud stopped export task {task}{}", told(&left, removed))))
        }
    }
}

/// The cloud cannot stop the export: Sampan stops following it, or waits to remove what arrives.
async fn let_go(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
) -> Result<CancelOutcome, StepError> {
    const HONEST: &str = "the cloud has no way to stop this export";
    let left = leftovers(account, spec, submitted).await?;
    if !removes(context) {
        let promised =
            if submitted.objects.is_empty() { format!("{}*", spec.key_stem()) } else { submitted.objects.join(", ") };
        return Ok(cancelled(format!(
            "{HONEST}; Sampan stopped following it, and its objects may still arrive in bucket {}: {promised}",
            spec.bucket
        )));
    }
    if left.len() < submitted.plan.disks.len() {
        context.warn("CANCEL_WAITS_FOR_RESULT", format!("{HONEST}; its objects are removed as soon as they arrive"));
        return Ok(CancelOutcome::Poll);
    }
    let removed = remove(account, spec, context, &left).await?;
    Ok(cancelled(format!("{HONEST}; it ran to its end{}", told(&left, removed))))
}

async fn leftovers(account: &Account, spec: &ExportSpec, submitted: &Submitted) -> Result<Vec<String>, StepError> {
    let listed = objects::list(account, spec).await?;
    Ok(listed.into_iter().filter(|object| submitted.plan.is_ours(object)).map(|object| object.key).collect())
}

fn removes(context: &StepContext) -> bool {
    context.operation().cancel.as_ref().is_some_and(|cancel| cancel.remove_result)
}

async fn remove(
    account: &Account,
    spec: &ExportSpec,
    context: &StepContext,
    keys: &[String],
) -> Result<bool, StepError> {
    if !removes(context) {
        return Ok(false);
    }
    let bucket = spec.bucket_ref();
    for key in keys {
        account.buckets.delete_object(&bucket, key).await?;
    }
    Ok(true)
}

fn told(left: &[String], removed: bool) -> String {
    match (left.is_empty(), removed) {
        (true, _) => "; nothing of it is in the bucket".to_owned(),
        (false, true) => format!("; removed from the bucket: {}", left.join(", ")),
        (false, false) => format!("; left in the bucket: {}", left.join(", ")),
    }
}

fn cancelled(message: impl Into<String>) -> CancelOutcome {
    CancelOutcome::Cancelled { message: message.into() }
}
