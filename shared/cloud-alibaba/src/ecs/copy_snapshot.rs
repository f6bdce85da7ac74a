//! `CopySnapshot`: starts the copy of a snapshot to another region.

use sampan_cloud::CallError;
use sampan_cloud::copy::SnapshotCopyCall;
use sampan_cloud::stack::Idempotency;
use serde::Deserialize;

use super::Ecs;
use super::parameters::Parameters;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    snapshot_id: String,
}

impl Ecs {
    /// Starts the copy and returns the id of the new snapshot.
    pub(crate) async fn copy_snapshot(&self, call: &SnapshotCopyCall) -> Result<String, CallError> {
        // The vendor calls name and description mandatory and yet tells what they default to: both are sent.
        let parameters = Parameters::default()
            .set("SnapshotId", call.snapshot_id.clone())
            .set("DestinationRegionId", call.destination.to_string())
            .set("DestinationSnapshotName", call.name.clone())
            .set("DestinationSnapshotDescription", call.description.clone())
            .encryption(call.encryption.as_ref())
            .set("ResourceGroupId", call.resource_group_id.clone())
            .tags(&call.tags)
            .set("ClientToken", call.token.clone());
        let (answer, _) = self.write::<Answer>("CopySnapshot", &call.source, parameters, Idempotency::Unsafe).await?;
        Ok(answer.snapshot_id)
    }
}
