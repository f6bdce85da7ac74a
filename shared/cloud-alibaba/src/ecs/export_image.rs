//! `ExportImage`: starts an export, or asks whether it would be accepted.
//!
//! The action takes no client token, so a repetition is another export; the vendor refuses it only while the first
//! one runs.

use sampan_cloud::CallError;
use sampan_cloud::image::ExportCall;
use sampan_cloud::stack::Idempotency;
use serde::Deserialize;

use super::Ecs;

/// The vendor's name of the action.
pub(crate) const ACTION: &str = "ExportImage";

/// The vendor's acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exported {
    pub(crate) task_id: Option<String>,
    pub(crate) request_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    // Pages of 2021 call it ExportTaskId.
    #[serde(alias = "ExportTaskId")]
    task_id: Option<String>,
}

impl Ecs {
    /// Starts the export; with `dry_run` the vendor only checks, and says yes by the error `DryRunOperation`.
    pub(crate) async fn export_image(&self, call: &ExportCall, dry_run: bool) -> Result<Exported, CallError> {
        let parameters = vec![
            ("ImageId", Some(call.image.to_string())),
            ("OSSBucket", Some(call.bucket.clone())),
            ("OSSPrefix", call.prefix.clone()),
            ("ImageFormat", Some(call.format.as_str().to_owned())),
            ("RoleName", call.role_name.clone()),
            ("DryRun", dry_run.then(|| "true".to_owned())),
        ];
        // A question whose answer was lost can be asked again.
        let idempotency = if dry_run { Idempotency::Safe } else { Idempotency::Unsafe };
        let (answer, request_id) = self.write::<Answer>(ACTION, &call.region, parameters, idempotency).await?;
        Ok(Exported { task_id: answer.task_id.filter(|id| !id.is_empty()), request_id })
    }
}
