//! `DescribeTaskAttribute`: one task with its progress, its objects and the texts of its errors.

use sampan_cloud::{CallClass, CallError};
use sampan_core::Region;
use serde::Deserialize;

use super::Ecs;
use crate::lenient::Scalar;

/// A task with everything that the vendor tells.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TaskDetail {
    pub(crate) task_id: Scalar,
    pub(crate) task_status: Scalar,
    pub(crate) task_process: Scalar,
    pub(crate) support_cancel: Scalar,
    pub(crate) failed_count: Scalar,
    pub(crate) creation_time: Scalar,
    operation_progress_set: Option<Progresses>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Progresses {
    operation_progress: Vec<Part>,
}

/// One piece of work of a task.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Part {
    pub(crate) operation_status: Scalar,
    pub(crate) error_code: Scalar,
    pub(crate) error_msg: Scalar,
    related_item_set: Option<Items>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Items {
    related_item: Vec<Item>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Item {
    name: Scalar,
    value: Scalar,
}

impl TaskDetail {
    /// Returns the pieces of work.
    pub(crate) fn parts(&self) -> &[Part] {
        self.operation_progress_set.as_ref().map_or(&[], |set| &set.operation_progress)
    }

    /// Returns the values of the related items called `name`, each once, in order.
    pub(crate) fn related(&self, name: &str) -> Vec<String> {
        let items = self.parts().iter().filter_map(|part| part.related_item_set.as_ref());
        let named = items.flat_map(|set| &set.related_item).filter(|item| item.name.text() == name);
        let mut values = Vec::new();
        for value in named.filter_map(|item| item.value.non_empty()) {
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values
    }
}

impl Ecs {
    /// Describes a task; `None` when the vendor does not know it.
    pub(crate) async fn describe_task_attribute(
        &self,
        region: &Region,
        task: &str,
    ) -> Result<Option<TaskDetail>, CallError> {
        let parameters = vec![("TaskId", Some(task.to_owned()))];
        match self.read("DescribeTaskAttribute", region, parameters).await {
            Ok(detail) => Ok(Some(detail)),
            Err(error) if error.class == CallClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
