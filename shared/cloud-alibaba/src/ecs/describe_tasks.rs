//! `DescribeTasks`: states of export tasks, without progress and without the texts of errors.

use sampan_cloud::CallError;
use sampan_core::{ImageId, Region};
use serde::Deserialize;

use super::{Ecs, MOST_PAGES, PAGE, Parameters, export_image};
use crate::lenient::Scalar;

/// Ids that one call takes.
pub(crate) const MOST_TASKS: usize = 100;

/// A task as the list shows it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TaskRow {
    pub(crate) task_id: Scalar,
    pub(crate) task_status: Scalar,
    pub(crate) support_cancel: Scalar,
    /// The image of an export task.
    pub(crate) resource_id: Scalar,
    pub(crate) creation_time: Scalar,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    total_count: Scalar,
    task_set: Tasks,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tasks {
    task: Vec<TaskRow>,
}

impl Ecs {
    /// Describes tasks by id, at most [`MOST_TASKS`]; unknown ones are left out.
    pub(crate) async fn describe_tasks(&self, region: &Region, tasks: &[String]) -> Result<Vec<TaskRow>, CallError> {
        self.all_tasks(region, vec![("TaskIds", Some(tasks.join(",")))]).await
    }

    /// Lists the export tasks of an image, in any state.
    pub(crate) async fn export_tasks_of(&self, region: &Region, image: &ImageId) -> Result<Vec<TaskRow>, CallError> {
        let filter =
            vec![("TaskAction", Some(export_image::ACTION.to_owned())), ("ResourceIds.1", Some(image.to_string()))];
        let mut tasks = self.all_tasks(region, filter).await?;
        tasks.retain(|task| task.resource_id.non_empty().is_none_or(|id| id == image.as_str()));
        Ok(tasks)
    }

    async fn all_tasks(&self, region: &Region, filter: Parameters) -> Result<Vec<TaskRow>, CallError> {
        let mut tasks = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut parameters = filter.clone();
            parameters.push(("PageNumber", Some(page.to_string())));
            parameters.push(("PageSize", Some(PAGE.to_string())));
            let answer: Answer = self.read("DescribeTasks", region, parameters).await?;
            let shown = answer.task_set.task.len();
            tasks.extend(answer.task_set.task);
            if shown == 0 || page * PAGE >= answer.total_count.number().unwrap_or(0) {
                break;
            }
        }
        Ok(tasks)
    }
}
