//! `CancelTask`: stops a running export.

use sampan_cloud::CallError;
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::stack::Idempotency;
use sampan_core::Region;
use serde_json::Value;

use super::Ecs;

impl Ecs {
    /// Cancels a task. A second call finds that the task has ended, so repeating it does no harm.
    pub(crate) async fn cancel_task(&self, region: &Region, task: &str) -> Result<CancelAnswer, CallError> {
        let parameters = vec![("TaskId", Some(task.to_owned()))];
        match self.write::<Value>("CancelTask", region, parameters, Idempotency::Keyed).await {
            Ok(_) => Ok(CancelAnswer::Accepted),
            Err(error) => match error.code.as_deref() {
                Some("InvalidTaskId.IncorrectTaskStatus" | "IncorrectTaskStatus") => Ok(CancelAnswer::AlreadyEnded),
                Some("InvalidTaskId.TaskActionNotSupport" | "TaskActionNotSupport") => Ok(CancelAnswer::Impossible),
                _ => Err(error),
            },
        }
    }
}
