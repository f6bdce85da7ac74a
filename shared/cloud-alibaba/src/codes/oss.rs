//! Codes of OSS.

use sampan_cloud::CallClass::{Caller, Credentials, NotFound, Permission, Throttled, Transient};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const ANY_OPERATION: &[Row] = &[
    row(NotFound, Reason::BucketNotFound, &["NoSuchBucket"]),
    row(NotFound, Reason::CloudRefused, &["NoSuchKey"]),
    row(Permission, Reason::BucketNotAccessible, &["AccessDenied"]),
    row(
        Credentials,
        Reason::CloudCredentialsRejected,
        &[
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "SecurityTokenExpired",
            "InvalidSecurityToken",
            "RequestTimeTooSkewed",
        ],
    ),
    row(Caller, Reason::CloudAccountBlocked, &["UserDisable"]),
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "InvalidObjectState",
            "InvalidArgument",
            "InvalidBucketName",
            "InvalidObjectName",
            "MalformedXML",
            "MethodNotAllowed",
            "PreconditionFailed",
            "NotModified",
            "InvalidRange",
        ],
    ),
    row(Throttled, Reason::CloudThrottled, &["DownloadTrafficRateLimitExceeded"]),
    // The vendor's own client repeats a `BadRequest`, which its front ends give for broken connections.
    row(Transient, Reason::CloudUnavailable, &["InternalError", "ServiceUnavailable", "BadRequest"]),
];
