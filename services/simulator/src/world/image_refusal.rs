//! Names the reasons for which a cloud refuses to copy, share, make or delete images and snapshots.

use serde::Serialize;

use super::image::Origin;

/// Why a cloud refuses; the vendor modules map it to codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum ImageRefusal {
    /// The account sees no such image in the region.
    #[error("image {image} is not found in the region")]
    ImageNotFound {
        /// Image id.
        image: String,
    },
    /// It is shared with the account, which may not do this with it.
    #[error("image {image} belongs to another account")]
    NotOwner {
        /// Image id.
        image: String,
    },
    /// The cloud provides it for everybody.
    #[error("image {image} is provided by the cloud ({origin:?})")]
    Origin {
        /// Image id.
        image: String,
        /// Where it comes from.
        origin: Origin,
    },
    /// It is being made, failed, or out of use.
    #[error("image {image} is not ready")]
    NotReady {
        /// Image id.
        image: String,
    },
    /// It is kept, but not to be used any more.
    #[error("image {image} is deprecated")]
    Deprecated {
        /// Image id.
        image: String,
    },
    /// It is being made of snapshots.
    #[error("image {image} is being made")]
    Unfinished {
        /// Image id.
        image: String,
    },
    /// An unfinished copy reads or makes it.
    #[error("image {image} is being copied")]
    BeingCopied {
        /// Image id.
        image: String,
    },
    /// An export of it runs.
    #[error("image {image} is being exported")]
    BeingExported {
        /// Image id.
        image: String,
    },
    /// It holds a licence that the account has brought; Tencent alone.
    #[error("the account has brought the licence of image {image} itself")]
    OwnLicence {
        /// Image id.
        image: String,
    },
    /// Others may use it.
    #[error("image {image} is shared with other accounts")]
    SharedOut {
        /// Image id.
        image: String,
    },
    /// Machines run from it; Alibaba alone.
    #[error("image {image} is used by machines")]
    InUse {
        /// Image id.
        image: String,
    },
    /// It is encrypted, and would not stay so.
    #[error("image {image} is encrypted")]
    Encrypted {
        /// Image id.
        image: String,
    },
    /// It cannot become an encrypted one.
    #[error("image {image} cannot be encrypted by a copy")]
    NotEncryptable {
        /// Image id.
        image: String,
    },
    /// A plain image becomes an encrypted one in its own region only.
    #[error("image {image} can be encrypted in its own region only")]
    EncryptionAcrossRegions {
        /// Image id.
        image: String,
    },
    /// The account has no such key.
    #[error("key {key} is not found")]
    KeyUnknown {
        /// Key id.
        key: String,
    },
    /// The key is switched off.
    #[error("key {key} is switched off")]
    KeyDisabled {
        /// Key id.
        key: String,
    },
    /// The account does not use the key service.
    #[error("the key service is not switched on")]
    KmsOff,
    /// It has data disks, and the account may not do this with such images.
    #[error("image {image} has data disks")]
    DataDisks {
        /// Image id.
        image: String,
    },
    /// It is larger than what is copied as a whole.
    #[error("image {image} has {size_gib} GiB; {limit_gib} are allowed")]
    TooLarge {
        /// Image id.
        image: String,
        /// Its size.
        size_gib: u64,
        /// The limit.
        limit_gib: u64,
    },
    /// The two regions do not copy to each other.
    #[error("images are not copied from {from} to {to}")]
    RegionPair {
        /// Region of the source.
        from: String,
        /// The destination.
        to: String,
    },
    /// The destination takes no copies at all.
    #[error("region {region} takes no copies")]
    RegionUnavailable {
        /// Region code.
        region: String,
    },
    /// The copy would change nothing.
    #[error("{region} is the image's own region")]
    SameRegion {
        /// Region code.
        region: String,
    },
    /// A received image stays in its region.
    #[error("a shared image is copied within its own region only, not to {region}")]
    SharedElsewhere {
        /// Region code.
        region: String,
    },
    /// An image of the account has the name.
    #[error("an image named {name} exists in {region}")]
    NameTaken {
        /// The name.
        name: String,
        /// Region code.
        region: String,
    },
    /// No further image fits into the region.
    #[error("{region} holds as many images as are allowed: {limit}")]
    ImageQuota {
        /// Region code.
        region: String,
        /// The limit.
        limit: u32,
    },
    /// No further snapshot fits into the region.
    #[error("{region} holds as many snapshots as are allowed: {limit}")]
    SnapshotQuota {
        /// Region code.
        region: String,
        /// The limit.
        limit: u32,
    },
    /// The account has no such resource group.
    #[error("resource group {group} is not found")]
    ResourceGroupUnknown {
        /// Resource group id.
        group: String,
    },
    /// Another call was accepted with the client token.
    #[error("the client token was used with other parameters")]
    TokenReused,
    /// The account's mutating calls of the day are used up in the region.
    #[error("the {limit} image operations of {day} are used up")]
    DailyOperationsUsedUp {
        /// The limit.
        limit: u32,
        /// The calendar day of UTC+8.
        day: String,
    },
    /// Nobody has the number.
    #[error("account {account} does not exist")]
    AccountUnknown {
        /// Account number.
        account: String,
    },
    /// The number is the caller's own.
    #[error("account {account} is the caller")]
    AccountIsSelf {
        /// Account number.
        account: String,
    },
    /// The number is not that of a root account.
    #[error("account {account} is a user below a root account")]
    AccountIsSub {
        /// Account number.
        account: String,
    },
    /// The number is one of the vendor's other site.
    #[error("account {account} is of another site")]
    AccountOfOtherSite {
        /// Account number.
        account: String,
    },
    /// The account may use it already; Tencent alone.
    #[error("the image is shared with account {account} already")]
    AccountHasIt {
        /// Account number.
        account: String,
    },
    /// No further account fits.
    #[error("an image is shared with at most {limit} accounts")]
    ShareQuota {
        /// The limit.
        limit: u32,
    },
    /// No further image may be shared.
    #[error("at most {limit} images are shared at once")]
    SharedImagesQuota {
        /// The limit.
        limit: u32,
    },
    /// It would have to be encrypted by a key of the account.
    #[error("image {image} is encrypted by the cloud's own key")]
    ServiceKey {
        /// Image id.
        image: String,
    },
    /// Only one encrypted snapshot can be shared.
    #[error("image {image} is encrypted and has several snapshots")]
    SeveralEncrypted {
        /// Image id.
        image: String,
    },
    /// The account lacks the role that shares encrypted images.
    #[error("the role for sharing encrypted images is missing")]
    ShareRoleMissing,
    /// There is no copy to cancel.
    #[error("image {image} is no copy")]
    NotACopy {
        /// Image id.
        image: String,
    },
    /// The copy is finished or failed.
    #[error("the copy {image} has ended")]
    CopyEnded {
        /// Image id.
        image: String,
    },
    /// The cloud does not cancel this copy.
    #[error("the copy {image} cannot be cancelled")]
    CancelOff {
        /// Image id.
        image: String,
    },
    /// The account has no such snapshot in the region.
    #[error("snapshot {snapshot} is not found in the region")]
    SnapshotNotFound {
        /// Snapshot id.
        snapshot: String,
    },
    /// It is being made, or failed.
    #[error("snapshot {snapshot} is not ready")]
    SnapshotNotReady {
        /// Snapshot id.
        snapshot: String,
    },
    /// It is encrypted, and would not stay so.
    #[error("snapshot {snapshot} is encrypted")]
    SnapshotEncrypted {
        /// Snapshot id.
        snapshot: String,
    },
    /// One copy of a disk to a region at a time.
    #[error("a copy of the disk of snapshot {snapshot} to {region} is under way")]
    SnapshotBeingCopied {
        /// Snapshot id.
        snapshot: String,
        /// Region code.
        region: String,
    },
    /// An image needs it.
    #[error("snapshot {snapshot} is used by image {image}")]
    SnapshotUsed {
        /// Snapshot id.
        snapshot: String,
        /// Image id.
        image: String,
    },
    /// An image needs one.
    #[error("none of the snapshots is of a system disk")]
    NoSystemSnapshot,
    /// An image has one.
    #[error("several of the snapshots are of system disks")]
    SystemSnapshots,
    /// The snapshot does not fit.
    #[error("the disk of snapshot {snapshot} needs {least_gib} GiB")]
    DiskTooSmall {
        /// Snapshot id.
        snapshot: String,
        /// Its size.
        least_gib: u64,
    },
    /// The snapshot is not known as a system disk's; Alibaba alone.
    #[error("platform and architecture are needed for snapshot {snapshot}")]
    PlatformNeeded {
        /// Snapshot id.
        snapshot: String,
    },
}
