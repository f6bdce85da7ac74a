//! Codes of the calls that copy images, and of the route over snapshots.

use sampan_cloud::CallClass::{Busy, Caller, Credentials, NotFound, Permission, Quota, Transient};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const COPY_IMAGE: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidDescription.Malformed",
            "InvalidImageName.Malformed",
            "InvalidImageName.Duplicated",
            "InvalidParameter.EncryptedIllegal",
            "InvalidEncrypted.NotMatchKmsKeyId",
            "InvalidEncrypted.NotMatchEncryptAlgorithm",
            "InvalidEncryptAlgorithm",
            "OperationDenied.CommunityImage",
            "InvalidParameter.KmsNotEnabled",
            "RegionNotSupportCopy",
            "InvalidSnapshot.TooOld",
            "OperationDenied",
            "IncorrectDestinationRegion",
            "OperationDeined.EncryptedSnapshot",
            "OperationDenied.EncryptSnapshotAcrossRegion",
            "OperationDenied.SameRegionOnly",
            "OperationDenied.NotPublished",
            "OperationDenied.NotAuthorized",
            "InvalidParameter.KMSKeyId.CMKNotEnabled",
            "InvalidParameter.DataEncryptedKeyCreateFailed",
            "InvalidRegionId.NotSupportEncryptAlgorithm",
            "InvalidEncrypted.NotMatchDiskDefaultEncryption",
            "OperationDenied.NonCompliantDestinationRegion",
            "SizeExceed.Image",
            "InvalidOperation.VhdImageUnsupported",
            "InvalidOperation.CloudBoxImageCopyUnsupported",
        ],
    ),
    row(
        Caller,
        Reason::RegionUnsupported,
        &[
            "SourceRegion.NotFound",
            "DestinationRegion.NotFound",
            "InvalidRegion.NotSupport",
        ],
    ),
    row(Caller, Reason::ImageNotReady, &["IncorrectImageStatus"]),
    row(Caller, Reason::CloudAccountBlocked, &["Account.Arrearage"]),
    row(
        NotFound,
        Reason::CloudRefused,
        &[
            "InvalidSnapshotId.NotFound",
            "InvalidParameter.KMSKeyId.NotFound",
            "InvalidResourceGroup.NotFound",
        ],
    ),
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(
        Busy,
        Reason::CloudBusy,
        &[
            "OperationDenied.ImageCopyConflict",
            "OperationDenied.ImageCopying",
            "InvalidOperation.Conflict",
        ],
    ),
    row(Credentials, Reason::CloudCredentialsRejected, &["InvalidAliUid.IsNull"]),
    row(
        Permission,
        Reason::CloudPermissionDenied,
        &[
            "Forbbiden",
            "InvalidParameter.KMSKeyId.KMSUnauthorized",
            "InvalidParameter.KMSKeyId.CMKUnauthorized",
            "OperationDenied.KmsServiceUnauthorized",
            "UserNotInTheWhiteList",
        ],
    ),
    row(
        Quota,
        Reason::CloudQuotaSpent,
        &["QuotaExceed.Image", "QuotaExceed.Snapshot"],
    ),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const CANCEL_COPY_IMAGE: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "ImageCreatedNotFromCopy",
            "CancelNotSupported",
            "InvalidDescription.Malformed",
        ],
    ),
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
            "Duplicate.TagKey",
            "InvalidTagKey.Malformed",
            "InvalidTagValue.Malformed",
            "InvalidParameter.Arns",
            "InvalidSnapshotName.Malformed",
            "InvalidDescription.Malformed",
            "InvalidRetentionDays.Malformed",
            "InvalidEncryptAlgorithm",
            "InvalidEncrypted.NotMatchKmsKeyId",
            "InvalidEncrypted.NotMatchEncryptAlgorithm",
            "InvalidOperation.NotSupportCopyInSameRegion",
            "InvalidKMSKeyId.NotSymmetric",
            "InvalidParameterDestinationStorageLocationArn.*",
            "InvalidSnapshotId.NotReady",
            "InvalidSnapshotId.EncryptedNotSupport",
            "InvalidSnapshot.EncryptedNotSupported",
            "InvalidSnapshotCategory.NotSupportCopy",
            "InvalidSnapshotCategory.NotSupportCrossRegionCopy",
            "InvalidSnapshotCategory.NotSupportEncryptedCopy",
            "OperationDenied.SnapshotCategoryNotSupportCopy",
            "InvalidSnapshot.StorageLocationNotSupported",
            "InvalidEncrypted.NotSupportDecrypt",
            "InvalidRegionId.NotSupportedEncryptedSnapshotCopy",
            "InvalidRegionId.NotSupportEncryptAlgorithm",
            "InvalidParameter.KmsNotEnabled",
            "KMSKeyId.*",
            "InvalidParameter.KMSKeyId.*",
            "DataEncryptedKeyCreateFailed",
            "InvalidAccountStatus.SnapshotServiceUnavailable",
            "OperationDenied.NonCompliantDestinationRegion",
        ],
    ),
    row(
        Caller,
        Reason::RegionUnsupported,
        &[
            "InvalidRegionId.MalFormed",
            "InvalidRegionId.NotExists",
            "InvalidRegion.NotSupport",
        ],
    ),
    row(
        NotFound,
        Reason::CloudRefused,
        &["InvalidSnapshotId.NotFound", "InvalidParameter.KMSKeyId.NotFound"],
    ),
    row(
        Caller,
        Reason::CloudAccountBlocked,
        &["InvalidAccountStatus.NotEnoughBalance"],
    ),
    row(
        Permission,
        Reason::CloudPermissionDenied,
        &["InvalidUser.NotInWhiteList", "InvalidOperation.Unauthorized"],
    ),
    row(Quota, Reason::CloudQuotaSpent, &["QuotaExceed.SnapshotQuota"]),
    row(
        Busy,
        Reason::CloudBusy,
        &[
            "InvalidOperation.UnfinishedCrossRegionCopy",
            "InvalidOperation.UnfinishedEncryptedSnapshotCopy",
            "InvalidOperation.Conflict",
        ],
    ),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const CREATE_IMAGE: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidImageName.Duplicated",
            "InvalidImageName.Malformed",
            "InvalidDevice.Malformed",
            "InvalidDevice.InUse",
            "InvalidSize.ValueNotSupported",
            "InvalidDiskType.ValueNotSupported",
            "InvalidArchitecture.Malformed",
            "InvalidPlatform.Malformed",
            "InvalidBootMode.NotSupport",
            "InvalidParameter.AllEmpty",
            "Duplicate.TagKey",
            "InvalidTagKey.Malformed",
            "InvalidTagValue.Malformed",
            "MissingParameter",
            "OperationDenied",
            "IdempotenceParamNotMatch",
            "InvalidParamter.Conflict",
            "InvalidSnapshot.TooOld",
            "OperationDenied.InvalidSnapshotCategory",
            "InvalidSnapshotCategory.NotSupportImageCreation",
            "InvalidSystemSnapshot.Missing",
            "KMSKeyId.*",
        ],
    ),
    // Refused until the snapshots and disks behind the image are done.
    row(
        Busy,
        Reason::CloudBusy,
        &[
            "InvalidSnapshotId.NotReady",
            "SnapshotNotReady",
            "IncorrectDiskStatus.*",
            "TooManySnapshot.Unfinished",
        ],
    ),
    row(Permission, Reason::CloudPermissionDenied, &["UserNotInTheWhiteList"]),
    row(
        Quota,
        Reason::CloudQuotaSpent,
        &[
            "QuotaExceed.Image",
            "QuotaExceed.Snapshot",
            "QuotaExceed.Tags",
            "QuotaExceed.ConcurrentSnapshotQuota",
            "ImageQuotaExceed.ImageFamily",
            "ImageFamilyQuotaExceed",
        ],
    ),
    row(
        NotFound,
        Reason::CloudRefused,
        &[
            "InvalidSnapshotId.NotFound",
            "InvalidInstanceId.NotFound",
            "InvalidResourceGroup.NotFound",
        ],
    ),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];
