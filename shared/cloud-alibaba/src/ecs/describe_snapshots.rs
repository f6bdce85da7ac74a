//! `DescribeSnapshots`: what an image's disks were made of, the proof of encryption and of a marketplace origin.

use sampan_cloud::CallError;
use sampan_core::Region;
use serde::Deserialize;

use super::{Ecs, PAGE};
use crate::lenient::Scalar;

/// A snapshot as the vendor describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SnapshotRow {
    pub(crate) snapshot_id: Scalar,
    pub(crate) encrypted: Scalar,
    #[serde(rename = "KMSKeyId")]
    pub(crate) kms_key_id: Scalar,
    pub(crate) product_code: Scalar,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    snapshots: Snapshots,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Snapshots {
    snapshot: Vec<SnapshotRow>,
}

impl Ecs {
    /// Describes snapshots, at most 100; those that are gone are left out.
    pub(crate) async fn describe_snapshots(
        &self,
        region: &Region,
        snapshots: &[String],
    ) -> Result<Vec<SnapshotRow>, CallError> {
        let parameters = vec![
            // The one list parameter that is the text of a JSON array.
            ("SnapshotIds", Some(serde_json::Value::from(snapshots).to_string())),
            ("MaxResults", Some(PAGE.to_string())),
        ];
        let answer: Answer = self.read("DescribeSnapshots", region, parameters).await?;
        Ok(answer.snapshots.snapshot)
    }
}
