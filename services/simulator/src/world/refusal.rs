//! Names the reasons for which a cloud refuses an export.

use sampan_core::{DiskRole, ImageFormat};
use serde::Serialize;

use super::image::Origin;

/// Why a cloud refuses an export; the vendor modules map it to codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum ExportRefusal {
    /// The account has no such image in the region.
    #[error("image {image} is not found in the region")]
    ImageNotFound {
        /// Image id.
        image: String,
    },
    /// Its origin forbids an export: public, shared or marketplace.
    #[error("image {image} is not the account's own work")]
    Origin {
        /// Image id.
        image: String,
        /// Where it comes from.
        origin: Origin,
    },
    /// A system of Microsoft.
    #[error("image {image} holds Windows")]
    Windows {
        /// Image id.
        image: String,
    },
    /// A system of Red Hat; refused by Tencent alone.
    #[error("image {image} holds Red Hat")]
    RedHat {
        /// Image id.
        image: String,
    },
    /// Its snapshots are encrypted.
    #[error("image {image} is encrypted")]
    Encrypted {
        /// Image id.
        image: String,
    },
    /// It is being made, or could not be made.
    #[error("image {image} is not ready")]
    NotReady {
        /// Image id.
        image: String,
    },
    /// A disk is larger than the cloud exports.
    #[error("disk {device} of image {image} has {size_gib} GiB; {limit_gib} are allowed")]
    DiskTooLarge {
        /// Image id.
        image: String,
        /// Device path.
        device: String,
        /// What it is to the machine.
        role: DiskRole,
        /// Its size.
        size_gib: u64,
        /// The limit.
        limit_gib: u64,
    },
    /// More data disks than the cloud exports.
    #[error("image {image} has {count} data disks; {limit} are allowed")]
    TooManyDataDisks {
        /// Image id.
        image: String,
        /// How many it has.
        count: u32,
        /// The limit.
        limit: u32,
    },
    /// The region exports in RAW only.
    #[error("the region does not export {format}")]
    FormatNotInRegion {
        /// The format that was asked for.
        format: ImageFormat,
    },
    /// No bucket of that name belongs to the account.
    #[error("bucket {bucket} does not exist")]
    BucketAbsent {
        /// Bucket name.
        bucket: String,
    },
    /// The bucket belongs to another account.
    #[error("bucket {bucket} belongs to another account")]
    BucketForeign {
        /// Bucket name.
        bucket: String,
    },
    /// The bucket lies in another region.
    #[error("bucket {bucket} is in {region}")]
    BucketElsewhere {
        /// Bucket name.
        bucket: String,
        /// Where it is.
        region: String,
    },
    /// The bucket encrypts on the server's side; refused by Alibaba alone.
    #[error("bucket {bucket} encrypts its objects")]
    BucketEncrypted {
        /// Bucket name.
        bucket: String,
    },
    /// The image service may not write to the bucket.
    #[error("bucket {bucket} may not be written to")]
    BucketNotWritable {
        /// Bucket name.
        bucket: String,
    },
    /// The account has no such role for the image service.
    #[error("role {role} does not exist")]
    RoleMissing {
        /// Role name.
        role: String,
    },
    /// The account is not enabled for exports.
    #[error("the account is not enabled for exports")]
    NotEnabled,
    /// An export of the image runs already.
    #[error("image {image} is being exported")]
    AlreadyExporting {
        /// Image id.
        image: String,
    },
    /// Too many exports run in the region.
    #[error("{running} exports are running; {limit} are allowed")]
    TooManyRunning {
        /// How many run.
        running: u32,
        /// The limit.
        limit: u32,
    },
    /// The account's mutating calls of the day are used up in the region.
    #[error("the {limit} image operations of {day} are used up")]
    DailyOperationsUsedUp {
        /// The limit.
        limit: u32,
        /// The calendar day of UTC+8.
        day: String,
    },
}
