//! Codes of the calls that read and change who an image is shared with.

use sampan_cloud::CallClass::{Caller, NotFound, Quota};
use sampan_core::Reason;

use super::{Row, row};

pub(super) const SHARE_PERMISSION: &[Row] = &[
    row(
        Caller,
        Reason::CloudRefused,
        &[
            "MissingParameter",
            "InvalidGroup.Malformed",
            "UnnecessaryParameter.LaunchPermission",
            "InvalidParameter.LaunchPermission",
            "ForbiddenParameter.LaunchPermission",
            "AssumeRoleError",
            "ImageDescription.ContainsSensitiveWords",
            "ImageName.ContainsSensitiveWords",
            "Image.Public",
            "Image.NotPublic",
            "CurrentRegion.NotSupportPublicImage",
            "PublicImageAgreement.NotSigned",
            "OperationDeined.FullImage",
            "InvalidImageId.BidMismatch",
            "OperationDeined.EncryptedSnapshot",
            "OperationDenied.InvalidImageStatus",
            "InvalidParameter.IsPublic",
            "InvalidParameter.KMSKeyId.CMKUnauthorized",
            "InvalidParameter.KMSKeyId.CMKNotEnabled",
            "InvalidOperation.ServiceKeyEncryptedImageUnsupported",
            "InvalidAccount.Forbbiden",
        ],
    ),
    row(Caller, Reason::ImageNotReady, &["IncorrectImageStatus"]),
    row(Quota, Reason::CloudQuotaSpent, &["QuotaExceed.ShareImage", "QuotaExceed.ShareImageUser"]),
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(NotFound, Reason::CloudRefused, &["InvalidAccount.NotFound"]),
];
