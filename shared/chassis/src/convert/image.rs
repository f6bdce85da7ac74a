//! Translates clouds, formats, disk roles, images and broken rules.

use sampan_core::{Cloud, DiskRole, ImageFormat, Severity, Violation};
use sampan_proto::image::v1 as pb;
use sampan_state::result::ImageAt;

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
