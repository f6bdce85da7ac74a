//! The copy port: what the services need to copy images and snapshots between regions, and to remove them again.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Cloud, ImageId, Region};
use serde::{Deserialize, Serialize};

use crate::error::CallError;
use crate::image::{CancelAnswer, Image};

/// What the copies of a cloud can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyTraits {
    /// The vendor's name of the mutating call.
    pub action: &'static str,
    /// One call serves many destinations; otherwise one call each.
    pub fans_out: bool,
    /// The call takes a token under which the vendor makes it once.
    pub takes_token: bool,
    /// The cloud can cancel a running copy.
    pub cancels: bool,
    /// Copies of one image run one at a time.
    pub one_at_a_time: bool,
    /// Copies take a description, a resource group and tags.
    pub takes_labels: bool,
    /// Encryption is possible only within the region of the source.
    pub encrypts_within_region_only: bool,
    /// Snapshots can be copied, and images made from them.
    pub copies_snapshots: bool,
}

/// How copies are encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// Key of the vendor's key service; `None` means the vendor's default key.
    pub kms_key_id: Option<String>,
}

/// What a copy call says to the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyCall {
    /// Region of the source image.
    pub source: Region,
    /// The source image.
    pub image: ImageId,
    /// Destinations: never empty, exactly one where the cloud does not fan out.
    pub destinations: Vec<Region>,
    /// Name of the copies; `None` leaves it to the cloud, which takes the source's.
    pub name: Option<String>,
    /// Description of the copies; only where [`CopyTraits::takes_labels`].
    pub description: Option<String>,
    /// Encryption of the copies; `None` leaves them as the source is.
    pub encryption: Option<Encryption>,
    /// Resource group of the copies; only where [`CopyTraits::takes_labels`].
    pub resource_group_id: Option<String>,
    /// Tags of the copies; only where [`CopyTraits::takes_labels`].
    pub tags: BTreeMap<String, String>,
    /// Token under which the vendor makes the call once; only where [`CopyTraits::takes_token`]. 1 to 64 ASCII.
    pub token: Option<String>,
}

/// The cloud's acceptance of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyStarted {
    /// The new images by destination; a destination is missing when the cloud did not tell its image.
    pub images: BTreeMap<Region, ImageId>,
    /// The vendor's request id.
    pub request_id: String,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyState {
    /// Waits for its turn at the vendor; being queued is no stall.
    Queued,
    /// Runs; also every state that this version does not know.
    Copying,
    /// Usable.
    Ready,
    /// Will never be usable.
    Failed,
}

/// An image in a destination, as a copy that is going on or has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedImage {
    /// The image, with its disks and snapshots as far as the cloud tells them already.
    pub image: Image,
    /// How far it is.
    pub state: CopyState,
    /// Percent done, 0 to 100, where the cloud tells it.
    pub percent: Option<u8>,
    /// Whether the cloud says that it was made by a copy; `None` when it does not tell.
    pub is_copy: Option<bool>,
}

/// Puts images in the order of their creation; one that is just being made may have no time yet, and is the newest.
pub fn oldest_first(mut copies: Vec<CopiedImage>) -> Vec<CopiedImage> {
    copies.sort_by_key(|copied| (copied.image.created.is_none(), copied.image.created));
    copies
}

/// What the copy of one snapshot says to the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCopyCall {
    /// Region of the source snapshot.
    pub source: Region,
    /// The source snapshot.
    pub snapshot_id: String,
    /// Region of the copy.
    pub destination: Region,
    /// Name of the copy: how it is recognised.
    pub name: String,
    /// Description of the copy.
    pub description: String,
    /// Encryption of the copy; `None` leaves it as the source is.
    pub encryption: Option<Encryption>,
    /// Resource group of the copy.
    pub resource_group_id: Option<String>,
    /// Tags of the copy.
    pub tags: BTreeMap<String, String>,
    /// Token under which the vendor makes the call once. 1 to 64 ASCII.
    pub token: Option<String>,
}

/// A snapshot as one cloud describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Id at the cloud.
    pub id: String,
    /// Name at the cloud.
    pub name: String,
    /// How far it is.
    pub state: CopyState,
    /// Percent done, 0 to 100, where the cloud tells it.
    pub percent: Option<u8>,
    /// Capacity of its disk in GiB.
    pub size_gib: u64,
    /// Whether it is encrypted; `None` when the cloud did not tell.
    pub encrypted: Option<bool>,
    /// Time of creation.
    pub created: Option<Timestamp>,
}

/// One disk of an image that is made from snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFromSnapshot {
    /// Device without `/dev/`, such as `xvdb`; `None` for the system disk.
    pub device: Option<String>,
    /// The snapshot, in the region of the new image.
    pub snapshot_id: String,
    /// Capacity in GiB.
    pub size_gib: u64,
}

/// What the making of an image from snapshots says to the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateImageCall {
    /// Region of the snapshots and of the new image.
    pub region: Region,
    /// Name of the new image.
    pub name: String,
    /// Description of the new image.
    pub description: Option<String>,
    /// Platform in the vendor's word, as the source image has it.
    pub platform: String,
    /// Architecture in the vendor's word, as the source image has it.
    pub architecture: String,
    /// Boot mode in the vendor's word, as the source image has it; `None` when the cloud did not tell.
    pub boot_mode: Option<String>,
    /// The disks: the system disk first.
    pub disks: Vec<DiskFromSnapshot>,
    /// Resource group of the new image.
    pub resource_group_id: Option<String>,
    /// Tags of the new image.
    pub tags: BTreeMap<String, String>,
    /// Token under which the vendor makes the call once. 1 to 64 ASCII.
    pub token: Option<String>,
}

/// Copy calls of one account of one cloud.
///
/// The rules of [`ImageCloud`](crate::ImageCloud) hold: paced, timed out, retried where that is safe, classified and
/// redacted; a mutating call whose answer is lost returns
/// [`CallClass::UnknownOutcome`](crate::error::CallClass::UnknownOutcome) and is never repeated here, not even with a
/// token: whoever called looks first.
#[async_trait]
pub trait CopyCloud: Send + Sync + fmt::Debug {
    /// Returns the cloud.
    fn cloud(&self) -> Cloud;

    /// Returns what copies can do on this cloud.
    fn copy_traits(&self) -> CopyTraits;

    /// Asks the cloud whether it would accept the copy, without starting it; accepts at once where the cloud has no
    /// such question or it is switched off.
    ///
    /// # Errors
    /// What the copy itself would be refused with.
    async fn check_copy(&self, call: &CopyCall) -> Result<(), CallError>;

    /// Starts a copy. Mutating: one unit of the lane of the source. Never repeated inside.
    async fn start_copy(&self, call: &CopyCall) -> Result<CopyStarted, CallError>;

    /// Describes images in `region`, finished or not, in the order of `images`; `None` for one that the account does
    /// not have there (yet, or any more).
    async fn copied_images(&self, region: &Region, images: &[ImageId]) -> Result<Vec<Option<CopiedImage>>, CallError>;

    /// Finds the account's own images of exactly that name in `region`, finished or not, oldest first.
    async fn images_named(&self, region: &Region, name: &str) -> Result<Vec<CopiedImage>, CallError>;

    /// Counts the account's own images in `region`, finished or not: what the vendor's ceiling counts.
    async fn count_images(&self, region: &Region) -> Result<u64, CallError>;

    /// Returns the regions that the account can use; `None` where the cloud cannot be asked.
    async fn regions(&self) -> Result<Option<Vec<Region>>, CallError>;

    /// Cancels a copy, named by its new image in the destination. Mutating.
    async fn cancel_copy(&self, region: &Region, image: &ImageId) -> Result<CancelAnswer, CallError>;

    /// Removes an image; one that does not exist is no error. Mutating.
    ///
    /// - `with_snapshots`: removes the snapshots behind it too, where the same call can; elsewhere they stay, see
    ///   [`Self::delete_snapshot`].
    async fn delete_image(&self, region: &Region, image: &ImageId, with_snapshots: bool) -> Result<(), CallError>;

    /// Removes a snapshot; one that does not exist is no error. Mutating.
    async fn delete_snapshot(&self, region: &Region, snapshot_id: &str) -> Result<(), CallError>;

    /// Starts the copy of a snapshot and returns the new one's id. Mutating. Only where
    /// [`CopyTraits::copies_snapshots`].
    async fn copy_snapshot(&self, call: &SnapshotCopyCall) -> Result<String, CallError>;

    /// Describes snapshots, in the order of `snapshots`; `None` for one that the account does not have there.
    async fn snapshots(&self, region: &Region, snapshots: &[String]) -> Result<Vec<Option<Snapshot>>, CallError>;

    /// Finds the account's own snapshots of exactly that name in `region`, finished or not, oldest first. Empty
    /// where snapshots are not copied.
    async fn snapshots_named(&self, region: &Region, name: &str) -> Result<Vec<Snapshot>, CallError>;

    /// Makes an image from snapshots and returns its id. Mutating: one unit of the lane of its region. Only where
    /// [`CopyTraits::copies_snapshots`].
    async fn create_image(&self, call: &CreateImageCall) -> Result<ImageId, CallError>;
}
