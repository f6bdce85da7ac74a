//! Looks for the objects of an export in its bucket.

use futures::future::try_join_all;
use sampan_cloud::bucket::Object;
use sampan_cloud::image::Disk;
use sampan_cloud::{Account, CallError};
use sampan_core::DiskRole;

use super::{Plan, SeenObject};
use crate::spec::ExportSpec;

/// Pages of a listing that are looked through; a stem that has more objects than this is no single export's.
const MAX_PAGES: usize = 10;

/// Lists everything under the stem of the export's keys.
pub(super) async fn list(account: &Account, spec: &ExportSpec) -> Result<Vec<Object>, CallError> {
    let bucket = spec.bucket_ref();
    let stem = spec.key_stem();
    let mut objects = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = account.buckets.list_objects(&bucket, &stem, next.as_deref()).await?;
        objects.extend(page.objects);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(objects)
}

/// Looks every key up; `None` for one that does not exist.
pub(super) async fn heads(
    account: &Account,
    spec: &ExportSpec,
    keys: &[String],
) -> Result<Vec<Option<Object>>, CallError> {
    let bucket = spec.bucket_ref();
    try_join_all(keys.iter().map(|key| account.buckets.head_object(&bucket, key))).await
}

impl Plan {
    /// Returns whether the object was made by this export: not older than the call, and not there before it.
    pub(super) fn is_ours(&self, object: &Object) -> bool {
        let is_new = object.last_modified.is_none_or(|modified| modified >= self.since);
        let was_there = self.before.iter().any(|seen| {
            seen.key == object.key && seen.etag == object.etag && seen.last_modified == object.last_modified
        });
        is_new && !was_there
    }
}

impl From<&Object> for SeenObject {
    fn from(object: &Object) -> Self {
        Self { key: object.key.clone(), etag: object.etag.clone(), last_modified: object.last_modified }
    }
}

/// Returns the index of the disk that a key belongs to, by snapshot, device, or role.
pub(super) fn disk_of(key: &str, disks: &[Disk]) -> Option<usize> {
    let by_snapshot = |disk: &Disk| disk.snapshot_id.as_ref().is_some_and(|id| key.contains(&format!("_{id}.")));
    let by_device = |disk: &Disk| {
        let device = disk.device.as_deref().unwrap_or_default();
        !device.is_empty() && disk.role == DiskRole::Data && key.contains(&format!("_data_{device}."))
    };
    let by_role = |disk: &Disk| disk.role == DiskRole::System && key.contains("_system");
    disks
        .iter()
        .position(by_snapshot)
        .or_else(|| disks.iter().position(by_device))
        .or_else(|| disks.iter().position(by_role))
        .or_else(|| (disks.len() == 1).then_some(0))
}
