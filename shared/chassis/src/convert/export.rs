//! Translates what exports keep in their records: disks, and the objects that hold them.

use sampan_core::{DiskRole, OperationId};
use sampan_proto::image::v1 as image_pb;
use sampan_proto::operation::v1 as pb;
use sampan_state::operation::Target;
use sampan_state::result::{Artifact, ExportResult, Packing};
use serde::Deserialize;

use super::estimate::estimate;
use super::image;
use super::time::timestamp;

/// What the facts of an export's target say, first of the disk alone, at last of the object too.
#[derive(Debug, Deserialize)]
pub(super) struct DiskFacts {
    role: DiskRole,
    device: Option<String>,
    size_gib: u64,
    snapshot_id: Option<String>,
    encrypted: Option<bool>,
    size_bytes: Option<u64>,
}

impl DiskFacts {
    /// Reads the facts of a target; `None` when it is no disk.
    pub(super) fn of(target: &Target) -> Option<Self> {
        Self::deserialize(&target.facts).ok()
    }

    /// Returns the size of the object that holds the disk, once there is one.
    pub(super) fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    /// Returns the message of the disk.
    pub(super) fn message(self) -> image_pb::Disk {
        image_pb::Disk {
            role: image::role(self.role).into(),
            device: self.device.unwrap_or_default(),
            size_gib: self.size_gib,
            snapshot_id: self.snapshot_id.unwrap_or_default(),
            encrypted: self.encrypted,
        }
    }
}

/// Returns the message of a manifest; `operation` is named where a part of it cannot be read.
pub(super) fn result(operation: OperationId, result: &ExportResult) -> pb::ExportResult {
    let told = |kept: &Option<String>| kept.as_deref().and_then(|text| estimate(operation, text)).map(Box::new);
    pb::ExportResult {
        bucket: result.bucket.clone(),
        region: result.region.clone(),
        artifacts: result.artifacts.iter().map(artifact).collect(),
        total_size_bytes: result.artifacts.iter().map(|artifact| artifact.size_bytes).sum(),
        fstab_reminder: result.fstab_reminder.clone(),
        notes: result.notes.clone(),
        first_estimate: told(&result.first_estimate),
        estimate: told(&result.estimate),
    }
}

/// Returns the message of an artifact.
pub fn artifact(artifact: &Artifact) -> pb::Artifact {
    let packing = match artifact.packing {
        Packing::None => pb::Packing::None,
        Packing::TarGzip => pb::Packing::TarGzip,
    };
    pb::Artifact {
        disk: Some(image_pb::Disk {
            role: image::role(artifact.role).into(),
            device: artifact.device.clone(),
            size_gib: artifact.size_gib,
            snapshot_id: artifact.snapshot_id.clone().unwrap_or_default(),
            encrypted: None,
        }),
        bucket: artifact.bucket.clone(),
        key: artifact.key.clone(),
        size_bytes: artifact.size_bytes,
        etag: artifact.etag.clone(),
        crc64: artifact.crc64.map(|crc| crc.to_string()).unwrap_or_default(),
        last_modified_time: artifact.last_modified.map(timestamp),
        storage_class: artifact.storage_class.clone(),
        format: image::format(artifact.format).into(),
        packing: packing.into(),
        unpack_command: artifact.unpack_command.clone(),
    }
}
