//! Decides what a snapshot is to the simulator: the bytes of a disk, with or without an image that needs them.

use jiff::Timestamp;
use sampan_core::{Cloud, DiskRole};
use serde::Serialize;

use super::image::{CopySource, Disk, Image, ImageState, Origin, Tag};
use crate::content::Content;

/// Condition of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotState {
    /// Still being made or copied.
    Progressing,
    /// Ready for use.
    Ready,
    /// Could not be made.
    Failed,
}

/// One snapshot of one account.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// The cloud that holds it.
    pub cloud: Cloud,
    /// The account that owns it.
    pub account: String,
    /// Region code.
    pub region: String,
    /// Snapshot id in the vendor's shape.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// What its disk was to the machine.
    pub role: DiskRole,
    /// Size of the disk in GiB.
    pub size_gib: u64,
    /// True when it is encrypted.
    pub encrypted: bool,
    /// The account's own key that encrypts it; `None` while encrypted means the cloud's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// True when it was made of an image of the marketplace.
    pub of_marketplace: bool,
    /// Condition.
    pub state: SnapshotState,
    /// Whole percents of its making.
    pub progress: u8,
    /// Region and id of the snapshot that it is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopySource>,
    /// Days after which the cloud removes it; `None` keeps it for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Tags, in the order in which they were given.
    pub tags: Vec<Tag>,
    /// Time of creation, on the world's clock.
    pub created_at: Timestamp,
    /// The bytes.
    #[serde(skip)]
    pub content: Content,
}

impl Snapshot {
    /// Makes the snapshots behind an image, in the order of its disks.
    pub(super) fn of_image(image: &Image) -> Vec<Self> {
        image.disks.iter().map(|disk| Self::of_disk(image, disk)).collect()
    }

    fn of_disk(image: &Image, disk: &Disk) -> Self {
        let state = match image.state {
            ImageState::Creating | ImageState::Copying | ImageState::Waiting => SnapshotState::Progressing,
            ImageState::Ready | ImageState::Unavailable | ImageState::Deprecated => SnapshotState::Ready,
            ImageState::Failed => SnapshotState::Failed,
        };
        Self {
            cloud: image.cloud,
            account: image.account.clone(),
            region: image.region.clone(),
            id: disk.snapshot_id.clone(),
            name: match image.cloud {
                Cloud::Tencent => format!("image_{}", disk.device_name()),
                Cloud::Alibaba => format!("{}_{}", image.name, disk.device_name()),
            },
            description: String::new(),
            role: disk.role,
            size_gib: disk.size_gib,
            encrypted: image.encrypted,
            kms_key: image.kms_key.clone(),
            of_marketplace: image.origin == Origin::Marketplace,
            state,
            progress: image.progress,
            copied_from: None,
            retention_days: None,
            tags: Vec::new(),
            created_at: image.created_at,
            content: disk.content.clone(),
        }
    }
}
