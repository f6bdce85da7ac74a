//! The results that operations leave in their records, by kind.

use jiff::Timestamp;
use sampan_core::{Cloud, DiskRole, ImageFormat, ImageId, Region};
use serde::{Deserialize, Serialize};

/// How the bytes of an object are wrapped around the disk file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// The object is the disk file itself.
    None,
    /// A gzip-compressed tar archive with the disk file as its one member.
    TarGzip,
}

/// One exported disk, proven to be in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// What the disk is to the machine.
    pub role: DiskRole,
    /// Device name without `/dev/`, such as `xvda`.
    pub device: String,
    /// Capacity of the disk in GiB.
    pub size_gib: u64,
    /// Snapshot behind the disk, where the cloud told it.
    pub snapshot_id: Option<String>,
    /// Bucket.
    pub bucket: String,
    /// Object key without a leading slash.
    pub key: String,
    /// Size of the object in bytes.
    pub size_bytes: u64,
    /// Entity tag without quotes.
    pub etag: String,
    /// CRC-64/XZ of the object, where the bucket told it.
    pub crc64: Option<u64>,
    /// Last change of the object.
    pub last_modified: Option<Timestamp>,
    /// Storage class in the vendor's word.
    pub storage_class: String,
    /// Format of the disk file.
    pub format: ImageFormat,
    /// How the object wraps the disk file.
    pub packing: Packing,
    /// Command line that turns the object into the disk file; empty when nothing is to be done.
    pub unpack_command: String,
}

/// Result of an operation of kind `export`: its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportResult {
    /// Bucket that holds the objects.
    pub bucket: String,
    /// Region of the bucket.
    pub region: String,
    /// One per exported disk, the system disk first, data disks in device order.
    pub artifacts: Vec<Artifact>,
    /// What to check in /etc/fstab; empty for a single disk.
    pub fstab_reminder: String,
    /// Further facts, one sentence each.
    pub notes: Vec<String>,
    /// What it was expected to cost before it began, in the form of [`CopyResult::estimate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_estimate: Option<String>,
    /// What it costs by the real sizes of the objects, in the same form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<String>,
}

/// An image at a cloud, as the configured account sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageAt {
    /// The cloud.
    pub cloud: Cloud,
    /// The configured account.
    pub account: String,
    /// Region of the image.
    pub region: Region,
    /// The image.
    pub image: ImageId,
}

/// One usable copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedImage {
    /// The copy.
    pub at: ImageAt,
    /// Its name.
    pub name: String,
    /// Snapshots behind it, which stay until somebody deletes them, and cost.
    #[serde(default)]
    pub snapshot_ids: Vec<String>,
    /// Accounts that it was shared with by the operation that made it.
    #[serde(default)]
    pub shared_with: Vec<String>,
    /// Name of the operation that shared it, `operations/<uuid>`.
    #[serde(default)]
    pub share_operation: Option<String>,
    /// Expected price of its snapshots per month, a decimal number.
    #[serde(default)]
    pub snapshot_cost_per_month: Option<String>,
    /// Currency of that price.
    #[serde(default)]
    pub currency: Option<String>,
}

/// Something that an operation made, that nobody asked to keep, and that it could not remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// Region that holds it.
    pub region: Region,
    /// `image` or `snapshot`.
    pub resource: String,
    /// Its id at the cloud.
    pub id: String,
    /// Why it could not be removed.
    pub cause: String,
}

/// Result of an operation of kind `copy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyResult {
    /// One per destination that succeeded, in the order of the request. A share that follows the copies of an image
    /// finds them here.
    pub images: Vec<CopiedImage>,
    /// What the copies do not carry, one sentence each.
    #[serde(default)]
    pub not_copied: Vec<String>,
    /// What it made and could not remove.
    #[serde(default)]
    pub leftovers: Vec<Leftover>,
    /// What the copies cost from now on: the billing estimator's message, encoded as protobuf, in base64. It is kept
    /// as it came, because nothing here reads it.
    #[serde(default)]
    pub estimate: Option<String>,
}

/// The accounts of one image, read back after a change of its shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedImage {
    /// The image.
    pub at: ImageAt,
    /// Accounts that were added, ascending.
    #[serde(default)]
    pub added: Vec<String>,
    /// Accounts that were removed, ascending.
    #[serde(default)]
    pub removed: Vec<String>,
    /// All accounts that it is shared with now, ascending.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Accounts that are not as asked for, because somebody else changed them meanwhile, ascending.
    #[serde(default)]
    pub drift: Vec<String>,
}

/// Result of an operation of kind `share`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareResult {
    /// One per image that the change reached: the image itself first, then its copies.
    pub images: Vec<SharedImage>,
}
