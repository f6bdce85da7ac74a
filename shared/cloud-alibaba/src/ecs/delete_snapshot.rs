//! `DeleteSnapshot`: removes a snapshot that neither an image nor a disk needs.

use sampan_cloud::stack::Idempotency;
use sampan_cloud::{CallClass, CallError};
use sampan_core::Region;
use serde_json::Value;

use super::Ecs;

impl Ecs {
    /// Removes a snapshot; one that is not there is no error.
    pub(crate) async fn delete_snapshot(&self, region: &Region, snapshot_id: &str) -> Result<(), CallError> {
        let parameters = vec![("SnapshotId", Some(snapshot_id.to_owned()))];
        match self.write::<Value>("DeleteSnapshot", region, parameters, Idempotency::Unsafe).await {
            Err(error) if error.class != CallClass::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
