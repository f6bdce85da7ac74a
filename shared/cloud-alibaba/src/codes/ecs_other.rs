//! Codes of the remaining ECS actions: descriptions, deletions and import.
//!
//! A wrong filter value comes with status 404 and is still the caller's mistake.

use sampan_cloud::CallClass::{Busy, Caller, NotFound, Permission, Transient};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const DESCRIBE_IMAGES: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidImageOwnerAlias.ValueNotSupported",
            "InvalidParamter",
            "InvalidTag.Mismatch",
            "InvalidTagCount",
            "InvalidInstanceType.ValueNotSupported",
            "InvalidFilterValue.NetworkType",
            "InvalidOperation.ImageOwnerIdUnsupported",
            "InvalidImageOwnerAlias.PublicImageUnsupported",
            "CurrentAccount.NotSupportPublicImage",
            "InvalidFilterKey.NotFound",
            "InvalidFilterValue",
            "InvalidUsage",
            "InvalidOSType",
            "InvalidArchitecture",
        ],
    ),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const DESCRIBE_SNAPSHOTS: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidTag.Mismatch",
            "InvalidTagCount",
            "InvalidSnapshotIds.Malformed",
            "InvalidSnapshotCategory.Malformed",
            "InvalidFilterKey.NotFound",
            "InvalidFilterValue",
            "InvalidUsage",
            "InvalidSourceDiskType",
            "InvalidStatus.NotFound",
            "InvalidSnapshotType.NotFound",
            "InvalidSnapshotLinkId.NotFound",
        ],
    ),
    row(Transient, Reason::CloudUnavailable, &["InternalError"]),
];

pub(super) const DELETE_IMAGE: &[Row] = &[
    row(Caller, Reason::ImageInUse, &["ImageUsingByInstance"]),
    row(Caller, Reason::ImageStillShared, &["ImageUseShared", "ImageIsPublic"]),
    row(Busy, Reason::CopyAlreadyRunning, &["OperationDenied.ImageCopying"]),
    row(Busy, Reason::CloudBusy, &["ImageIsImporting"]),
    row(Busy, Reason::ExportAlreadyRunning, &["ImageIsExporting"]),
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
];

pub(super) const DELETE_SNAPSHOT: &[Row] = &[
    row(Caller, Reason::CloudRefused, &["MissingParameter"]),
    row(Caller, Reason::SnapshotInUse, &["SnapshotCreatedImage", "SnapshotCreatedDisk"]),
    row(Busy, Reason::CloudBusy, &["IncorrectDiskStatus.CreatingSnapshot"]),
    // The page says that one that is not there is ignored.
    row(NotFound, Reason::SnapshotNotFound, &["InvalidSnapshotId.NotFound"]),
];

pub(super) const IMPORT_IMAGE: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "UnsupportedSuffix.OSSObject",
            "InvalidOSSObject.Malformed",
            "InvalidOSSObject.Size",
            "InvalidOSSObject.NeedRestore",
            "InvalidOSSBucket.Malformed",
            "InvalidOSSBucket.NotMatched",
            "InvalidImageSize",
            "InvalidDataDiskSize",
            "InvalidImageFormat.*",
            "InvalidLicenseType.*",
            "InvalidClientToken.Malformed",
            "InvalidBlockSize.NotSupport",
            "InvalidVHDImage.IncorrectSize",
            "InvalidArchitecture.PlatformUnsupported",
            "ImportImageFailed",
            // Success of a trial run, told as an error: nothing was imported.
            "DRYRUN.SUCCESS",
        ],
    ),
    row(NotFound, Reason::CloudRefused, &["InvalidOSSObject.NotFound"]),
    row(NotFound, Reason::BucketNotFound, &["InvalidOSSBucket.NotFound"]),
    row(Caller, Reason::BucketEncrypted, &["InvalidOSSBucket.EncryptUnsupported"]),
    row(Busy, Reason::CloudBusy, &["ImageIsImporting", "InvalidOSSBucket.FlowLimit"]),
    row(Caller, Reason::ImageNameTaken, &["InvalidImageName.Duplicated"]),
    row(Caller, Reason::DestinationFull, &["QuotaExceed.Image"]),
    row(Permission, Reason::CloudPermissionDenied, &["UserNotInTheWhiteList", "InvalidOSS.NotAuthorized"]),
    row(Caller, Reason::CloudRefused, &["NoSetRoletoECSServiceAcount"]),
];

pub(super) const DESCRIBE_REGIONS: &[Row] = &[
    row(Permission, Reason::CloudPermissionDenied, &["Unauthorized.EmptyRegion"]),
    row(
        Caller,
        Reason::CloudRefused,
        &["InvalidAcceptLanguage.NotFound", "InvalidResourceType.NotFound", "InvalidPayMethod"],
    ),
];
