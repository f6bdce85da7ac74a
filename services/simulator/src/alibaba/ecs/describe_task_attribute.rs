//! DescribeTaskAttribute: progress of one task, and at its end the objects that it wrote.

use sampan_core::Cloud;
use serde_json::{Value, json};

use super::describe_tasks::status_word;
use super::refusal::Refusal;
use super::{Answer, Context, time};
use crate::world::{Task, TaskObject, TaskStatus};

pub(super) fn run(context: &Context<'_>) -> Answer {
    let region = context.parameters.region()?;
    let id = context.parameters.required("TaskId")?;
    let task = context
        .world
        .task(Cloud::Alibaba, &context.account.id, region, id)
        .ok_or_else(|| Refusal::bad_request("InvalidTaskId.NotFound", "The specified task id is not found."))?;
    let written = task.objects.iter().filter(|object| object.written).count();
    let failed = if task.status == TaskStatus::Failed { task.objects.len() - written } else { 0 };
    let progress: Vec<Value> = task.objects.iter().map(|object| operation(&task, object)).collect();
    let answer = json!({
        "RegionId": region,
        "TaskId": task.id,
        "TaskAction": task.action,
        "TaskStatus": status_word(task.status),
        "TaskProcess": format!("{}%", task.progress),
        "SupportCancel": task.status == TaskStatus::Running,
        "TotalCount": task.objects.len(),
        "SuccessCount": written,
        "FailedCount": failed,
        "CreationTime": time::to_minutes(task.created_at),
        "FinishedTime": task.finished_at.map(time::to_minutes).unwrap_or_default(),
        "OperationProgressSet": {"OperationProgress": progress},
    });
    Ok(answer.as_object().cloned().unwrap_or_default())
}

/// One disk; its object is told only when the whole task has ended.
fn operation(task: &Task, object: &TaskObject) -> Value {
    let (status, code, message) = match (object.written, task.status) {
        (true, _) => ("Success", "", ""),
        (false, TaskStatus::Failed) => {
            ("Failed", "ExportImageFailed", "Exporting the image failed; contact the support.")
        }
        (false, _) => ("Processing", "", ""),
    };
    let items = if object.written && task.status != TaskStatus::Running {
        vec![
            json!({"Name": "OSSBucket", "Value": task.bucket}),
            json!({"Name": "OSSObject", "Value": object.key}),
            json!({"Name": "ImageFormat", "Value": task.format.as_str()}),
        ]
    } else {
        Vec::new()
    };
    json!({
        "OperationStatus": status,
        "ErrorCode": code,
        "ErrorMsg": message,
        "RelatedItemSet": {"RelatedItem": items},
    })
}
