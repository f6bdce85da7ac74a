//! Decides what each documented code of CVM, CBS, STS and COS permits, and under which reason it is told: the one
//! class table of this vendor.
//!
//! A code is matched in full, then by the part before its first dot, then it is unknown. What a lost answer means
//! is decided by the call stack.
//!
//! Sources: the error lists of the 2017-03-12 API in the vendor's Go SDK 1.3.166, the common error codes
//! (document 1388/114322) and the COS error codes (document 436/7730), all as of 2026-11-21.

use sampan_cloud::CallClass::{
    self, Busy, Caller, Credentials, NotFound, Permission, Quota, Throttled, Transient, UnknownOutcome,
};
use sampan_core::Reason;

/// The code by which a dry run may say that the call would have succeeded.
pub(crate) const DRY_RUN_SUCCESS: &str = "DryRunOperation";

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What the failure permits.
    pub class: CallClass,
    /// The reason that a caller of Sampan is told.
    pub reason: Reason,
    /// Whether credentials that are fetched anew may be accepted.
    pub renew_credentials: bool,
}

struct Row {
    meaning: Meaning,
    codes: &'static [&'static str],
}

const fn row(class: CallClass, reason: Reason, codes: &'static [&'static str]) -> Row {
    Row { meaning: Meaning { class, reason, renew_credentials: false }, codes }
}

/// Rows of refused temporary credentials: others may have been issued meanwhile.
const fn stale(codes: &'static [&'static str]) -> Row {
    let meaning = Meaning { class: Credentials, reason: Reason::CloudCredentialsRejected, renew_credentials: true };
    Row { meaning, codes }
}

/// Returns what a code of the API (CVM, CBS, STS) means; a code of an unknown family has an unknown outcome.
pub fn of_api(code: &str) -> Meaning {
    let family = code.split('.').next().unwrap_or(code);
    find(API, code).or_else(|| find(API, family)).unwrap_or(Meaning {
        class: UnknownOutcome,
        reason: Reason::CloudRefused,
        renew_credentials: false,
    })
}

/// Returns what an error answer of COS means.
///
/// - `code`: the code of its body; `None` for answers without one, as HEAD gets them.
/// - `status`: its HTTP status, which decides when the code is unknown.
pub fn of_cos(code: Option<&str>, status: u16) -> Meaning {
    if let Some(meaning) = code.and_then(|code| find(COS, code)) {
        return meaning;
    }
    let (class, reason) = match status {
        401 | 403 => (Permission, Reason::BucketNotAccessible),
        404 => (NotFound, Reason::CloudRefused),
        408 => (Transient, Reason::CloudUnavailable),
        429 => (Throttled, Reason::CloudThrottled),
        500.. => (Transient, Reason::CloudUnavailable),
        _ => (Caller, Reason::CloudRefused),
    };
    Meaning { class, reason, renew_credentials: false }
}

fn find(table: &[Row], code: &str) -> Option<Meaning> {
    table.iter().find(|row| row.codes.contains(&code)).map(|row| row.meaning)
}

const API: &[Row] = &[
    // The image
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(NotFound, Reason::ImageNotFound, &["InvalidParameter.SnapshotNotFound"]),
    row(Caller, Reason::ImageIdMalformed, &["InvalidImageId.Malformed"]),
    row(Caller, Reason::ImageNotReady, &["InvalidImageId.IncorrectState"]),
    row(
        Caller,
        Reason::ImageNotExportable,
        &["InvalidParameterValue.InvalidImageId", "InvalidParameterValue.InvalidImageOsName"],
    ),
    row(
        Caller,
        Reason::ImageDiskTooLarge,
        &["InvalidImageId.TooLarge", "UnsupportedOperation.ImageTooLargeExportUnsupported"],
    ),
    row(Caller, Reason::ImageFromMarketplace, &["UnsupportedOperation.MarketImageExportUnsupported"]),
    row(Caller, Reason::ImageNotCustom, &["UnsupportedOperation.PublicImageExportUnsupported"]),
    row(Caller, Reason::ImageRedHat, &["UnsupportedOperation.RedHatImageExportUnsupported"]),
    row(Caller, Reason::ImageWindows, &["UnsupportedOperation.WindowsImageExportUnsupported"]),
    row(
        Caller,
        Reason::ImageSharedToYou,
        &[
            "InvalidParameterValue.InvalidImageIdIsShared",
            "UnsupportedOperation.SharedImageExportUnsupported",
            "UnsupportedOperation.SharedImageModifyUnsupported",
        ],
    ),
    row(Permission, Reason::ImageSharedToYou, &["UnauthorizedOperation.ImageNotBelongToAccount"]),
    row(Caller, Reason::ImageEncrypted, &["UnsupportedOperation.EncryptedImagesNotSupported"]),
    // The bucket and what is written there
    row(NotFound, Reason::BucketNotFound, &["InvalidParameterValue.BucketNotFound"]),
    row(Permission, Reason::BucketNotWritable, &["InvalidParameterValue.InvalidBucketPermissionForExport"]),
    row(Permission, Reason::ExportRoleMissing, &["AuthFailure.CamRoleNameAuthenticateFailed"]),
    row(Caller, Reason::PrefixMalformed, &["InvalidParameterValue.InvalidFileNamePrefixList"]),
    // Quota, concurrency, faults
    row(
        Quota,
        Reason::CloudQuotaSpent,
        &[
            "ImageQuotaLimitExceeded",
            "InvalidParameterValue.TagQuotaLimitExceeded",
            "LimitExceeded",
            "LimitExceeded.PreheatImageSnapshotOutOfQuota",
            "OverQuota",
        ],
    ),
    row(Busy, Reason::ExportTasksFull, &["LimitExceeded.ExportImageTaskLimitExceeded"]),
    row(
        Busy,
        Reason::CloudBusy,
        &[
            "FailedOperation.InvalidImageState",
            "InvalidParameterValue.InvalidImageState",
            "MutexOperation",
            "MutexOperation.TaskRunning",
            "OperationDenied.InstanceOperationInProgress",
            "ResourceBusy",
            "ResourceInUse",
            "ResourceInUse.DiskRollbacking",
            "ResourceUnavailable.SnapshotCreating",
        ],
    ),
    row(Busy, Reason::CloudUnavailable, &["ResourceInsufficient", "ResourceUnavailable"]),
    row(Transient, Reason::CloudUnavailable, &["InternalError", "InternalServerError", "ServiceUnavailable"]),
    row(
        Throttled,
        Reason::CloudThrottled,
        &[
            "RequestLimitExceeded",
            "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
            "RequestLimitExceeded.IPLimitExceeded",
            "RequestLimitExceeded.UinLimitExceeded",
        ],
    ),
    // Who asks
    stale(&["AuthFailure.SecretIdNotFound", "AuthFailure.TokenFailure", "UnauthorizedOperation.InvalidToken"]),
    row(
        Credentials,
        Reason::CloudCredentialsRejected,
        &[
            "AuthFailure",
            "AuthFailure.InvalidAuthorization",
            "AuthFailure.InvalidSecretId",
            "AuthFailure.SignatureExpire",
            "AuthFailure.SignatureFailure",
        ],
    ),
    row(
        Permission,
        Reason::CloudPermissionDenied,
        &[
            "AuthFailure.MFAFailure",
            "AuthFailure.UnauthorizedOperation",
            "InvalidParameterValue.InvalidAppIdFormat",
            "IpInBlacklist",
            "IpNotInWhitelist",
            "OperationDenied",
            "OperationDenied.InnerUserProhibitAction",
            "UnauthorizedOperation",
            "UnauthorizedOperation.PermissionDenied",
        ],
    ),
    row(Caller, Reason::CloudAccountBlocked, &["InvalidAccount.InsufficientBalance"]),
    // Where
    row(
        Caller,
        Reason::RegionUnsupported,
        &[
            "InvalidParameterValue.InvalidRegion",
            "InvalidRegion",
            "InvalidRegion.NotFound",
            "InvalidRegion.Unavailable",
            "RegionAbilityLimit",
            "RegionAbilityLimit.UnsupportedToImportImage",
            "UnsupportedOperation.Region",
            "UnsupportedRegion",
        ],
    ),
    // Everything else that is named and cannot be helped by asking again
    row(
        NotFound,
        Reason::CloudRefused,
        &["InvalidAccountId.NotFound", "InvalidInstanceId.NotFound", "ResourceNotFound"],
    ),
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "ActionOffline",
            "FailedOperation",
            "FailedOperation.AccountAlreadyExists",
            "FailedOperation.AccountIsYourSelf",
            "FailedOperation.BYOLImageShareFailed",
            "FailedOperation.IllegalTagKey",
            "FailedOperation.NotMasterAccount",
            "FailedOperation.QImageShareFailed",
            "FailedOperation.RImageShareFailed",
            "FailedOperation.TagKeyReserved",
            "InvalidAccountIs.YourSelf",
            "InvalidAction",
            "InvalidFilter",
            "InvalidFilterValue.LimitExceeded",
            "InvalidHostId.Malformed",
            "InvalidImageId",
            "InvalidImageId.InShared",
            "InvalidImageName.Duplicate",
            "InvalidImageOsType.Unsupported",
            "InvalidImageOsVersion.Unsupported",
            "InvalidInstance.NotSupported",
            "InvalidInstanceType.Malformed",
            "InvalidParameter",
            "InvalidParameter.DataDiskIdContainsRootDisk",
            "InvalidParameter.DataDiskNotBelongSpecifiedInstance",
            "InvalidParameter.DuplicateSystemSnapshots",
            "InvalidParameter.ImageIdsSnapshotIdsMustOne",
            "InvalidParameter.InstanceImageNotSupport",
            "InvalidParameter.InvalidDependence",
            "InvalidParameter.InvalidKmsKeyId",
            "InvalidParameter.InvalidParameterCoexistImageIdsFilters",
            "InvalidParameter.InvalidParameterUrlError",
            "InvalidParameter.LocalDataDiskNotSupport",
            "InvalidParameter.SpecifyOneParameter",
            "InvalidParameter.SwapDiskNotSupport",
            "InvalidParameter.SystemSnapshotNotFound",
            "InvalidParameter.ValueTooLarge",
            "InvalidParameterConflict",
            "InvalidParameterValue",
            "InvalidParameterValue.ISOMustImportByForce",
            "InvalidParameterValue.InstanceTypeNotFound",
            "InvalidParameterValue.InvalidBootMode",
            "InvalidParameterValue.InvalidImageFamily",
            "InvalidParameterValue.InvalidLicenseType",
            "InvalidParameterValue.InvalidParameterValueLimit",
            "InvalidParameterValue.LimitExceeded",
            "InvalidParameterValue.MissingLocationCosEndpoint",
            "InvalidParameterValue.PreheatNotSupportedInstanceType",
            "InvalidParameterValue.PreheatNotSupportedZone",
            "InvalidParameterValue.PreheatUnavailableZones",
            "InvalidParameterValue.TagKeyNotFound",
            "InvalidParameterValue.TooLarge",
            "InvalidParameterValue.ZoneNotSupported",
            "InvalidRequest",
            "InvalidZone.MismatchRegion",
            "MissingParameter",
            "NoSuchProduct",
            "NoSuchVersion",
            "RequestSizeLimitExceeded",
            "ResourceInsufficient.CloudDiskUnavailable",
            "ResourcesSoldOut.SpecifiedInstanceType",
            "ResponseSizeLimitExceeded",
            "UnknownParameter",
            "UnsupportedOperation",
            "UnsupportedOperation.InstanceReinstallFailed",
            "UnsupportedOperation.InstanceStateEnterRescueMode",
            "UnsupportedOperation.InstanceStateEnterServiceLiveMigrate",
            "UnsupportedOperation.InstanceStateExitRescueMode",
            "UnsupportedOperation.InstanceStateFreezing",
            "UnsupportedOperation.InstanceStateRebooting",
            "UnsupportedOperation.InstanceStateRescueMode",
            "UnsupportedOperation.InstanceStateServiceLiveMigrate",
            "UnsupportedOperation.InstanceStateStarting",
            "UnsupportedOperation.InstanceStateStopping",
            "UnsupportedOperation.InstanceStateTerminating",
            "UnsupportedOperation.InvalidDiskFastRollback",
            "UnsupportedOperation.InvalidZone",
            "UnsupportedOperation.LocationImageNotSupported",
            "UnsupportedOperation.NotSupportInstanceImage",
            "UnsupportedOperation.PreheatImage",
            "UnsupportedOperation.SpecialInstanceType",
            "UnsupportedOperation.StoppedModeStopCharging",
            "UnsupportedOperation.SyncEncryptImageNotSupport",
            "UnsupportedProtocol",
        ],
    ),
];

const COS: &[Row] = &[
    row(NotFound, Reason::BucketNotFound, &["NoSuchBucket"]),
    row(NotFound, Reason::CloudRefused, &["NoSuchKey", "NoSuchResource", "NoSuchUpload", "NoSuchVersion"]),
    row(Caller, Reason::BucketNameMalformed, &["InvalidBucketName"]),
    row(Caller, Reason::RegionUnsupported, &["InvalidRegionName"]),
    row(
        Permission,
        Reason::BucketNotAccessible,
        &["AccessDenied", "AccessForbidden", "NoProcessAuthority", "UnavailableForLegalReasons"],
    ),
    stale(&["ExpiredToken", "InvalidAccessKeyId"]),
    row(
        Credentials,
        Reason::CloudCredentialsRejected,
        &["Request has expired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"],
    ),
    row(Caller, Reason::CloudAccountBlocked, &["PaymentRequired"]),
    row(
        Transient,
        Reason::CloudUnavailable,
        &[
            "IncompleteBody",
            "InternalError",
            "KmsInternalException",
            "RequestTimeout",
            "ServiceUnavailable",
            "UserNetworkTooSlow",
        ],
    ),
    row(Throttled, Reason::CloudThrottled, &["SlowDown"]),
    row(Busy, Reason::CloudBusy, &["UploadConflict"]),
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "BadDigest",
            "BadRequest",
            "BadRquest",
            "BucketAlreadyExists",
            "BucketAlreadyOwnedByYou",
            "BucketNotEmpty",
            "EntityTooLarge",
            "EntityTooSmall",
            "InvalidArgument",
            "InvalidDigest",
            "InvalidObjectState",
            "InvalidPart",
            "InvalidPartOrder",
            "InvalidRange",
            "InvalidRequest",
            "InvalidURI",
            "KeyTooLong",
            "MalformedXML",
            "MethodNotAllowed",
            "MissingContentLength",
            "NotImplemented",
            "NotSupportedStorageClass",
            "ObjectLocked",
            "PathConflict",
            "PreconditionFailed",
            "RestoreNonArchiveObject",
        ],
    ),
];

#[cfg(test)]
mod tests;
