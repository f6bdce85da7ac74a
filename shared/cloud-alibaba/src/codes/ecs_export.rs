//! Codes of ExportImage and of the calls that follow its task.

use sampan_cloud::CallClass::{Busy, Caller, NotFound, Permission, Quota, Transient};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const EXPORT_IMAGE: &[Row] = &[
    row(Caller, Reason::CloudRefused, &["MissingParameter", "InvalidImageName.Malformed"]),
    row(Caller, Reason::PrefixMalformed, &["InvalidOSSPrefix.Malformed"]),
    row(Caller, Reason::RegionUnsupported, &["InvalidRegionId.NotFound", "InvalidRegion.NotSupport"]),
    row(Caller, Reason::ImageNotReady, &["IncorrectImageStatus"]),
    row(Caller, Reason::FormatUnsupported, &["InvalidImageFormat.Malformed"]),
    row(Caller, Reason::FormatUnsupportedInRegion, &["InvalidImageFormat.RegionNotSupported"]),
    // Said of a bucket that does not exist, and of one in another region.
    row(NotFound, Reason::BucketNotFound, &["InvalidOSSBucket.NotFound"]),
    row(Caller, Reason::CloudRefused, &["InvalidOSSBucket.NotMatched", "InvalidOSSObject.NeedRestore"]),
    row(Caller, Reason::BucketEncrypted, &["InvalidOSSBucket.EncryptUnsupported"]),
    row(Permission, Reason::BucketNotWritable, &["InvalidOSS.NotAuthorized"]),
    // The second spelling is known to older clients.
    row(Caller, Reason::ExportRoleMissing, &["NoSetRoletoECSServiceAcount", "NoSetRoletoECSServiceAccount"]),
    row(Caller, Reason::ImageDisksRefused, &["InvalidImage.DiskAmountOrSize", "OperationDenied"]),
    // Said of encrypted snapshots and of marketplace images.
    row(Caller, Reason::ImageNotExportable, &["ImageNotSupported"]),
    row(Caller, Reason::ImageLicenceForbids, &["InvalidImageLicense.NotSupported"]),
    row(Caller, Reason::ImageNotCustom, &["InvalidImageCategory.NotSupported"]),
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(Permission, Reason::CloudPermissionDenied, &["UserNotInTheWhiteList"]),
    row(Busy, Reason::ExportAlreadyRunning, &["ImageIsExporting"]),
    row(Busy, Reason::ExportTasksFull, &["ConcurrentQuotaExceed.ExportImage"]),
    row(Quota, Reason::CloudQuotaSpent, &["WeeklyQuotaExceed.ExportImage"]),
    // The vendor sends the caller to its support: trying again by ourselves cannot help.
    row(Caller, Reason::ExportFailedAtCloud, &["ExportImageFailed"]),
];

pub(super) const DESCRIBE_TASK: &[Row] = &[
    row(Caller, Reason::CloudRefused, &["MissingParameter"]),
    row(Caller, Reason::RegionUnsupported, &["InvalidRegionId.NotFound"]),
    row(NotFound, Reason::CloudRefused, &["InvalidTaskId.NotFound"]),
];

pub(super) const CANCEL_TASK: &[Row] = &[
    row(Caller, Reason::CloudRefused, &["MissingParameter"]),
    row(Caller, Reason::RegionUnsupported, &["InvalidRegionId.NotFound"]),
    row(NotFound, Reason::CloudRefused, &["InvalidTaskId.NotFound"]),
    // The names without a prefix are those of an older page.
    row(Caller, Reason::CloudRefused, &["InvalidTaskId.TaskActionNotSupport", "TaskActionNotSupport"]),
    row(Caller, Reason::OperationFinished, &["InvalidTaskId.IncorrectTaskStatus", "IncorrectTaskStatus"]),
    row(Transient, Reason::CloudUnavailable, &["CancelTaskFailed"]),
];
