//! Codes that any ECS action can answer with.

use sampan_cloud::CallClass::{Busy, Caller, Credentials, NotFound, Permission, Quota, Throttled, Transient};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const ANY_ACTION: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "MissingParameter",
            "InvalidParameter",
            "InvalidParameter.*",
            "UnsupportedOperation",
            "InvalidAction",
            "InvalidAction.NotFound",
            "InvalidVersion",
            "NoSuchVersion",
            "InvalidTimeStamp.Format",
            "IllegalTimestamp",
            "IdempotentParameterMismatch",
            "IdempotenceParamNotMatch",
            "InvalidParamter.Conflict",
            "InvalidIdempotenceParameter.Mismatch",
            // Success of a trial run, told as an error: nothing was changed.
            "DryRunOperation",
        ],
    ),
    row(Caller, Reason::RegionUnsupported, &["InvalidRegionId.NotFound", "InvalidRegion.NotSupport"]),
    row(
        Credentials,
        Reason::CloudCredentialsRejected,
        &[
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "Forbidden.AccessKeyDisabled",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidTimeStamp.Expired",
            "InvalidSecurityToken.Expired",
            "InvalidSecurityToken.Malformed",
            "InvalidSecurityToken.MismatchWithAccessKey",
            "MissingSecurityToken",
        ],
    ),
    row(
        Permission,
        Reason::CloudPermissionDenied,
        &[
            "Forbidden",
            "Forbbiden",
            "Forbidden.RAM",
            "NoPermission",
            "Forbidden.SubUser",
            "Forbidden.NotSupportRAM",
            "UserNotInTheWhiteList",
        ],
    ),
    row(NotFound, Reason::ImageNotFound, &["Forbidden.ImageNotFound", "InvalidImageId.NotFound"]),
    row(NotFound, Reason::SnapshotNotFound, &["Forbidden.SnapshotNotFound"]),
    row(
        Caller,
        Reason::CloudAccountBlocked,
        &[
            "Forbidden.RiskControl",
            "RealNameAuthenticationError",
            "Account.Arrearage",
            "InsufficientBalance",
            "InvalidAccountStatus.NotEnoughBalance",
        ],
    ),
    row(Quota, Reason::CloudQuotaSpent, &["QuotaExceed.*"]),
    row(
        Throttled,
        Reason::CloudThrottled,
        &["Throttling", "Throttling.User", "Throttling.Api", "Rejected.Throttling", "Throttling.*"],
    ),
    row(Busy, Reason::CloudBusy, &["LastTokenProcessing", "IdempotentProcessing"]),
    // A nonce of ours is never used twice, so something between us and the vendor has sent the request again.
    row(Transient, Reason::CloudUnavailable, &["SignatureNonceUsed"]),
    row(Transient, Reason::CloudUnavailable, &["InternalError", "UnknownError", "ServiceUnavailable"]),
];
