//! DescribeTasks: a page of the caller's tasks; no progress and no error text here.

use sampan_core::Cloud;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{Answer, Context, time};
use crate::world::{Task, TaskStatus};

/// Status words that filter; others are ignored.
const FILTER_WORDS: [&str; 3] = ["Finished", "Processing", "Failed"];
const MAX_IDS: usize = 100;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let page = parameters.page()?;
    let ids = parameters.comma_list("TaskIds").unwrap_or_default();
    let resources = parameters.numbered("ResourceIds");
    if ids.len() > MAX_IDS {
        return Err(Refusal::invalid("TaskIds"));
    }
    if resources.len() > MAX_IDS {
        return Err(Refusal::invalid("ResourceIds"));
    }
    let action = parameters.optional("TaskAction");
    let status = parameters.optional("TaskStatus").filter(|word| FILTER_WORDS.contains(word));
    let bound = |name| match parameters.optional(name) {
        None => Ok(None),
        Some(text) => time::parse(text).map(Some).ok_or_else(|| Refusal::invalid(name)),
    };
    let (after, before) = (bound("StartTime")?, bound("EndTime")?);
    let matching: Vec<Value> = context
        .world
        .tasks(Cloud::Alibaba, &context.account.id, region)
        .iter()
        .filter(|task| ids.is_empty() || ids.contains(&task.id.as_str()))
        .filter(|task| action.is_none_or(|action| action == task.action))
        .filter(|task| status.is_none_or(|status| status == status_word(task.status)))
        .filter(|task| resources.is_empty() || task.image_ids.iter().any(|image| resources.contains(&image.as_str())))
        .filter(|task| after.is_none_or(|after| task.created_at >= after))
        .filter(|task| before.is_none_or(|before| task.created_at <= before))
        .map(entry)
        .collect();
    let answer = json!({
        "RegionId": region,
        "PageNumber": page.number,
        "PageSize": page.size,
        "TotalCount": matching.len(),
        "TaskSet": {"Task": page.of(matching)},
    });
    Ok(answer.as_object().cloned().unwrap_or_default())
}

/// The vendor's word; a cancelled task is `Deleted`, a word that only older pages list.
pub(super) fn status_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Running => "Processing",
        TaskStatus::Finished => "Finished",
        TaskStatus::Failed => "Failed",
        TaskStatus::Cancelled => "Deleted",
    }
}

fn entry(task: &Task) -> Value {
    json!({
        "TaskId": task.id,
        "TaskAction": task.action,
        "TaskStatus": status_word(task.status),
        "SupportCancel": task.status == TaskStatus::Running,
        "ResourceId": task.image_ids.first(),
        "CreationTime": time::to_minutes(task.created_at),
        "FinishedTime": task.finished_at.map(time::to_minutes).unwrap_or_default(),
    })
}
