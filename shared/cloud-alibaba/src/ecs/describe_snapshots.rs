//! `DescribeSnapshots`: what an image's disks were made of, the proof of encryption and of a marketplace origin; and how
//! far the copies of snapshots are.

use sampan_cloud::CallError;
use sampan_core::Region;
use serde::Deserialize;

use super::{Ecs, MOST_PAGES, PAGE};
use crate::lenient::Scalar;

/// Snapshots that one call describes by id.
pub(crate) const MOST_SNAPSHOTS: usize = 100;

/// A snapshot as the vendor describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SnapshotRow {
    pub(crate) snapshot_id: Scalar,
    pub(crate) snapshot_name: Scalar,
    pub(crate) status: Scalar,
    pub(crate) progress: Scalar,
    /// Capacity of its disk in GiB.
    pub(crate) source_disk_size: Scalar,
    pub(crate) creation_time: Scalar,
    pub(crate) encrypted: Scalar,
    #[serde(rename = "KMSKeyId")]
    pub(crate) kms_key_id: Scalar,
    pub(crate) product_code: Scalar,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    next_token: Scalar,
    snapshots: Snapshots,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Snapshots {
    snapshot: Vec<SnapshotRow>,
}

impl Ecs {
    /// Describes snapshots, at most [`MOST_SNAPSHOTS`]; those that are gone are left out.
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

    /// Finds snapshots of exactly that name, in the vendor's order.
    pub(crate) async fn snapshots_named(&self, region: &Region, name: &str) -> Result<Vec<SnapshotRow>, CallError> {
        let mut named = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let parameters = vec![
                ("SnapshotName", Some(name.to_owned())),
                ("MaxResults", Some(PAGE.to_string())),
                ("NextToken", next),
            ];
            let answer: Answer = self.read("DescribeSnapshots", region, parameters).await?;
            named.extend(answer.snapshots.snapshot.into_iter().filter(|row| row.snapshot_name.text() == name));
            next = answer.next_token.non_empty().map(ToOwned::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(named)
    }
}
