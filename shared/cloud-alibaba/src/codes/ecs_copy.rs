//! Codes of the calls that copy images, and of the route over snapshots.
//!
//! A destination that is full is no quota of the day: it refuses one target and says nothing about the others.

use sampan_cloud::CallClass::{Busy, Caller, Credentials, NotFound, Permission, Transient};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const COPY_IMAGE: &[Row] = &[
    // The texts of the call
    row(Caller, Reason::DescriptionMalformed, &["InvalidDescription.Malformed"]),
    row(Caller, Reason::ImageNameMalformed, &["InvalidImageName.Malformed"]),
    row(Caller, Reason::ImageNameTaken, &["InvalidImageName.Duplicated"]),
    row(NotFound, Reason::ResourceGroupNotFound, &["InvalidResourceGroup.NotFound"]),
    // Where from and where to
    row(Caller, Reason::RegionUnsupported, &["SourceRegion.NotFound", "DestinationRegion.NotFound"]),
    row(
        Caller,
        Reason::RegionPairUnsupported,
        &["RegionNotSupportCopy", "OperationDenied.NonCompliantDestinationRegion"],
    ),
    row(Caller, Reason::DestinationIsSource, &["IncorrectDestinationRegion"]),
    row(Caller, Reason::DestinationFull, &["QuotaExceed.Image"]),
    row(Caller, Reason::SnapshotsFull, &["QuotaExceed.Snapshot"]),
    // The image
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(NotFound, Reason::SnapshotNotFound, &["InvalidSnapshotId.NotFound"]),
    row(Caller, Reason::ImageNotReady, &["IncorrectImageStatus"]),
    row(Caller, Reason::ImageTooLargeToCopy, &["SizeExceed.Image"]),
    row(Caller, Reason::ImageSharedToYou, &["OperationDenied.SameRegionOnly"]),
    row(Caller, Reason::ImageFromMarketplace, &["OperationDenied.NotPublished", "OperationDenied.NotAuthorized"]),
    row(
        Caller,
        Reason::ImageNotCopyable,
        &[
            "OperationDenied",
            "OperationDenied.CommunityImage",
            "InvalidSnapshot.TooOld",
            "InvalidOperation.VhdImageUnsupported",
            "InvalidOperation.CloudBoxImageCopyUnsupported",
        ],
    ),
    row(Busy, Reason::CopyAlreadyRunning, &["OperationDenied.ImageCopyConflict", "OperationDenied.ImageCopying"]),
    row(Busy, Reason::CloudBusy, &["InvalidOperation.Conflict"]),
    // Encryption
    row(
        Caller,
        Reason::EncryptionMalformed,
        &[
            "InvalidParameter.EncryptedIllegal",
            "InvalidEncrypted.NotMatchKmsKeyId",
            "InvalidEncrypted.NotMatchEncryptAlgorithm",
            "InvalidEncryptAlgorithm",
        ],
    ),
    row(
        Caller,
        Reason::EncryptionRefused,
        &[
            "OperationDeined.EncryptedSnapshot",
            "OperationDenied.EncryptSnapshotAcrossRegion",
            "InvalidRegionId.NotSupportEncryptAlgorithm",
            "InvalidEncrypted.NotMatchDiskDefaultEncryption",
            // Keys of one's own are not to be had there.
            "InvalidRegion.NotSupport",
        ],
    ),
    row(Caller, Reason::KmsNotEnabled, &["InvalidParameter.KmsNotEnabled"]),
    row(NotFound, Reason::KmsKeyRefused, &["InvalidParameter.KMSKeyId.NotFound"]),
    row(
        Caller,
        Reason::KmsKeyRefused,
        &["InvalidParameter.KMSKeyId.CMKNotEnabled", "InvalidParameter.DataEncryptedKeyCreateFailed"],
    ),
    row(
        Permission,
        Reason::KmsKeyRefused,
        &[
            "InvalidParameter.KMSKeyId.KMSUnauthorized",
            "InvalidParameter.KMSKeyId.CMKUnauthorized",
            "OperationDenied.KmsServiceUnauthorized",
        ],
    ),
    // Who asks
    row(Caller, Reason::CloudAccountBlocked, &["Account.Arrearage"]),
    row(Credentials, Reason::CloudCredentialsRejected, &["InvalidAliUid.IsNull"]),
    row(Permission, Reason::CloudPermissionDenied, &["Forbbiden", "UserNotInTheWhiteList"]),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const CANCEL_COPY_IMAGE: &[Row] = &[
    row(Caller, Reason::CloudRefused, &["ImageCreatedNotFromCopy", "CancelNotSupported"]),
    row(Caller, Reason::DescriptionMalformed, &["InvalidDescription.Malformed"]),
    // Not being copied, or the copy has ended.
    row(Caller, Reason::OperationFinished, &["IncorrectImageStatus"]),
    row(Caller, Reason::RegionUnsupported, &["InvalidRegionId.NotFound"]),
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const COPY_SNAPSHOT: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidParameter.Arns",
            "InvalidSnapshotName.Malformed",
            "InvalidRetentionDays.Malformed",
            "InvalidParameterDestinationStorageLocationArn.*",
        ],
    ),
    row(Caller, Reason::DescriptionMalformed, &["InvalidDescription.Malformed"]),
    row(Caller, Reason::TagMalformed, &["Duplicate.TagKey", "InvalidTagKey.Malformed", "InvalidTagValue.Malformed"]),
    // Where from and where to
    row(
        Caller,
        Reason::RegionUnsupported,
        &["InvalidRegionId.MalFormed", "InvalidRegionId.NotExists", "InvalidRegion.NotSupport"],
    ),
    row(Caller, Reason::DestinationIsSource, &["InvalidOperation.NotSupportCopyInSameRegion"]),
    row(Caller, Reason::RegionPairUnsupported, &["OperationDenied.NonCompliantDestinationRegion"]),
    row(Caller, Reason::SnapshotsFull, &["QuotaExceed.SnapshotQuota"]),
    // The snapshot
    row(NotFound, Reason::SnapshotNotFound, &["InvalidSnapshotId.NotFound"]),
    // Refused until the snapshot is done.
    row(Busy, Reason::SnapshotNotReady, &["InvalidSnapshotId.NotReady"]),
    row(
        Caller,
        Reason::SnapshotNotCopyable,
        &[
            "InvalidSnapshotCategory.NotSupportCopy",
            "InvalidSnapshotCategory.NotSupportCrossRegionCopy",
            "OperationDenied.SnapshotCategoryNotSupportCopy",
            "InvalidSnapshot.StorageLocationNotSupported",
        ],
    ),
    // One copy of a disk's snapshots and destination at a time.
    row(
        Busy,
        Reason::CopyAlreadyRunning,
        &["InvalidOperation.UnfinishedCrossRegionCopy", "InvalidOperation.UnfinishedEncryptedSnapshotCopy"],
    ),
    row(Busy, Reason::CloudBusy, &["InvalidOperation.Conflict"]),
    // Encryption
    row(
        Caller,
        Reason::EncryptionMalformed,
        &["InvalidEncryptAlgorithm", "InvalidEncrypted.NotMatchKmsKeyId", "InvalidEncrypted.NotMatchEncryptAlgorithm"],
    ),
    row(
        Caller,
        Reason::EncryptionRefused,
        &[
            "InvalidSnapshotId.EncryptedNotSupport",
            "InvalidSnapshot.EncryptedNotSupported",
            "InvalidSnapshotCategory.NotSupportEncryptedCopy",
            "InvalidEncrypted.NotSupportDecrypt",
            "InvalidRegionId.NotSupportedEncryptedSnapshotCopy",
            "InvalidRegionId.NotSupportEncryptAlgorithm",
        ],
    ),
    row(Caller, Reason::KmsNotEnabled, &["InvalidParameter.KmsNotEnabled"]),
    row(NotFound, Reason::KmsKeyRefused, &["InvalidParameter.KMSKeyId.NotFound"]),
    row(
        Caller,
        Reason::KmsKeyRefused,
        &["KMSKeyId.*", "InvalidParameter.KMSKeyId.*", "InvalidKMSKeyId.NotSymmetric", "DataEncryptedKeyCreateFailed"],
    ),
    // Who asks
    row(
        Caller,
        Reason::CloudAccountBlocked,
        &["InvalidAccountStatus.NotEnoughBalance", "InvalidAccountStatus.SnapshotServiceUnavailable"],
    ),
    row(Permission, Reason::CloudPermissionDenied, &["InvalidUser.NotInWhiteList", "InvalidOperation.Unauthorized"]),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const CREATE_IMAGE: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidDevice.Malformed",
            "InvalidDevice.InUse",
            "InvalidSize.ValueNotSupported",
            "InvalidDiskType.ValueNotSupported",
            "InvalidArchitecture.Malformed",
            "InvalidPlatform.Malformed",
            "InvalidBootMode.NotSupport",
            "InvalidParameter.AllEmpty",
            "MissingParameter",
            "IdempotenceParamNotMatch",
            "InvalidParamter.Conflict",
        ],
    ),
    row(Caller, Reason::ImageNameMalformed, &["InvalidImageName.Malformed"]),
    row(Caller, Reason::ImageNameTaken, &["InvalidImageName.Duplicated"]),
    row(Caller, Reason::TagMalformed, &["Duplicate.TagKey", "InvalidTagKey.Malformed", "InvalidTagValue.Malformed"]),
    row(NotFound, Reason::ResourceGroupNotFound, &["InvalidResourceGroup.NotFound"]),
    row(
        Caller,
        Reason::DestinationFull,
        &["QuotaExceed.Image", "ImageQuotaExceed.ImageFamily", "ImageFamilyQuotaExceed"],
    ),
    row(Caller, Reason::SnapshotsFull, &["QuotaExceed.Snapshot"]),
    row(Caller, Reason::TagsFull, &["QuotaExceed.Tags"]),
    // The snapshots
    row(NotFound, Reason::SnapshotNotFound, &["InvalidSnapshotId.NotFound"]),
    row(NotFound, Reason::CloudRefused, &["InvalidInstanceId.NotFound"]),
    row(
        Caller,
        Reason::SnapshotNotUsable,
        &[
            "OperationDenied",
            "OperationDenied.InvalidSnapshotCategory",
            "InvalidSnapshotCategory.NotSupportImageCreation",
            "InvalidSystemSnapshot.Missing",
            "InvalidSnapshot.TooOld",
        ],
    ),
    row(Caller, Reason::KmsKeyRefused, &["KMSKeyId.*"]),
    // Refused until the snapshots and disks behind the image are done.
    row(Busy, Reason::SnapshotNotReady, &["InvalidSnapshotId.NotReady", "SnapshotNotReady"]),
    row(
        Busy,
        Reason::CloudBusy,
        &["IncorrectDiskStatus.*", "TooManySnapshot.Unfinished", "QuotaExceed.ConcurrentSnapshotQuota"],
    ),
    row(Permission, Reason::CloudPermissionDenied, &["UserNotInTheWhiteList"]),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];
