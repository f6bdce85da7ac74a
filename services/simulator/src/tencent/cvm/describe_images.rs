//! Decides what `DescribeImages` answers: which images, in which order, with which fields.

use sampan_core::{Cloud, DiskRole};
use serde_json::{Value, json};

use super::error::ApiError;
use super::export_images::check_image_id;
use super::filters::{self, Filter};
use super::gate::Caller;
use super::params::Params;
use super::{Fields, fields};
use crate::world::{Disk, Image, ImageState, Origin, World};

/// Code of a page size that is not allowed.
const LIMIT_CODE: &str = "InvalidParameterValue.InvalidParameterValueLimit";
/// Most ids in one call, as many as a page can hold.
const MOST_IDS: usize = 100;

/// Lists the images that the account sees in the region; ids that nobody has are left out without an error.
///
/// # Errors
/// The vendor's code for a wrong parameter.
pub(super) fn run(world: &World, caller: &Caller, params: &Params) -> Result<Fields, ApiError> {
    params.only(&["ImageIds", "Filters", "Offset", "Limit", "InstanceType"])?;
    check_instance_type(params)?;
    let (ids, conditions) = (params.texts("ImageIds")?, filters::read(params)?);
    if ids.is_some() && !conditions.is_empty() {
        let text = "ImageIds and Filters exclude each other";
        return Err(ApiError::new("InvalidParameter.InvalidParameterCoexistImageIdsFilters", text));
    }
    let ids = ids.unwrap_or_default();
    if ids.len() > MOST_IDS {
        return Err(ApiError::new("InvalidParameterValue.LimitExceeded", "ImageIds has more than 100 items"));
    }
    ids.iter().try_for_each(|id| check_image_id(id))?;
    let mut found = Vec::new();
    for image in world.images(Cloud::Tencent, &caller.account.id, &caller.region) {
        if (ids.is_empty() || ids.contains(&image.id)) && matches_all(&image, &conditions)? {
            found.push(image);
        }
    }
    let total = found.len();
    let page: Vec<Value> = filters::page(params, found, LIMIT_CODE)?.iter().map(described).collect();
    Ok(fields(json!({ "TotalCount": total, "ImageSet": page })))
}

/// Every simulated image fits every type, so only the form of the type is looked at: `S5.MEDIUM4`.
fn check_instance_type(params: &Params) -> Result<(), ApiError> {
    match params.text("InstanceType")? {
        Some(text) if !text.split_once('.').is_some_and(|(family, size)| !family.is_empty() && !size.is_empty()) => {
            Err(ApiError::new("InvalidInstanceType.Malformed", format!("{text:?} is not an instance type")))
        }
        Some(_) | None => Ok(()),
    }
}

fn matches_all(image: &Image, conditions: &[Filter]) -> Result<bool, ApiError> {
    let mut all = true;
    for filter in conditions {
        all &= match filter.name.as_str() {
            "image-id" => filter.is(&image.id),
            "image-type" => filter.is(image_type(image)),
            "image-name" => filter.is_in(&image.name),
            "platform" => filter.is_in(&image.platform),
            "tag-key" => image.tags.iter().any(|tag| filter.is(&tag.key)),
            "tag-value" => image.tags.iter().any(|tag| filter.is(&tag.value)),
            // The simulated images live in no dedicated cluster.
            "dedicated-cluster-id" | "cdc-cache-status" => false,
            name if name.strip_prefix("tag:").is_some_and(|key| !key.is_empty()) => {
                let key = name.trim_start_matches("tag:");
                image.tags.iter().any(|tag| tag.key == key && filter.is(&tag.value))
            }
            _ => return Err(filters::unknown(filter)),
        };
    }
    Ok(all)
}

/// An image made from one of the marketplace looks like any other of the account's own.
fn image_type(image: &Image) -> &'static str {
    match image.origin {
        Origin::Custom | Origin::Marketplace => "PRIVATE_IMAGE",
        Origin::Public => "PUBLIC_IMAGE",
        Origin::Shared => "SHARED_IMAGE",
    }
}

fn described(image: &Image) -> Value {
    let is_public = image.origin == Origin::Public;
    let state = match image.state {
        ImageState::Creating => "CREATING",
        ImageState::Copying | ImageState::Waiting => "SYNCING",
        ImageState::Ready => "NORMAL",
        // Older pages have this word; the control API lets nobody get an image there on this cloud.
        ImageState::Unavailable | ImageState::Deprecated => "USING",
        ImageState::Failed => "CREATEFAILED",
    };
    let creator = if is_public { "tencent" } else { image.owner.as_deref().unwrap_or(&image.account) };
    // The cloud does not show the snapshots of its own images.
    let snapshots: Vec<Value> = if is_public { Vec::new() } else { image.disks.iter().map(snapshot).collect() };
    let tags: Vec<Value> = image.tags.iter().map(|tag| json!({ "Key": tag.key, "Value": tag.value })).collect();
    let is_syncing = matches!(image.state, ImageState::Copying | ImageState::Waiting);
    json!({
        "ImageId": image.id,
        "OsName": image.os_name,
        "ImageType": image_type(image),
        "CreatedTime": image.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "ImageName": image.name,
        "ImageDescription": image.description,
        "ImageSize": image.system_disk().map_or(0, |disk| disk.size_gib),
        "Architecture": "x86_64",
        "ImageState": state,
        "Platform": image.platform,
        "ImageCreator": creator,
        "ImageSource": if is_public { "OFFICIAL" } else { "CREATE_IMAGE" },
        "SyncPercent": is_syncing.then_some(image.progress),
        "IsSupportCloudinit": true,
        "SnapshotSet": snapshots,
        "Tags": tags,
        "LicenseType": if image.own_licence { "BYOL" } else { "TencentCloud" },
        "ImageFamily": null,
        "ImageDeprecated": false,
    })
}

fn snapshot(disk: &Disk) -> Value {
    json!({ "SnapshotId": disk.snapshot_id, "DiskUsage": disk_usage(disk.role), "DiskSize": disk.size_gib })
}

/// Returns the vendor's word for what a disk is.
pub(super) fn disk_usage(role: DiskRole) -> &'static str {
    match role {
        DiskRole::System => "SYSTEM_DISK",
        DiskRole::Data => "DATA_DISK",
    }
}
