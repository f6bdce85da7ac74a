//! The results that operations leave in their records, by kind.

use jiff::Timestamp;
use sampan_core::{DiskRole, ImageFormat};
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
}
