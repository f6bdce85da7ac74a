//! Second step: waits until the cloud has written every object.
//!
//! Where the cloud reports tasks, the task tells. Where it does not, the objects themselves are the only proof.

use sampan_cloud::Account;
use sampan_cloud::image::ExportTaskState;
use sampan_core::Reason;
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::Failure;

use super::{Completed, SUBMIT, Submitted, fail, objects};
use crate::spec::ExportSpec;

pub(super) async fn run(account: &Account, spec: &ExportSpec, context: &mut StepContext) -> Result<Outcome, StepError> {
    let submitted: Submitted = context.output(SUBMIT)?;
    match &submitted.task_id {
        Some(task) if account.images.export_traits().reports_tasks => {
            follow_task(account, spec, context, &submitted, task).await
        }
        _ => follow_objects(account, spec, context, &submitted).await,
    }
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
        ExportTaskState::Finished => {
            let expected = submitted.plan.disks.len();
            let objects = if described.objects.len() == expected {
                described.objects
            } else {
                // Some answers name one object of several; the bucket knows them all.
                let listed = found(account, spec, submitted).await?;
                if listed.len() < expected {
                    return Ok(Outcome::Poll { hint: None });
                }
                listed
            };
            for target in context.targets() {
                target.percent = Some(100);
            }
            done(objects)
        }
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

async fn follow_objects(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    submitted: &Submitted,
) -> Result<Outcome, StepError> {
    let keys = found(account, spec, submitted).await?;
    let disks = &submitted.plan.disks;
    for key in &keys {
        if let Some(index) = objects::disk_of(key, disks)
            && let Some(target) = context.targets().get_mut(index)
        {
            target.percent = Some(100);
            target.cloud_ids.insert("object".to_owned(), key.clone());
        }
    }
    if keys.len() < disks.len() {
        return Ok(Outcome::Poll { hint: None });
    }
    done(keys)
}

/// Returns the keys of this export's objects that exist now, promised ones by look-up, others by listing.
async fn found(account: &Account, spec: &ExportSpec, submitted: &Submitted) -> Result<Vec<String>, StepError> {
    if submitted.objects.is_empty() {
        let listed = objects::list(account, spec).await?;
        let ours = listed.into_iter().filter(|object| submitted.plan.is_ours(object));
        return Ok(ours.map(|object| object.key).collect());
    }
    let heads = objects::heads(account, spec, &submitted.objects).await?;
    let ours = heads.into_iter().flatten().filter(|object| submitted.plan.is_ours(object));
    Ok(ours.map(|object| object.key).collect())
}

fn done(objects: Vec<String>) -> Result<Outcome, StepError> {
    serde_json::to_value(Completed { objects }).map(Outcome::Done).map_err(|error| StepError::Record(error.to_string()))
}
