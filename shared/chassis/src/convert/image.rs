//! Translates clouds, formats, disk roles, images and broken rules.

use sampan_cloud::image::{Disk, Image, ImageOrigin};
use sampan_core::{Cloud, DiskRole, ImageFormat, Severity, Violation};
use sampan_proto::image::v1 as pb;
use sampan_state::result::ImageAt;

use super::time::timestamp;

/// Returns the message value of a cloud.
pub fn cloud(cloud: Cloud) -> pb::Cloud {
    match cloud {
        Cloud::Tencent => pb::Cloud::Tencent,
        Cloud::Alibaba => pb::Cloud::Alibaba,
    }
}

/// Returns the message value of a file format.
pub fn format(format: ImageFormat) -> pb::ImageFormat {
    match format {
        ImageFormat::Raw => pb::ImageFormat::Raw,
        ImageFormat::Vhd => pb::ImageFormat::Vhd,
        ImageFormat::Qcow2 => pb::ImageFormat::Qcow2,
        ImageFormat::Vmdk => pb::ImageFormat::Vmdk,
        ImageFormat::Vdi => pb::ImageFormat::Vdi,
    }
}

/// Returns the file format that a request asks for: RAW when unspecified, `None` for a number that no version defines.
pub fn asked_format(number: i32) -> Option<ImageFormat> {
    match pb::ImageFormat::try_from(number).ok()? {
        pb::ImageFormat::Unspecified | pb::ImageFormat::Raw => Some(ImageFormat::Raw),
        pb::ImageFormat::Vhd => Some(ImageFormat::Vhd),
        pb::ImageFormat::Qcow2 => Some(ImageFormat::Qcow2),
        pb::ImageFormat::Vmdk => Some(ImageFormat::Vmdk),
        pb::ImageFormat::Vdi => Some(ImageFormat::Vdi),
    }
}

/// Returns the message value of a disk's role.
pub fn role(role: DiskRole) -> pb::DiskRole {
    match role {
        DiskRole::System => pb::DiskRole::System,
        DiskRole::Data => pb::DiskRole::Data,
    }
}

/// Returns the message that names an image.
pub fn at(image: &ImageAt) -> pb::ImageReference {
    pb::ImageReference {
        cloud: cloud(image.cloud).into(),
        account: image.account.clone(),
        region: image.region.to_string(),
        image_id: image.image.to_string(),
    }
}

/// Returns the message of an image as its cloud describes it.
pub fn image(reference: &ImageAt, image: &Image) -> pb::Image {
    let origin = match image.origin {
        ImageOrigin::Custom => pb::ImageOrigin::Custom,
        ImageOrigin::Public => pb::ImageOrigin::Public,
        ImageOrigin::Marketplace => pb::ImageOrigin::Marketplace,
        ImageOrigin::Shared => pb::ImageOrigin::Shared,
    };
    pb::Image {
        reference: Some(at(reference)),
        name: image.name.clone(),
        os_name: String::new(),
        platform: image.platform.clone(),
        architecture: image.architecture.clone(),
        origin: origin.into(),
        cloud_state: image.raw_state.clone(),
        disks: image.disks.iter().map(disk).collect(),
        create_time: image.created.map(timestamp),
    }
}

fn disk(disk: &Disk) -> pb::Disk {
    pb::Disk {
        role: role(disk.role).into(),
        device: disk.device.clone().unwrap_or_default(),
        size_gib: disk.size_gib,
        snapshot_id: disk.snapshot_id.clone().unwrap_or_default(),
        encrypted: disk.encrypted,
    }
}

/// Returns the message of a broken rule.
pub fn violation(violation: &Violation) -> pb::Violation {
    let severity = match violation.severity {
        Severity::Enforced => pb::Severity::Enforced,
        Severity::Warning => pb::Severity::Warning,
    };
    pb::Violation {
        rule: violation.rule.clone(),
        field: violation.field.clone(),
        message: violation.message.clone(),
        limit: violation.limit.clone(),
        observed: violation.observed.clone(),
        source: violation.source.clone(),
        source_date: violation.source_date.clone(),
        fix: violation.fix.clone(),
        override_key: violation.override_key.clone(),
        severity: severity.into(),
    }
}
