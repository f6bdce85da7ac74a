//! Decides which of the vendor's codes each refusal to copy, share, make or delete images and snapshots gets.
//!
//! The codes are misspelt where the vendor misspells them. An action answers with the codes of its own list, so one
//! reason has different codes in different actions.

use super::refusal::Refusal;
use crate::world::ImageRefusal;

/// An action on images and snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// CopyImage and CancelCopyImage.
    Copy,
    /// ModifyImageSharePermission and DescribeImageSharePermission.
    Share,
    /// CreateImage.
    Create,
    /// DeleteImage and DeleteSnapshot.
    Delete,
    /// CopySnapshot, whose refusals are nearly all HTTP 403.
    CopySnapshot,
}

/// Puts a refusal into the vendor's words.
pub(super) fn in_vendor_words(act: Act, refusal: &ImageRefusal) -> Refusal {
    use ImageRefusal as R;
    let bad = |code: &'static str, text: &str| Refusal::bad_request(code, text);
    let forbidden = |code: &'static str, text: &str| Refusal::forbidden(code, text);
    let absent = |code: &'static str, text: &str| Refusal::not_found(code, text);
    match refusal {
        R::ImageNotFound { .. } | R::Origin { .. } | R::NotOwner { .. } => {
            absent("InvalidImageId.NotFound", "The specified ImageId does not exist in the user account or region.")
        }
        R::NotReady { .. } | R::Unfinished { .. } => {
            bad("IncorrectImageStatus", "The current status of the resource does not support this operation.")
        }
        R::Deprecated { .. } => forbidden("OperationDenied.InvalidImageStatus", "The specified image is deprecated."),
        R::BeingCopied { .. } => match act {
            Act::Copy => bad("OperationDenied.ImageCopyConflict", "The specified image is being copied already."),
            Act::Share | Act::Create | Act::Delete | Act::CopySnapshot => {
                forbidden("OperationDenied.ImageCopying", "The specified image is being copied.")
            }
        },
        R::BeingExported { .. } => forbidden("ImageIsExporting", "The specified image is exporting."),
        R::SharedOut { .. } => forbidden("ImageUseShared", "The specified image is shared with other accounts."),
        R::InUse { .. } => forbidden("ImageUsingByInstance", "The specified image is used by instances."),
        R::Encrypted { .. } => forbidden(
            "OperationDeined.EncryptedSnapshot",
            "The specified image contains encrypted snapshots and cannot become a plain one.",
        ),
        R::EncryptionAcrossRegions { .. } | R::NotEncryptable { .. } => forbidden(
            "OperationDenied.EncryptSnapshotAcrossRegion",
            "A plain snapshot cannot be encrypted by a copy across regions.",
        ),
        R::KeyUnknown { .. } => absent("InvalidParameter.KMSKeyId.NotFound", "The specified KMSKeyId does not exist."),
        R::KeyDisabled { .. } => {
            forbidden("InvalidParameter.KMSKeyId.CMKNotEnabled", "The specified CMK is not enabled.")
        }
        R::KmsOff => bad("InvalidParameter.KmsNotEnabled", "The key management service is not activated."),
        R::DataDisks { .. } => {
            forbidden("OperationDenied", "The snapshots of the image do not support this operation.")
        }
        R::TooLarge { .. } => forbidden(
            "SizeExceed.Image",
            "The image is too large to be copied; copy its snapshots with CopySnapshot and create an image of them.",
        ),
        R::RegionPair { .. } | R::RegionUnavailable { .. } => {
            forbidden("RegionNotSupportCopy", "Images cannot be copied between the specified regions.")
        }
        R::SameRegion { .. } => forbidden(
            "IncorrectDestinationRegion",
            "The destination region must be another one than that of the source image.",
        ),
        R::SharedElsewhere { .. } => {
            forbidden("OperationDenied.SameRegionOnly", "A shared image can be copied within its region only.")
        }
        R::NameTaken { .. } => bad(
            "InvalidImageName.Duplicated",
            if act == Act::Copy { "The destination image is exist." } else { "The specified ImageName exists." },
        ),
        R::ImageQuota { limit, .. } => {
            Refusal::forbidden("QuotaExceed.Image", format!("The image quota of {limit} is exceeded."))
        }
        R::SnapshotQuota { .. } => match act {
            Act::CopySnapshot => forbidden("QuotaExceed.SnapshotQuota", "The snapshot quota is exceeded."),
            Act::Copy | Act::Share | Act::Create | Act::Delete => {
                forbidden("QuotaExceed.Snapshot", "The snapshot quota is exceeded.")
            }
        },
        R::ResourceGroupUnknown { .. } => {
            absent("InvalidResourceGroup.NotFound", "The specified resource group does not exist.")
        }
        R::TokenReused => match act {
            Act::Create => bad("IdempotenceParamNotMatch", "The ClientToken was used with other parameters."),
            Act::Copy | Act::Share | Act::Delete | Act::CopySnapshot => {
                bad("IdempotentParameterMismatch", "The ClientToken was used with other parameters.")
            }
        },
        R::AccountUnknown { .. } | R::AccountIsSub { .. } => {
            absent("InvalidAccount.NotFound", "The specified account does not exist.")
        }
        R::AccountIsSelf { .. } => {
            absent("InvalidAccount.Forbbiden", "The specified account cannot be the owner of the image.")
        }
        R::AccountOfOtherSite { .. } => {
            forbidden("InvalidImageId.BidMismatch", "The specified account belongs to another site.")
        }
        R::ShareQuota { .. } => {
            forbidden("QuotaExceed.ShareImageUser", "The quota of accounts for one image is exceeded.")
        }
        R::SharedImagesQuota { .. } => forbidden("QuotaExceed.ShareImage", "The quota of shared images is exceeded."),
        R::ServiceKey { .. } => forbidden(
            "InvalidOperation.ServiceKeyEncryptedImageUnsupported",
            "An image encrypted by the service key cannot be shared; copy it with a CMK first.",
        ),
        R::SeveralEncrypted { .. } => {
            forbidden("OperationDeined.FullImage", "An encrypted image with several snapshots cannot be shared.")
        }
        R::ShareRoleMissing => {
            forbidden("AssumeRoleError", "The role AliyunECSShareEncryptImageDefaultRole cannot be assumed.")
        }
        R::NotACopy { .. } => bad("ImageCreatedNotFromCopy", "The specified image is not made by a copy."),
        R::CopyEnded { .. } => bad("IncorrectImageStatus", "The copy of the specified image has ended."),
        R::CancelOff { .. } => bad("CancelNotSupported", "The copy of the specified image cannot be cancelled."),
        R::SnapshotNotFound { .. } => match act {
            Act::CopySnapshot => forbidden("InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist."),
            Act::Copy | Act::Share | Act::Create | Act::Delete => {
                absent("InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist.")
            }
        },
        R::SnapshotNotReady { .. } => {
            forbidden("InvalidSnapshotId.NotReady", "The specified snapshot is not ready for this operation.")
        }
        R::SnapshotEncrypted { .. } => match act {
            Act::CopySnapshot => {
                forbidden("InvalidEncrypted.NotSupportDecrypt", "An encrypted snapshot cannot become a plain one.")
            }
            Act::Copy | Act::Share | Act::Create | Act::Delete => {
                bad("OperationDenied", "The specified snapshot is encrypted and cannot make an image.")
            }
        },
        R::SnapshotBeingCopied { .. } => forbidden(
            "InvalidOperation.UnfinishedCrossRegionCopy",
            "A copy of this disk's snapshot to the destination is not finished.",
        ),
        R::SnapshotUsed { .. } => {
            forbidden("SnapshotCreatedImage", "The snapshot has been used to create user defined image(s).")
        }
        R::NoSystemSnapshot => bad("OperationDenied", "None of the specified snapshots is of a system disk."),
        R::SystemSnapshots => bad("OperationDenied", "More than one of the specified disks is a system disk."),
        R::DiskTooSmall { .. } => {
            bad("InvalidSize.ValueNotSupported", "The specified Size is smaller than that of the snapshot.")
        }
        R::PlatformNeeded { .. } => Refusal::missing("Platform"),
        R::OwnLicence { .. } => {
            forbidden("OperationDenied", "The license of the image does not support this operation.")
        }
        // Documented by the other cloud alone; an order of the control API can switch it on here.
        R::DailyOperationsUsedUp { .. } => {
            forbidden("QuotaExceed.Operations", "The image operations of this day are used up.")
        }
        R::AccountHasIt { .. } => bad("InvalidParameter", "The image is shared with the specified account."),
    }
}
