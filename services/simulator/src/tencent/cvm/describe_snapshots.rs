//! Decides what `DescribeSnapshots` of CBS answers: the account's snapshots, most of them behind its images.
//!
//! It is the one call that tells whether an image is encrypted; images themselves do not say it.

use sampan_core::Cloud;
use serde_json::{Value, json};

use super::describe_images::disk_usage;
use super::error::ApiError;
use super::filters::{self, Filter};
use super::gate::Caller;
use super::params::Params;
use super::{Fields, fields};
use crate::world::{Image, Snapshot, SnapshotState, World};

/// Most ids in one call, as many as a page can hold.
const MOST_IDS: usize = 100;

/// Lists the snapshots of the account's own images in the region; ids that nobody has are left out.
///
/// # Errors
/// The vendor's code for a wrong parameter.
pub(super) fn run(world: &World, caller: &Caller, params: &Params) -> Result<Fields, ApiError> {
    params.only(&["SnapshotIds", "Filters", "Offset", "Limit", "Order", "OrderField"])?;
    let descending = read_order(params)?;
    let (ids, conditions) = (params.texts("SnapshotIds")?, filters::read(params)?);
    if ids.is_some() && !conditions.is_empty() {
        return Err(ApiError::new("InvalidParameter", "SnapshotIds and Filters exclude each other"));
    }
    let ids = ids.unwrap_or_default();
    if ids.len() > MOST_IDS {
        return Err(ApiError::new("InvalidParameterValue", "SnapshotIds has more than 100 items"));
    }
    if let Some(bad) = ids.iter().find(|id| !id.starts_with("snap-")) {
        return Err(ApiError::new("InvalidParameterValue", format!("{bad:?} is not the id of a snapshot")));
    }
    let images = world.images(Cloud::Tencent, &caller.account.id, &caller.region);
    let mut found = Vec::new();
    for snapshot in world.snapshots(Cloud::Tencent, &caller.account.id, &caller.region) {
        if (ids.is_empty() || ids.contains(&snapshot.id)) && matches_all(&snapshot, &conditions, caller)? {
            found.push(snapshot);
        }
    }
    found.sort_by_key(|snapshot| snapshot.created_at);
    if descending {
        found.reverse();
    }
    let total = found.len();
    let page = filters::page(params, found, "InvalidParameterValue")?;
    let set: Vec<Value> = page.iter().map(|snapshot| described(snapshot, &images)).collect();
    Ok(fields(json!({ "TotalCount": total, "SnapshotSet": set })))
}

fn read_order(params: &Params) -> Result<bool, ApiError> {
    if let Some(field) = params.text("OrderField")?.filter(|field| *field != "CREATE_TIME") {
        return Err(ApiError::bad_value("OrderField", field, "CREATE_TIME"));
    }
    match params.text("Order")? {
        None | Some("DESC") => Ok(true),
        Some("ASC") => Ok(false),
        Some(other) => Err(ApiError::bad_value("Order", other, "ASC, DESC")),
    }
}

fn matches_all(snapshot: &Snapshot, conditions: &[Filter], caller: &Caller) -> Result<bool, ApiError> {
    let mut all = true;
    for filter in conditions {
        all &= match filter.name.as_str() {
            "snapshot-id" => filter.is(&snapshot.id),
            "snapshot-name" => filter.is_in(&snapshot.name),
            "snapshot-state" => filter.is(state_word(snapshot)),
            "disk-usage" => filter.is(disk_usage(snapshot.role)),
            "zone" => filter.is(&zone(&caller.region)),
            "encrypt" => filter.is_in(if snapshot.encrypted { "true" } else { "false" }),
            "snapshot-type" => filter.is("PRIVATE_SNAPSHOT"),
            "project-id" => filter.is("0"),
            // The disks that the snapshots were taken from are not simulated.
            "disk-id" => false,
            _ => return Err(filters::unknown(filter)),
        };
    }
    Ok(all)
}

/// A snapshot whose copy was given up has no word of its own: it stays at what it was.
fn state_word(snapshot: &Snapshot) -> &'static str {
    match (snapshot.state, &snapshot.copied_from) {
        (SnapshotState::Ready, _) => "NORMAL",
        (SnapshotState::Progressing | SnapshotState::Failed, None) => "CREATING",
        (SnapshotState::Progressing | SnapshotState::Failed, Some(_)) => "COPYING_FROM_REMOTE",
    }
}

fn described(snapshot: &Snapshot, images: &[Image]) -> Value {
    let users: Vec<Value> = images
        .iter()
        .filter(|image| image.origin.is_own() && image.disks.iter().any(|disk| disk.snapshot_id == snapshot.id))
        .map(|image| json!({ "ImageId": image.id, "ImageName": image.name }))
        .collect();
    json!({
        "SnapshotId": snapshot.id,
        "SnapshotName": snapshot.name,
        "SnapshotState": state_word(snapshot),
        "SnapshotType": "PRIVATE_SNAPSHOT",
        "Percent": snapshot.progress,
        "Placement": { "Zone": zone(&snapshot.region), "ProjectId": 0 },
        "DiskId": "",
        "DiskUsage": disk_usage(snapshot.role),
        "DiskSize": snapshot.size_gib,
        "Encrypt": snapshot.encrypted,
        "IsPermanent": true,
        "DeadlineTime": null,
        // Shown in the vendor's time zone, UTC+8, without an offset.
        "CreateTime": snapshot.created_at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
            .strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "CopyFromRemote": snapshot.copied_from.is_some(),
        "CopyingToRegions": [],
        "ShareReference": 0,
        "ImageCount": users.len(),
        "Images": users,
        "Tags": [],
    })
}

fn zone(region: &str) -> String {
    format!("{region}-3")
}
