//! Facts about the class table.

use std::collections::HashSet;

use sampan_cloud::CallClass::{Busy, Caller, Credentials, NotFound, Permission, Quota, Throttled, Transient};

use super::*;

#[test]
fn no_table_says_two_things_about_one_code() {
    for table in ECS_TABLES.iter().copied().chain([oss::ANY_OPERATION]) {
        let mut seen = HashSet::new();
        for code in table.iter().flat_map(|row| row.codes) {
            assert!(seen.insert(*code), "{code} is twice in one table");
        }
    }
}

#[test]
fn codes_of_an_export_say_what_the_caller_can_do() {
    let cases = [
        ("ImageIsExporting", 403, Busy, Reason::ExportAlreadyRunning),
        ("ConcurrentQuotaExceed.ExportImage", 403, Busy, Reason::ExportTasksFull),
        ("WeeklyQuotaExceed.ExportImage", 403, Quota, Reason::CloudQuotaSpent),
        ("InvalidOSSBucket.NotFound", 400, NotFound, Reason::BucketNotFound),
        ("NoSetRoletoECSServiceAcount", 403, Caller, Reason::ExportRoleMissing),
        ("InvalidOSS.NotAuthorized", 403, Permission, Reason::BucketNotWritable),
        ("ImageNotSupported", 400, Caller, Reason::ImageNotExportable),
        ("ImageNotSupported", 403, Caller, Reason::ImageNotExportable),
        ("InvalidImageId.NotFound", 404, NotFound, Reason::ImageNotFound),
        ("Throttling.User", 400, Throttled, Reason::CloudThrottled),
        ("Throttling.NewKind", 400, Throttled, Reason::CloudThrottled),
        ("InvalidAccessKeyId.NotFound", 404, Credentials, Reason::CloudCredentialsRejected),
        ("Forbidden.RAM", 403, Permission, Reason::CloudPermissionDenied),
        ("Account.Arrearage", 400, Caller, Reason::CloudAccountBlocked),
        ("InternalError", 500, Transient, Reason::CloudUnavailable),
    ];
    for (code, status, class, reason) in cases {
        assert_eq!(ecs("ExportImage", code, status), Meaning { class, reason }, "{code}");
    }
}

#[test]
fn the_status_never_outvotes_a_code() {
    let wrong_filter = ecs("DescribeImages", "InvalidFilterValue", 404);
    assert_eq!(wrong_filter.class, Caller);
    assert_eq!(ecs("ExportImage", "Throttling", 503).class, Throttled);
    assert_eq!(ecs("ExportImage", "IncorrectImageStatus", 500).class, Caller);
}

#[test]
fn one_code_can_mean_different_things_to_different_actions() {
    assert_eq!(ecs("ExportImage", "IncorrectImageStatus", 400).reason, Reason::ImageNotReady);
    assert_eq!(ecs("CancelCopyImage", "IncorrectImageStatus", 400).reason, Reason::OperationFinished);
    assert_eq!(ecs("ExportImage", "OperationDenied", 400).reason, Reason::ImageDisksRefused);
    assert_eq!(ecs("CopyImage", "OperationDenied", 403).reason, Reason::ImageNotCopyable);
    assert_eq!(ecs("CopyImage", "OperationDeined.EncryptedSnapshot", 403).reason, Reason::EncryptionRefused);
    assert_eq!(
        ecs("ModifyImageSharePermission", "OperationDeined.EncryptedSnapshot", 403).reason,
        Reason::ImageNotShareable
    );
}

#[test]
fn a_family_covers_its_members_and_never_a_longer_word() {
    assert_eq!(ecs("ExportImage", "InvalidParameter.Unheard", 400).reason, Reason::CloudRefused);
    assert_eq!(ecs("ExportImage", "QuotaExceed.Unheard", 403).class, Quota);
    assert_eq!(ecs("CreateImage", "IncorrectDiskStatus.Creating", 403).class, Busy);
    assert_eq!(ecs("ExportImage", "QuotaExceeded", 403).class, Caller);
}

#[test]
fn an_unheard_code_falls_back_on_the_status() {
    assert_eq!(ecs("ExportImage", "Unheard", 400).class, Caller);
    assert_eq!(ecs("ExportImage", "Unheard", 429).class, Throttled);
    assert_eq!(ecs("ExportImage", "Unheard", 502).class, Transient);
}

#[test]
fn codes_of_buckets_say_what_the_caller_can_do() {
    assert_eq!(super::oss("NoSuchBucket", 404).reason, Reason::BucketNotFound);
    assert_eq!(super::oss("NoSuchKey", 404).class, NotFound);
    assert_eq!(super::oss("AccessDenied", 403).reason, Reason::BucketNotAccessible);
    assert_eq!(super::oss("RequestTimeTooSkewed", 403).class, Credentials);
    assert_eq!(super::oss("ServiceUnavailable", 503).class, Transient);
    assert_eq!(super::oss("", 404).class, NotFound);
    assert_eq!(super::oss("", 403).class, Permission);
}

#[test]
fn fresh_credentials_help_against_every_refusal_but_that_of_the_clock() {
    let help = |code: &str| credentials_may_have_changed(ecs("DescribeImages", code, 400), code);
    assert!(help("InvalidSecurityToken.Expired") && help("InvalidAccessKeyId.NotFound"));
    assert!(!help("InvalidTimeStamp.Expired") && !help("Forbidden.RAM"));
    assert!(!credentials_may_have_changed(super::oss("RequestTimeTooSkewed", 403), "RequestTimeTooSkewed"));
}

#[test]
fn codes_of_a_copy_say_what_the_caller_can_do() {
    let cases = [
        ("OperationDenied.ImageCopyConflict", 400, Busy, Reason::CopyAlreadyRunning),
        ("OperationDenied.ImageCopying", 403, Busy, Reason::CopyAlreadyRunning),
        ("InvalidImageName.Duplicated", 400, Caller, Reason::ImageNameTaken),
        ("SizeExceed.Image", 403, Caller, Reason::ImageTooLargeToCopy),
        ("RegionNotSupportCopy", 403, Caller, Reason::RegionPairUnsupported),
        ("IncorrectDestinationRegion", 403, Caller, Reason::DestinationIsSource),
        ("OperationDenied.SameRegionOnly", 403, Caller, Reason::ImageSharedToYou),
        ("OperationDeined.EncryptedSnapshot", 403, Caller, Reason::EncryptionRefused),
        ("OperationDenied.EncryptSnapshotAcrossRegion", 403, Caller, Reason::EncryptionRefused),
        ("InvalidParameter.EncryptedIllegal", 400, Caller, Reason::EncryptionMalformed),
        ("InvalidParameter.KmsNotEnabled", 400, Caller, Reason::KmsNotEnabled),
        ("InvalidParameter.KMSKeyId.NotFound", 404, NotFound, Reason::KmsKeyRefused),
        ("InvalidParameter.KMSKeyId.CMKUnauthorized", 403, Permission, Reason::KmsKeyRefused),
        ("InvalidResourceGroup.NotFound", 404, NotFound, Reason::ResourceGroupNotFound),
        ("InvalidTagKey.Malformed", 400, Caller, Reason::TagMalformed),
        ("InvalidImageId.NotFound", 404, NotFound, Reason::ImageNotFound),
        ("Forbbiden", 403, Permission, Reason::CloudPermissionDenied),
        ("Account.Arrearage", 400, Caller, Reason::CloudAccountBlocked),
    ];
    for (code, status, class, reason) in cases {
        assert_eq!(ecs("CopyImage", code, status), Meaning { class, reason }, "{code}");
    }
}

#[test]
fn a_full_destination_and_a_full_list_of_shares_are_no_spent_day() {
    for (action, code, reason) in [
        ("CopyImage", "QuotaExceed.Image", Reason::DestinationFull),
        ("CopyImage", "QuotaExceed.Snapshot", Reason::SnapshotsFull),
        ("CreateImage", "QuotaExceed.Image", Reason::DestinationFull),
        ("CopySnapshot", "QuotaExceed.SnapshotQuota", Reason::SnapshotsFull),
        ("ModifyImageSharePermission", "QuotaExceed.ShareImageUser", Reason::ShareQuotaSpent),
        ("ModifyImageSharePermission", "QuotaExceed.ShareImage", Reason::ShareQuotaSpent),
    ] {
        assert_eq!(ecs(action, code, 403), Meaning { class: Caller, reason }, "{action} {code}");
    }
}

#[test]
fn codes_of_a_share_say_whom_they_are_about() {
    for (code, class, reason) in [
        ("InvalidAccount.NotFound", NotFound, Reason::ShareAccountNotFound),
        ("InvalidAccount.Forbbiden", Caller, Reason::ShareWithOwnAccount),
        ("InvalidImageId.BidMismatch", Caller, Reason::ShareAccountOfOtherSite),
        ("InvalidImageId.NotFound", NotFound, Reason::ImageNotFound),
        ("OperationDeined.FullImage", Caller, Reason::ImageNotShareable),
        ("AssumeRoleError", Caller, Reason::ShareRoleMissing),
    ] {
        assert_eq!(ecs("ModifyImageSharePermission", code, 403), Meaning { class, reason }, "{code}");
    }
}

#[test]
fn what_is_not_finished_yet_is_waited_for() {
    for (action, code) in [
        ("CreateImage", "SnapshotNotReady"),
        ("CopySnapshot", "InvalidSnapshotId.NotReady"),
        ("CopySnapshot", "InvalidOperation.UnfinishedCrossRegionCopy"),
        ("DeleteImage", "OperationDenied.ImageCopying"),
        ("CopyImage", "LastTokenProcessing"),
    ] {
        assert_eq!(ecs(action, code, 403).class, Busy, "{action} {code}");
    }
}

/// Every code of the vendor's pages, written out once more so that a lost row shows.
const DOCUMENTED: [(&str, &str); 9] = [
    (
        "ExportImage",
        "MissingParameter InvalidImageName.Malformed InvalidOSSPrefix.Malformed InvalidRegionId.NotFound \
         InvalidRegion.NotSupport IncorrectImageStatus InvalidImageFormat.Malformed \
         InvalidImageFormat.RegionNotSupported InvalidOSSBucket.NotFound InvalidOSSBucket.NotMatched OperationDenied \
         InvalidImage.DiskAmountOrSize ImageNotSupported InvalidOSSObject.NeedRestore ImageIsExporting \
         ExportImageFailed UserNotInTheWhiteList NoSetRoletoECSServiceAcount InvalidOSS.NotAuthorized \
         ConcurrentQuotaExceed.ExportImage WeeklyQuotaExceed.ExportImage InvalidImageLicense.NotSupported \
         InvalidImageCategory.NotSupported InvalidOSSBucket.EncryptUnsupported InvalidImageId.NotFound \
         MissingSecurityToken IncompleteSignature IllegalTimestamp Forbbiden LastTokenProcessing",
    ),
    (
        "CopyImage",
        "InvalidDescription.Malformed InvalidImageName.Malformed SourceRegion.NotFound DestinationRegion.NotFound \
         IncorrectImageStatus InvalidSnapshotId.NotFound InvalidImageName.Duplicated \
         InvalidParameter.EncryptedIllegal InvalidEncrypted.NotMatchKmsKeyId \
         InvalidEncrypted.NotMatchEncryptAlgorithm InvalidEncryptAlgorithm OperationDenied.CommunityImage \
         InvalidParameter.KmsNotEnabled OperationDenied.ImageCopyConflict Account.Arrearage InvalidAliUid.IsNull \
         Forbbiden QuotaExceed.Image QuotaExceed.Snapshot OperationDenied.ImageCopying RegionNotSupportCopy \
         InvalidSnapshot.TooOld OperationDenied IncorrectDestinationRegion OperationDeined.EncryptedSnapshot \
         OperationDenied.EncryptSnapshotAcrossRegion OperationDenied.SameRegionOnly OperationDenied.NotPublished \
         OperationDenied.NotAuthorized InvalidParameter.KMSKeyId.KMSUnauthorized \
         InvalidParameter.KMSKeyId.CMKNotEnabled InvalidParameter.KMSKeyId.CMKUnauthorized \
         OperationDenied.KmsServiceUnauthorized InvalidParameter.DataEncryptedKeyCreateFailed \
         InvalidRegion.NotSupport UserNotInTheWhiteList InvalidRegionId.NotSupportEncryptAlgorithm \
         InvalidEncrypted.NotMatchDiskDefaultEncryption OperationDenied.NonCompliantDestinationRegion \
         SizeExceed.Image InvalidOperation.VhdImageUnsupported InvalidOperation.CloudBoxImageCopyUnsupported \
         InvalidImageId.NotFound InvalidParameter.KMSKeyId.NotFound InvalidResourceGroup.NotFound",
    ),
    (
        "CancelCopyImage",
        "ImageCreatedNotFromCopy IncorrectImageStatus CancelNotSupported InvalidDescription.Malformed \
         InvalidRegionId.NotFound InvalidImageId.NotFound",
    ),
    (
        "ModifyImageSharePermission",
        "MissingParameter InvalidGroup.Malformed UnnecessaryParameter.LaunchPermission \
         InvalidParameter.LaunchPermission ForbiddenParameter.LaunchPermission AssumeRoleError \
         ImageDescription.ContainsSensitiveWords ImageName.ContainsSensitiveWords Image.Public Image.NotPublic \
         CurrentRegion.NotSupportPublicImage PublicImageAgreement.NotSigned OperationDeined.FullImage \
         QuotaExceed.ShareImage QuotaExceed.ShareImageUser InvalidImageId.BidMismatch \
         OperationDeined.EncryptedSnapshot OperationDenied.InvalidImageStatus InvalidParameter.IsPublic \
         InvalidParameter.KMSKeyId.CMKUnauthorized InvalidParameter.KMSKeyId.CMKNotEnabled \
         InvalidOperation.ServiceKeyEncryptedImageUnsupported InvalidImageId.NotFound InvalidAccount.NotFound \
         InvalidAccount.Forbbiden IncorrectImageStatus",
    ),
    ("DescribeImageSharePermission", "MissingParameter InvalidImageId.NotFound"),
    (
        "CopySnapshot",
        "Duplicate.TagKey InvalidTagKey.Malformed InvalidTagValue.Malformed InvalidRegionId.MalFormed \
         InvalidParameter.Arns InvalidSnapshotName.Malformed InvalidDescription.Malformed \
         InvalidRetentionDays.Malformed InvalidRegionId.NotExists InvalidEncryptAlgorithm \
         InvalidEncrypted.NotMatchKmsKeyId InvalidEncrypted.NotMatchEncryptAlgorithm \
         InvalidOperation.NotSupportCopyInSameRegion InvalidKMSKeyId.NotSymmetric InvalidSnapshotId.NotFound \
         InvalidParameter.KMSKeyId.NotFound InvalidSnapshotId.NotReady InvalidSnapshotId.EncryptedNotSupport \
         InvalidSnapshot.EncryptedNotSupported InvalidSnapshotCategory.NotSupportCopy \
         InvalidSnapshotCategory.NotSupportCrossRegionCopy InvalidSnapshotCategory.NotSupportEncryptedCopy \
         OperationDenied.SnapshotCategoryNotSupportCopy InvalidSnapshot.StorageLocationNotSupported \
         InvalidEncrypted.NotSupportDecrypt InvalidRegionId.NotSupportedEncryptedSnapshotCopy \
         InvalidRegionId.NotSupportEncryptAlgorithm InvalidRegion.NotSupport InvalidParameter.KmsNotEnabled \
         DataEncryptedKeyCreateFailed InvalidAccountStatus.NotEnoughBalance \
         InvalidAccountStatus.SnapshotServiceUnavailable OperationDenied.NonCompliantDestinationRegion \
         InvalidUser.NotInWhiteList InvalidOperation.Unauthorized QuotaExceed.SnapshotQuota \
         InvalidOperation.UnfinishedCrossRegionCopy InvalidOperation.UnfinishedEncryptedSnapshotCopy \
         InvalidOperation.Conflict KMSKeyId.Unheard InvalidParameterDestinationStorageLocationArn.Unheard",
    ),
    (
        "CreateImage",
        "InvalidImageName.Duplicated InvalidImageName.Malformed InvalidDevice.Malformed InvalidDevice.InUse \
         InvalidSize.ValueNotSupported InvalidDiskType.ValueNotSupported InvalidArchitecture.Malformed \
         InvalidPlatform.Malformed InvalidBootMode.NotSupport InvalidParameter.AllEmpty Duplicate.TagKey \
         InvalidTagKey.Malformed InvalidTagValue.Malformed MissingParameter OperationDenied \
         IdempotenceParamNotMatch InvalidParamter.Conflict InvalidSnapshotId.NotReady SnapshotNotReady \
         IncorrectDiskStatus.Unheard TooManySnapshot.Unfinished InvalidSnapshot.TooOld \
         OperationDenied.InvalidSnapshotCategory InvalidSnapshotCategory.NotSupportImageCreation \
         InvalidSystemSnapshot.Missing UserNotInTheWhiteList QuotaExceed.Image QuotaExceed.Snapshot \
         QuotaExceed.Tags QuotaExceed.ConcurrentSnapshotQuota ImageQuotaExceed.ImageFamily ImageFamilyQuotaExceed \
         KMSKeyId.Unheard InvalidSnapshotId.NotFound InvalidInstanceId.NotFound InvalidResourceGroup.NotFound",
    ),
    (
        "DeleteImage",
        "ImageUsingByInstance ImageUseShared OperationDenied.ImageCopying ImageIsImporting ImageIsExporting \
         ImageIsPublic InvalidImageId.NotFound",
    ),
    (
        "DeleteSnapshot",
        "MissingParameter SnapshotCreatedImage SnapshotCreatedDisk IncorrectDiskStatus.CreatingSnapshot",
    ),
];

#[test]
fn no_documented_code_falls_back_on_its_status() {
    for (action, codes) in DOCUMENTED {
        for code in codes.split_whitespace() {
            // With this status, falling back would mean a fault of the vendor.
            assert_ne!(ecs(action, code, 599).class, Transient, "{action} {code}");
        }
    }
    assert_eq!(ecs("CopyImage", "SignatureNonceUsed", 400).class, Transient);
}
