//! Codes of the calls that read and change who an image is shared with.
//!
//! As many shares as are permitted is no quota of the day: it refuses one image and says nothing about the others.

use sampan_cloud::CallClass::{Caller, NotFound};
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
            "ImageDescription.ContainsSensitiveWords",
            "ImageName.ContainsSensitiveWords",
            "Image.Public",
            "Image.NotPublic",
            "CurrentRegion.NotSupportPublicImage",
            "PublicImageAgreement.NotSigned",
            "InvalidParameter.IsPublic",
        ],
    ),
    // The image
    row(NotFound, Reason::ImageNotFound, &["InvalidImageId.NotFound"]),
    row(Caller, Reason::ImageNotReady, &["IncorrectImageStatus", "OperationDenied.InvalidImageStatus"]),
    row(
        Caller,
        Reason::ImageNotShareable,
        &[
            "OperationDeined.FullImage",
            "OperationDeined.EncryptedSnapshot",
            "InvalidOperation.ServiceKeyEncryptedImageUnsupported",
        ],
    ),
    row(Caller, Reason::ShareRoleMissing, &["AssumeRoleError"]),
    row(
        Caller,
        Reason::KmsKeyRefused,
        &["InvalidParameter.KMSKeyId.CMKUnauthorized", "InvalidParameter.KMSKeyId.CMKNotEnabled"],
    ),
    // The accounts
    row(NotFound, Reason::ShareAccountNotFound, &["InvalidAccount.NotFound"]),
    row(Caller, Reason::ShareWithOwnAccount, &["InvalidAccount.Forbbiden"]),
    row(Caller, Reason::ShareAccountOfOtherSite, &["InvalidImageId.BidMismatch"]),
    row(Caller, Reason::ShareQuotaSpent, &["QuotaExceed.ShareImage", "QuotaExceed.ShareImageUser"]),
];
