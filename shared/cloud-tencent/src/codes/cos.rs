//! Codes of COS.

use sampan_cloud::CallClass::{Busy, Caller, Credentials, NotFound, Permission, Throttled, Transient};
use sampan_core::Reason;

use super::{Row, row, stale};

pub(super) const ANY_OPERATION: &[Row] = &[
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
