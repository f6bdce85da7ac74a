//! `DescribeSnapshots` of CBS: whether the snapshots behind an image are encrypted, which no image call tells.

use std::collections::HashMap;

use sampan_cloud::image::Disk;
use sampan_cloud::stack::Idempotency;
use sampan_cloud::{CallClass, CallError};
use sampan_core::Region;
use serde::Deserialize;
use serde_json::json;
use tracing::warn;

use crate::api::{Action, Api, Service};

/// The vendor names no rate for it.
const ACTION: Action = Action { service: Service::Cbs, name: "DescribeSnapshots", per_second: None };

/// Fills in the encryption of `disks`; it stays unknown when the account may not ask, or the region cannot answer.
pub(crate) async fn fill_in(api: &Api, region: &Region, disks: &mut [Disk]) -> Result<(), CallError> {
    let ids: Vec<_> = disks.iter().filter_map(|disk| disk.snapshot_id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let body = json!({ "SnapshotIds": ids, "Limit": 100 });
    let known = match api.call::<Content>(api.request(&ACTION, region, Idempotency::Safe, &body)).await {
        Ok(answer) => answer.content.into_map(),
        Err(error) if leaves_unknown(error.class) => {
            warn!(%region, %error, "encryption of an image stays unknown");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for disk in disks {
        disk.encrypted = disk.snapshot_id.as_ref().and_then(|id| known.get(id).copied());
    }
    Ok(())
}

fn leaves_unknown(class: CallClass) -> bool {
    match class {
        CallClass::Permission | CallClass::Caller | CallClass::NotFound => true,
        CallClass::Transient
        | CallClass::Throttled
        | CallClass::Busy
        | CallClass::Quota
        | CallClass::Credentials
        | CallClass::UnknownOutcome => false,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    snapshot_set: Option<Vec<Snapshot>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Snapshot {
    snapshot_id: Option<String>,
    encrypt: Option<bool>,
}

impl Content {
    fn into_map(self) -> HashMap<String, bool> {
        let snapshots = self.snapshot_set.unwrap_or_default();
        snapshots.into_iter().filter_map(|one| Some((one.snapshot_id?, one.encrypt?))).collect()
    }
}
