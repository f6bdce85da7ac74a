//! DescribeImages: a page of the images that the caller sees; an unknown id gives an empty list.

mod filter;

use sampan_core::{Cloud, DiskRole};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{Answer, Context, time};
use crate::world::{Disk, Image, ImageState, Origin};
use filter::Filter;

/// Product code of images that were made from one of the marketplace.
pub(super) const MARKETPLACE_CODE: &str = "cmjj014789";

pub(super) fn run(context: &Context<'_>) -> Answer {
    let region = context.parameters.region()?;
    let filter = Filter::read(context.parameters)?;
    let page = context.parameters.page()?;
    if context.parameters.flag("DryRun")? == Some(true) {
        return Err(Refusal::dry_run());
    }
    let images = context.world.images(Cloud::Alibaba, &context.account.id, region);
    let shares = context.world.shares();
    let is_shared = |image: &Image| shares.iter().any(|share| share.cloud == Cloud::Alibaba && share.image == image.id);
    let remaining = |image: &Image| context.world.remaining_seconds(Cloud::Alibaba, region, &image.id);
    let matching: Vec<Value> = images
        .iter()
        .filter(|image| filter.accepts(image))
        .map(|image| entry(image, is_shared(image), remaining(image)))
        .collect();
    let answer = json!({
        "RegionId": region,
        "PageNumber": page.number,
        "PageSize": page.size,
        "TotalCount": matching.len(),
        "Images": {"Image": page.of(matching)},
    });
    Ok(answer.as_object().cloned().unwrap_or_default())
}

/// Non-empty for images that were made from one of the marketplace.
fn product_code(image: &Image) -> &'static str {
    if image.origin == Origin::Marketplace { MARKETPLACE_CODE } else { "" }
}

fn status_word(state: ImageState) -> &'static str {
    match state {
        ImageState::Creating | ImageState::Copying => "Creating",
        ImageState::Waiting => "Waiting",
        ImageState::Ready => "Available",
        ImageState::Unavailable => "UnAvailable",
        ImageState::Deprecated => "Deprecated",
        ImageState::Failed => "CreateFailed",
    }
}

/// An image that was made from one of the marketplace is the caller's own; its product code tells the difference.
fn owner_alias(origin: Origin) -> &'static str {
    match origin {
        Origin::Custom | Origin::Marketplace => "self",
        Origin::Public => "system",
        Origin::Shared => "others",
    }
}

fn os_type(image: &Image) -> &'static str {
    if image.is_windows() { "windows" } else { "linux" }
}

fn entry(image: &Image, is_shared_by_caller: bool, remaining: Option<i64>) -> Value {
    let mappings: Vec<Value> = image.disks.iter().map(|disk| mapping(image, disk, remaining)).collect();
    let tags: Vec<Value> = image.tags.iter().map(|tag| json!({"TagKey": tag.key, "TagValue": tag.value})).collect();
    let identity = json!({
        "ImageId": image.id,
        "ImageName": image.name,
        "ImageFamily": "",
        "ImageVersion": "",
        "Description": image.description,
        "CreationTime": time::to_seconds(image.created_at),
        "Status": status_word(image.state),
        "Progress": format!("{}%", image.progress),
        "Size": image.system_disk().map_or(0, |disk| disk.size_gib),
        "DiskDeviceMappings": {"DiskDeviceMapping": mappings},
        "Tags": {"Tag": tags},
        "ResourceGroupId": image.resource_group.as_deref().unwrap_or_default(),
    });
    let system = json!({
        "OSType": os_type(image),
        "OSName": image.os_name,
        "OSNameEn": image.os_name,
        "Platform": image.platform,
        "Architecture": "x86_64",
        "BootMode": image.boot_mode,
        "IsSupportCloudinit": true,
        "IsSupportIoOptimized": true,
        "LoginAsNonRootSupported": false,
        "DetectionOptions": {},
        "Features": {"NvmeSupport": "supported", "ImdsSupport": "v1"},
    });
    let ownership = json!({
        "ImageOwnerAlias": owner_alias(image.origin),
        // Filled for shared images alone.
        "ImageOwnerId": image.owner.as_deref().and_then(|owner| owner.parse::<u64>().ok()),
        "IsSelfShared": match (image.origin, is_shared_by_caller) {
            (Origin::Custom | Origin::Marketplace, true) => "True",
            (Origin::Custom | Origin::Marketplace, false) => "False",
            (Origin::Public | Origin::Shared, _) => "",
        },
        "IsPublic": image.origin == Origin::Public,
        "IsCopied": image.copied_from.is_some(),
        "IsSubscribed": false,
        "ProductCode": product_code(image),
        "Usage": "none",
    });
    let mut fields = Map::new();
    for part in [identity, system, ownership] {
        fields.extend(part.as_object().cloned().unwrap_or_default());
    }
    fields.retain(|_, value| !value.is_null());
    Value::Object(fields)
}

/// Sizes of disks are text, unlike the size of the image. Encryption stands at the snapshots alone.
fn mapping(image: &Image, disk: &Disk, remaining: Option<i64>) -> Value {
    let is_copying = image.copied_from.is_some() && remaining.is_some();
    json!({
        "Type": match disk.role { DiskRole::System => "system", DiskRole::Data => "data" },
        "Device": disk.device,
        "Size": disk.size_gib.to_string(),
        "SnapshotId": disk.snapshot_id,
        "Format": "",
        "Progress": if is_copying { format!("{}%", image.progress) } else { String::new() },
        "RemainTime": if is_copying { remaining.unwrap_or(0) } else { 0 },
        "ImportOSSBucket": "",
        "ImportOSSObject": "",
    })
}
