//! CancelTask: stops a running export; objects of finished disks stay.

use sampan_core::Cloud;
use serde_json::Map;

use super::refusal::Refusal;
use super::{Answer, Context};
use crate::world::CancelRefusal;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let region = context.parameters.region()?;
    let task = context.parameters.required("TaskId")?;
    match context.world.cancel_task(Cloud::Alibaba, &context.account.id, region, task) {
        Ok(()) => Ok(Map::new()),
        Err(CancelRefusal::NotFound) => {
            Err(Refusal::bad_request("InvalidTaskId.NotFound", "The specified task id is not found."))
        }
        Err(CancelRefusal::NotRunning) => Err(Refusal::forbidden(
            "InvalidTaskId.IncorrectTaskStatus",
            "Current task status does not support this operation.",
        )),
    }
}
