//! Decides what the vendor's words about an export task mean.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sampan_cloud::CallError;
use sampan_cloud::image::{ExportTask, ExportTaskState};
use sampan_core::Region;

use crate::ecs::{Ecs, TaskDetail, TaskRow};
use crate::image_cloud::SIDE_BY_SIDE;

/// Describes tasks in as few calls as tell everything; unknown ones are left out.
///
/// One task is described at once. Of several, the list tells which ones have begun, and only these have a
/// progress, objects or errors to be asked for.
pub(crate) async fn describe(ecs: &Ecs, region: &Region, ids: &[String]) -> Result<Vec<ExportTask>, CallError> {
    if let [id] = ids {
        let detail = ecs.describe_task_attribute(region, id).await?;
        return Ok(detail.map(|detail| from_detail(id.clone(), &detail)).into_iter().collect());
    }
    let rows = ecs.describe_tasks(region, ids).await?;
    stream::iter(rows)
        .map(|row| async move {
            match state_word(row.task_status.text()) {
                Word::Queued | Word::Cancelled => Ok(from_row(&row)),
                Word::Running | Word::Finished | Word::Failed => complete(ecs, region, row).await,
            }
        })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await
}

/// Adds to a listed task what only its description tells.
pub(crate) async fn complete(ecs: &Ecs, region: &Region, row: TaskRow) -> Result<ExportTask, CallError> {
    let listed = from_row(&row);
    let Some(detail) = ecs.describe_task_attribute(region, &listed.task_id).await? else { return Ok(listed) };
    let mut task = from_detail(listed.task_id, &detail);
    task.image = listed.image;
    task.created = task.created.or(listed.created);
    Ok(task)
}

/// What a word of the vendor means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Queued,
    Running,
    Finished,
    Cancelled,
    Failed,
}

/// The current pages name `Processing`, `Finished` and `Failed`; older ones and clients in the wild the others.
fn state_word(status: &str) -> Word {
    match status {
        "Waiting" | "Pending" => Word::Queued,
        "Processing" => Word::Running,
        "Finished" => Word::Finished,
        "Deleted" => Word::Cancelled,
        _ => Word::Failed,
    }
}

fn from_row(row: &TaskRow) -> ExportTask {
    let state = match state_word(row.task_status.text()) {
        Word::Queued => ExportTaskState::Queued,
        Word::Running => ExportTaskState::Running,
        Word::Finished => ExportTaskState::Finished,
        Word::Cancelled => ExportTaskState::Cancelled,
        Word::Failed => ExportTaskState::Failed { code: String::new(), message: in_state(row.task_status.text()) },
    };
    ExportTask {
        task_id: row.task_id.text().to_owned(),
        can_cancel: can_cancel(&state, row.support_cancel.flag()),
        state,
        percent: None,
        objects: Vec::new(),
        image: row.resource_id.text().parse().ok(),
        bucket: None,
        created: row.creation_time.instant().map(|created| created.at),
    }
}

fn from_detail(task_id: String, detail: &TaskDetail) -> ExportTask {
    let state = state(detail);
    let objects = detail.related("OSSObject").into_iter().map(|key| key.trim_start_matches('/').to_owned());
    ExportTask {
        task_id,
        can_cancel: can_cancel(&state, detail.support_cancel.flag()),
        state,
        percent: detail.task_process.percent(),
        objects: objects.collect(),
        image: None,
        bucket: detail.related("OSSBucket").into_iter().next(),
        created: detail.creation_time.instant().map(|created| created.at),
    }
}

/// A finished task can still have pieces that failed.
fn state(detail: &TaskDetail) -> ExportTaskState {
    let word = match state_word(detail.task_status.text()) {
        Word::Finished if has_failed_part(detail) => Word::Failed,
        other => other,
    };
    match word {
        Word::Queued => ExportTaskState::Queued,
        Word::Running => ExportTaskState::Running,
        Word::Finished => ExportTaskState::Finished,
        Word::Cancelled => ExportTaskState::Cancelled,
        Word::Failed => failed(detail),
    }
}

fn has_failed_part(detail: &TaskDetail) -> bool {
    let part_failed = detail.parts().iter().any(|part| {
        part.error_code.non_empty().is_some() || part.operation_status.text().eq_ignore_ascii_case("failed")
    });
    part_failed || detail.failed_count.number().unwrap_or(0) > 0
}

fn failed(detail: &TaskDetail) -> ExportTaskState {
    let told = detail
        .parts()
        .iter()
        .find(|part| part.error_code.non_empty().is_some() || part.error_msg.non_empty().is_some());
    let code = told.map(|part| part.error_code.text().to_owned()).unwrap_or_default();
    let message = told.and_then(|part| part.error_msg.non_empty()).map(sampan_cloud::stack::scrub);
    ExportTaskState::Failed { code, message: message.unwrap_or_else(|| in_state(detail.task_status.text())) }
}

fn in_state(status: &str) -> String {
    match status {
        "" => "the cloud tells no state of the task".to_owned(),
        "Finished" => "the task finished with failed parts".to_owned(),
        status => format!("the task is in the state {status}"),
    }
}

fn can_cancel(state: &ExportTaskState, told: Option<bool>) -> bool {
    matches!(state, ExportTaskState::Queued | ExportTaskState::Running) && told.unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(json: serde_json::Value) -> ExportTask {
        from_detail("t-1".into(), &serde_json::from_value(json).unwrap())
    }

    #[test]
    fn every_word_of_the_vendor_has_one_meaning() {
        let state = |word: &str| detail(serde_json::json!({ "TaskStatus": word })).state;
        assert_eq!(state("Waiting"), ExportTaskState::Queued);
        assert_eq!(state("Pending"), ExportTaskState::Queued);
        assert_eq!(state("Processing"), ExportTaskState::Running);
        assert_eq!(state("Finished"), ExportTaskState::Finished);
        assert_eq!(state("Deleted"), ExportTaskState::Cancelled);
        for word in ["Failed", "Paused", "Unheard", ""] {
            assert!(matches!(state(word), ExportTaskState::Failed { .. }), "{word}");
        }
    }

    #[test]
    fn a_finished_task_tells_its_objects_and_cannot_be_cancelled() {
        let task = detail(serde_json::json!({
            "TaskStatus": "Finished", "TaskProcess": "100%", "SupportCancel": true, "FailedCount": 0,
            "CreationTime": "2026-11-21T12:33Z",
            "OperationProgressSet": { "OperationProgress": [
                { "OperationStatus": "Success", "ErrorCode": "", "ErrorMsg": "", "RelatedItemSet": { "RelatedItem": [
                    { "Name": "OSSBucket", "Value": "b" }, { "Name": "OSSObject", "Value": "P_m-1_system.raw.tar.gz" } ] } },
                { "OperationStatus": "Success", "RelatedItemSet": { "RelatedItem": [
                    { "Name": "OSSBucket", "Value": "b" }, { "Name": "OSSObject", "Value": "P_m-1_data_xvdb.raw.tar.gz" } ] } },
            ] },
        }));
        assert_eq!(task.state, ExportTaskState::Finished);
        assert_eq!((task.percent, task.can_cancel, task.bucket.as_deref()), (Some(100), false, Some("b")));
        assert_eq!(task.objects, ["P_m-1_system.raw.tar.gz", "P_m-1_data_xvdb.raw.tar.gz"]);
        assert_eq!(task.created, Some("2026-11-21T12:33:00Z".parse().unwrap()));
    }

    #[test]
    fn a_finished_task_with_a_failed_part_has_failed_and_says_why() {
        let counted = detail(serde_json::json!({ "TaskStatus": "Finished", "FailedCount": "1" }));
        assert!(matches!(counted.state, ExportTaskState::Failed { .. }));
        let told = detail(serde_json::json!({
            "TaskStatus": "Finished", "FailedCount": 0,
            "OperationProgressSet": { "OperationProgress": [
                { "OperationStatus": "Success" },
                { "OperationStatus": "Failed", "ErrorCode": "OssWriteFailed", "ErrorMsg": "no room" } ] },
        }));
        let why = ExportTaskState::Failed { code: "OssWriteFailed".into(), message: "no room".into() };
        assert_eq!(told.state, why);
    }

    #[test]
    fn a_running_task_tells_whether_it_can_be_cancelled() {
        for (told, can) in [(serde_json::json!(false), false), (serde_json::json!("True"), true)] {
            let task =
                detail(serde_json::json!({ "TaskStatus": "Processing", "SupportCancel": told, "TaskProcess": "37%" }));
            assert_eq!((task.can_cancel, task.percent), (can, Some(37)));
        }
    }
}
