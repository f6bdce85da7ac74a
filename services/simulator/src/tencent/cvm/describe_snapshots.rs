//! Decides what `DescribeSnapshots` of CBS answers: the snapshots behind the account's images.
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
use crate::world::{Disk, Image, ImageState, Origin, World};

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
    for image in images.iter().filter(|image| matches!(image.origin, Origin::Custom | Origin::Marketplace)) {
        for disk in &image.disks {
            if (ids.is_empty() || ids.contains(&disk.snapshot_id)) && matches_all(image, disk, &conditions, caller)? {
                found.push((image, disk));
            }
        }
    }
    found.sort_by_key(|(image, _)| image.created_at);
    if descending {
        found.reverse();
    }
    let total = found.len();
    let page = filters::page(params, found, "InvalidParameterValue")?;
    let set: Vec<Value> = page.into_iter().map(|(image, disk)| described(image, disk, &caller.region)).collect();
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

fn matches_all(image: &Image, disk: &Disk, conditions: &[Filter], caller: &Caller) -> Result<bool, ApiError> {
    let mut all = true;
    for filter in conditions {
        all &= match filter.name.as_str() {
            "snapshot-id" => filter.is(&disk.snapshot_id),
            "snapshot-name" => filter.is_in(&snapshot_name(disk)),
            "snapshot-state" => filter.is("NORMAL"),
            "disk-usage" => filter.is(disk_usage(disk.role)),
            "zone" => filter.is(&zone(&caller.region)),
            "encrypt" => filter.is_in(if image.encrypted { "true" } else { "false" }),
            "snapshot-type" => filter.is("PRIVATE_SNAPSHOT"),
            "project-id" => filter.is("0"),
            // The disks that the snapshots were taken from are not simulated.
            "disk-id" => false,
            _ => return Err(filters::unknown(filter)),
        };
    }
    Ok(all)
}

fn described(image: &Image, disk: &Disk, region: &str) -> Value {
    json!({
        "SnapshotId": disk.snapshot_id,
        "SnapshotName": snapshot_name(disk),
        "SnapshotState": if image.state == ImageState::Creating { "CREATING" } else { "NORMAL" },
        "SnapshotType": "PRIVATE_SNAPSHOT",
        "Percent": if image.state == ImageState::Creating { 50 } else { 100 },
        "Placement": { "Zone": zone(region), "ProjectId": 0 },
        "DiskId": "",
        "DiskUsage": disk_usage(disk.role),
        "DiskSize": disk.size_gib,
        "Encrypt": image.encrypted,
        "IsPermanent": true,
        "DeadlineTime": null,
        // Shown in the vendor's time zone, UTC+8, without an offset.
        "CreateTime": image.created_at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
            .strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "CopyFromRemote": false,
        "CopyingToRegions": [],
        "ShareReference": 0,
        "Images": [{ "ImageId": image.id, "ImageName": image.name }],
        "ImageCount": 1,
        "Tags": [],
    })
}

fn snapshot_name(disk: &Disk) -> String {
    format!("image_{}", disk.device_name())
}

fn zone(region: &str) -> String {
    format!("{region}-3")
}
