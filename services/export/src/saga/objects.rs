//! Looks for the objects of an export in its bucket.

use futures::future::try_join_all;
use sampan_cloud::bucket::Object;
use sampan_cloud::{Account, CallError};

use super::{Plan, SeenObject};
use crate::names;
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

/// Returns the objects of this export that exist now, in key order.
///
/// - `promised`: keys that the cloud has named; where it names none, they are found by their names.
///
/// A listing follows a write with a delay on COS, so that documented names are also looked up one by one.
pub(super) async fn of_export(
    account: &Account,
    spec: &ExportSpec,
    plan: &Plan,
    promised: &[String],
) -> Result<Vec<Object>, CallError> {
    let mut found = Vec::new();
    let keys = if promised.is_empty() {
        found = list(account, spec).await?;
        found.retain(|object| names::is_likely(spec, &object.key));
        let mut keys = names::predicted(spec, &plan.disks);
        keys.retain(|key| !found.iter().any(|object| object.key == *key));
        keys
    } else {
        promised.to_vec()
    };
    found.extend(heads(account, spec, &keys).await?.into_iter().flatten());
    found.retain(|object| plan.is_ours(object));
    found.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(found)
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

    /// Returns whether the object may be removed as a result of this export: it is ours, the bucket tells its age,
    /// and its name was promised by the cloud or is the documented one. A file that somebody put beside it is not.
    pub(super) fn may_remove(&self, spec: &ExportSpec, object: &Object, promised: &[String]) -> bool {
        let is_named = promised.contains(&object.key) || names::is_documented(spec, &self.disks, &object.key);
        is_named && object.last_modified.is_some() && self.is_ours(object)
    }
}

impl From<&Object> for SeenObject {
    fn from(object: &Object) -> Self {
        Self { key: object.key.clone(), etag: object.etag.clone(), last_modified: object.last_modified }
    }
}
