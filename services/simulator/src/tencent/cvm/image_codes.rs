//! Decides which of the vendor's codes each refusal to copy, share, make or delete an image gets.
//!
//! An action answers with the codes of its own list, so one reason has different codes in different actions.

use super::error::ApiError;
use crate::world::ImageRefusal;

/// An action on images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// SyncImages.
    Sync,
    /// ModifyImageSharePermission and DescribeImageSharePermission.
    Share,
    /// CreateImage.
    Create,
    /// DeleteImages.
    Delete,
}

/// Puts a refusal into the vendor's words.
pub(super) fn coded(act: Act, refusal: &ImageRefusal) -> ApiError {
    use ImageRefusal as R;
    let code = match refusal {
        R::ImageNotFound { .. } => "InvalidImageId.NotFound",
        R::NotOwner { .. } => match act {
            Act::Delete => "InvalidParameterValue.InvalidImageIdIsShared",
            Act::Sync | Act::Share | Act::Create => "UnauthorizedOperation.ImageNotBelongToAccount",
        },
        R::Origin { .. } => "InvalidParameterValue.InvalidImageId",
        R::NotReady { .. } | R::Deprecated { .. } => match act {
            Act::Share => "InvalidParameterValue.InvalidImageState",
            Act::Sync | Act::Create | Act::Delete => "InvalidImageId.IncorrectState",
        },
        R::Unfinished { .. } => "InvalidImageId.IncorrectState",
        R::BeingCopied { .. } => match act {
            Act::Sync => "FailedOperation.InvalidImageState",
            Act::Share | Act::Create | Act::Delete => "InvalidImageId.IncorrectState",
        },
        R::BeingExported { .. } => match act {
            Act::Delete => "MutexOperation.TaskRunning",
            Act::Sync | Act::Share | Act::Create => "InvalidParameterValue.InvalidImageState",
        },
        R::OwnLicence { .. } => "FailedOperation.BYOLImageShareFailed",
        R::SharedOut { .. } => "InvalidImageId.InShared",
        R::Encrypted { .. } | R::SnapshotEncrypted { .. } => "UnsupportedOperation.EncryptedImagesNotSupported",
        R::NotEncryptable { .. } => "UnsupportedOperation.SyncEncryptImageNotSupport",
        R::KeyUnknown { .. } | R::KeyDisabled { .. } | R::KmsOff => "InvalidParameter.InvalidKmsKeyId",
        R::DataDisks { .. } => "InvalidParameter.InstanceImageNotSupport",
        R::TooLarge { .. } => "InvalidImageId.TooLarge",
        R::RegionPair { .. } => "UnsupportedOperation.Region",
        R::RegionUnavailable { .. } => "InvalidRegion.Unavailable",
        // A region that exists and that this image cannot go to.
        R::SameRegion { .. } | R::SharedElsewhere { .. } | R::EncryptionAcrossRegions { .. } => {
            "InvalidParameterValue.InvalidRegion"
        }
        R::NameTaken { .. } => "InvalidImageName.Duplicate",
        R::ImageQuota { .. } => "ImageQuotaLimitExceeded",
        R::AccountUnknown { .. } | R::AccountOfOtherSite { .. } => "InvalidAccountId.NotFound",
        R::AccountIsSelf { .. } => "FailedOperation.AccountIsYourSelf",
        R::AccountIsSub { .. } => "FailedOperation.NotMasterAccount",
        R::AccountHasIt { .. } => "FailedOperation.AccountAlreadyExists",
        R::ShareQuota { .. } | R::SharedImagesQuota { .. } => "OverQuota",
        R::SnapshotNotFound { .. } => "InvalidParameter.SnapshotNotFound",
        R::SnapshotNotReady { .. } | R::SnapshotBeingCopied { .. } => "ResourceUnavailable.SnapshotCreating",
        R::NoSystemSnapshot => "InvalidParameter.SystemSnapshotNotFound",
        R::SystemSnapshots => "InvalidParameter.DuplicateSystemSnapshots",
        // No code of its own is documented for a spent day, so the family's.
        R::DailyOperationsUsedUp { .. } => "LimitExceeded",
        // Rules of the other cloud alone.
        R::InUse { .. }
        | R::SnapshotQuota { .. }
        | R::ResourceGroupUnknown { .. }
        | R::TokenReused
        | R::ServiceKey { .. }
        | R::SeveralEncrypted { .. }
        | R::ShareRoleMissing
        | R::NotACopy { .. }
        | R::CopyEnded { .. }
        | R::CancelOff { .. }
        | R::SnapshotUsed { .. }
        | R::DiskTooSmall { .. }
        | R::PlatformNeeded { .. } => "UnsupportedOperation",
    };
    ApiError::new(code, refusal.to_string())
}
