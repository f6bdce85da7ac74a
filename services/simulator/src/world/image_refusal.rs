//! Names the reasons for which a cloud refuses to copy, share, make or delete images and snapshots.

use serde::Serialize;

use super::image::Origin;

/// Why a cloud refuses; the vendor modules map it to codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[expect(missing_docs, reason = "each text says what happened, and the fields are the words of that text")]
pub enum ImageRefusal {
    #[error("image {image} is not found in the region")]
    ImageNotFound { image: String },
    #[error("image {image} belongs to another account")]
    NotOwner { image: String },
    #[error("image {image} is provided by the cloud ({origin:?})")]
    Origin { image: String, origin: Origin },
    #[error("image {image} is not ready")]
    NotReady { image: String },
    #[error("image {image} is deprecated")]
    Deprecated { image: String },
    #[error("image {image} is being made")]
    Unfinished { image: String },
    #[error("image {image} is being copied")]
    BeingCopied { image: String },
    #[error("image {image} is being exported")]
    BeingExported { image: String },
    #[error("the account has brought the licence of image {image} itself")]
    OwnLicence { image: String },
    #[error("image {image} is shared with other accounts")]
    SharedOut { image: String },
    #[error("image {image} is used by machines")]
    InUse { image: String },
    #[error("image {image} is encrypted")]
    Encrypted { image: String },
    #[error("image {image} cannot be encrypted by a copy")]
    NotEncryptable { image: String },
    #[error("image {image} can be encrypted in its own region only")]
    EncryptionAcrossRegions { image: String },
    #[error("key {key} is not found")]
    KeyUnknown { key: String },
    #[error("key {key} is switched off")]
    KeyDisabled { key: String },
    #[error("the key service is not switched on")]
    KmsOff,
    #[error("image {image} has data disks")]
    DataDisks { image: String },
    #[error("image {image} has {size_gib} GiB; {limit_gib} are allowed")]
    TooLarge { image: String, size_gib: u64, limit_gib: u64 },
    #[error("images are not copied from {from} to {to}")]
    RegionPair { from: String, to: String },
    #[error("region {region} takes no copies")]
    RegionUnavailable { region: String },
    #[error("{region} is the image's own region")]
    SameRegion { region: String },
    #[error("a shared image is copied within its own region only, not to {region}")]
    SharedElsewhere { region: String },
    #[error("an image named {name} exists in {region}")]
    NameTaken { name: String, region: String },
    #[error("{region} holds as many images as are allowed: {limit}")]
    ImageQuota { region: String, limit: u32 },
    #[error("{region} holds as many snapshots as are allowed: {limit}")]
    SnapshotQuota { region: String, limit: u32 },
    #[error("resource group {group} is not found")]
    ResourceGroupUnknown { group: String },
    #[error("the client token was used with other parameters")]
    TokenReused,
    #[error("the {limit} image operations of {day} are used up")]
    DailyOperationsUsedUp { limit: u32, day: String },
    #[error("account {account} does not exist")]
    AccountUnknown { account: String },
    #[error("account {account} is the caller")]
    AccountIsSelf { account: String },
    #[error("account {account} is a user below a root account")]
    AccountIsSub { account: String },
    #[error("account {account} is of another site")]
    AccountOfOtherSite { account: String },
    #[error("the image is shared with account {account} already")]
    AccountHasIt { account: String },
    #[error("an image is shared with at most {limit} accounts")]
    ShareQuota { limit: u32 },
    #[error("at most {limit} images are shared at once")]
    SharedImagesQuota { limit: u32 },
    #[error("image {image} is encrypted by the cloud's own key")]
    ServiceKey { image: String },
    #[error("image {image} is encrypted and has several snapshots")]
    SeveralEncrypted { image: String },
    #[error("the role for sharing encrypted images is missing")]
    ShareRoleMissing,
    #[error("image {image} is no copy")]
    NotACopy { image: String },
    #[error("the copy {image} has ended")]
    CopyEnded { image: String },
    #[error("the copy {image} cannot be cancelled")]
    CancelOff { image: String },
    #[error("snapshot {snapshot} is not found in the region")]
    SnapshotNotFound { snapshot: String },
    #[error("snapshot {snapshot} is not ready")]
    SnapshotNotReady { snapshot: String },
    #[error("snapshot {snapshot} is encrypted")]
    SnapshotEncrypted { snapshot: String },
    #[error("a copy of the disk of snapshot {snapshot} to {region} is under way")]
    SnapshotBeingCopied { snapshot: String, region: String },
    #[error("snapshot {snapshot} is used by image {image}")]
    SnapshotUsed { snapshot: String, image: String },
    #[error("none of the snapshots is of a system disk")]
    NoSystemSnapshot,
    #[error("several of the snapshots are of system disks")]
    SystemSnapshots,
    #[error("the disk of snapshot {snapshot} needs {least_gib} GiB")]
    DiskTooSmall { snapshot: String, least_gib: u64 },
    #[error("platform and architecture are needed for snapshot {snapshot}")]
    PlatformNeeded { snapshot: String },
}
