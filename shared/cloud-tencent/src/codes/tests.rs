//! The documented codes, grouped by what the vendor's pages say of them, against the table.

use std::collections::HashSet;

use sampan_cloud::CallClass::{Busy, Quota};

use super::*;

/// Codes that are about the identity or its rights.
const WHO: [&str; 18] = [
    "AuthFailure.CamRoleNameAuthenticateFailed",
    "AuthFailure.InvalidAuthorization",
    "AuthFailure.InvalidSecretId",
    "AuthFailure.MFAFailure",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureExpire",
    "AuthFailure.SignatureFailure",
    "AuthFailure.TokenFailure",
    "AuthFailure.UnauthorizedOperation",
    "InvalidParameterValue.InvalidAppIdFormat",
    "InvalidParameterValue.InvalidBucketPermissionForExport",
    "IpInBlacklist",
    "IpNotInWhitelist",
    "OperationDenied.InnerUserProhibitAction",
    "UnauthorizedOperation",
    "UnauthorizedOperation.ImageNotBelongToAccount",
    "UnauthorizedOperation.InvalidToken",
    "UnauthorizedOperation.PermissionDenied",
];

/// Codes that ask to come back after minutes.
const BUSY: [&str; 10] = [
    "FailedOperation.InvalidImageState",
    "InvalidParameterValue.InvalidImageState",
    "LimitExceeded.ExportImageTaskLimitExceeded",
    "MutexOperation.TaskRunning",
    "OperationDenied.InstanceOperationInProgress",
    "ResourceInUse",
    "ResourceInUse.DiskRollbacking",
    "ResourceInsufficient",
    "ResourceUnavailable",
    "ResourceUnavailable.SnapshotCreating",
];

/// Codes of a used-up quota.
const QUOTA: [&str; 2] = ["LimitExceeded", "LimitExceeded.PreheatImageSnapshotOutOfQuota"];

/// Codes of absent things.
const NOT_FOUND: [&str; 6] = [
    "InvalidAccountId.NotFound",
    "InvalidImageId.NotFound",
    "InvalidInstanceId.NotFound",
    "InvalidParameter.SnapshotNotFound",
    "InvalidParameterValue.BucketNotFound",
    "ResourceNotFound",
];

/// Codes that ask to come back soon.
const SOON: [&str; 6] = [
    "InternalError",
    "RequestLimitExceeded",
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
    "RequestLimitExceeded.IPLimitExceeded",
    "RequestLimitExceeded.UinLimitExceeded",
    "ServiceUnavailable",
];

/// Codes that no repetition helps.
const NEVER: [&str; 106] = [
    "ActionOffline",
    "FailedOperation",
    "FailedOperation.AccountAlreadyExists",
    "FailedOperation.AccountIsYourSelf",
    "FailedOperation.BYOLImageShareFailed",
    "FailedOperation.IllegalTagKey",
    "FailedOperation.NotMasterAccount",
    "FailedOperation.QImageShareFailed",
    "FailedOperation.RImageShareFailed",
    "ImageQuotaLimitExceeded",
    "InvalidAccount.InsufficientBalance",
    "InvalidAccountIs.YourSelf",
    "InvalidAction",
    "InvalidFilter",
    "InvalidFilterValue.LimitExceeded",
    "InvalidImageId.InShared",
    "InvalidImageId.IncorrectState",
    "InvalidImageId.Malformed",
    "InvalidImageId.TooLarge",
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
    "InvalidParameterValue.InvalidFileNamePrefixList",
    "InvalidParameterValue.InvalidImageFamily",
    "InvalidParameterValue.InvalidImageId",
    "InvalidParameterValue.InvalidImageIdIsShared",
    "InvalidParameterValue.InvalidImageOsName",
    "InvalidParameterValue.InvalidLicenseType",
    "InvalidParameterValue.InvalidParameterValueLimit",
    "InvalidParameterValue.InvalidRegion",
    "InvalidParameterValue.LimitExceeded",
    "InvalidParameterValue.MissingLocationCosEndpoint",
    "InvalidParameterValue.PreheatNotSupportedInstanceType",
    "InvalidParameterValue.PreheatNotSupportedZone",
    "InvalidParameterValue.PreheatUnavailableZones",
    "InvalidParameterValue.TagKeyNotFound",
    "InvalidParameterValue.TagQuotaLimitExceeded",
    "InvalidParameterValue.TooLarge",
    "InvalidParameterValue.ZoneNotSupported",
    "InvalidRegion.NotFound",
    "InvalidRegion.Unavailable",
    "InvalidRequest",
    "InvalidZone.MismatchRegion",
    "MissingParameter",
    "NoSuchProduct",
    "NoSuchVersion",
    "OverQuota",
    "RegionAbilityLimit.UnsupportedToImportImage",
    "RequestSizeLimitExceeded",
    "ResourceInsufficient.CloudDiskUnavailable",
    "ResourcesSoldOut.SpecifiedInstanceType",
    "ResponseSizeLimitExceeded",
    "UnknownParameter",
    "UnsupportedOperation",
    "UnsupportedOperation.EncryptedImagesNotSupported",
    "UnsupportedOperation.ImageTooLargeExportUnsupported",
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
    "UnsupportedOperation.MarketImageExportUnsupported",
    "UnsupportedOperation.NotSupportInstanceImage",
    "UnsupportedOperation.PreheatImage",
    "UnsupportedOperation.PublicImageExportUnsupported",
    "UnsupportedOperation.RedHatImageExportUnsupported",
    "UnsupportedOperation.Region",
    "UnsupportedOperation.SharedImageExportUnsupported",
    "UnsupportedOperation.SharedImageModifyUnsupported",
    "UnsupportedOperation.SpecialInstanceType",
    "UnsupportedOperation.StoppedModeStopCharging",
    "UnsupportedOperation.SyncEncryptImageNotSupport",
    "UnsupportedOperation.WindowsImageExportUnsupported",
    "UnsupportedProtocol",
    "UnsupportedRegion",
];

/// What a code means to an action without codes of its own.
fn meaning(code: &str) -> Meaning {
    of_api("ExportImages", code)
}

fn classes(codes: &[&str]) -> HashSet<CallClass> {
    codes.iter().map(|code| meaning(code).class).collect()
}

#[test]
fn every_documented_code_is_in_the_table_itself() {
    let documented = [&WHO[..], &BUSY, &QUOTA, &NOT_FOUND, &SOON, &NEVER].concat();
    let missing: Vec<_> = documented.iter().filter(|code| find(api::ANY_ACTION, code).is_none()).collect();
    assert_eq!((missing, documented.len()), (Vec::new(), 148));
}

#[test]
fn every_documented_code_has_the_class_that_its_meaning_permits() {
    assert_eq!(classes(&WHO), HashSet::from([Permission, Credentials]));
    assert_eq!(classes(&BUSY), HashSet::from([Busy]));
    assert_eq!(classes(&QUOTA), HashSet::from([Quota]));
    assert_eq!(classes(&NOT_FOUND), HashSet::from([NotFound]));
    assert_eq!(classes(&SOON), HashSet::from([Transient, Throttled]));
    assert_eq!(classes(&NEVER), HashSet::from([Caller]));
}

#[test]
fn no_code_stands_in_two_rows() {
    for table in [api::ANY_ACTION, cos::ANY_OPERATION] {
        let all: Vec<_> = table.iter().flat_map(|row| row.codes).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}

#[test]
fn an_unknown_code_has_the_meaning_of_its_family() {
    assert_eq!(meaning("ResourceInUse.Whatever"), meaning("ResourceInUse"));
    assert_eq!(meaning("RequestLimitExceeded.Whatever").class, Throttled);
    assert_eq!(meaning("InternalError.Whatever").class, Transient);
}

#[test]
fn a_code_of_an_unknown_family_has_an_unknown_outcome() {
    assert_eq!(meaning("Novelty.Whatever").class, UnknownOutcome);
    assert_eq!(meaning("").class, UnknownOutcome);
}

#[test]
fn only_credentials_that_may_have_been_replaced_are_fetched_anew() {
    for code in ["AuthFailure.TokenFailure", "AuthFailure.SecretIdNotFound", "UnauthorizedOperation.InvalidToken"] {
        assert!(meaning(code).renew_credentials, "{code}");
    }
    for code in ["AuthFailure.SignatureFailure", "AuthFailure.SignatureExpire", "UnauthorizedOperation"] {
        assert!(!meaning(code).renew_credentials, "{code}");
    }
    assert!(of_cos(Some("ExpiredToken"), 400).renew_credentials);
}

#[test]
fn refusals_of_an_export_name_their_rule() {
    for (code, reason) in [
        ("UnsupportedOperation.WindowsImageExportUnsupported", Reason::ImageWindows),
        ("UnsupportedOperation.MarketImageExportUnsupported", Reason::ImageFromMarketplace),
        ("UnsupportedOperation.EncryptedImagesNotSupported", Reason::ImageEncrypted),
        ("UnsupportedOperation.ImageTooLargeExportUnsupported", Reason::ImageDiskTooLarge),
        ("LimitExceeded.ExportImageTaskLimitExceeded", Reason::ExportTasksFull),
        ("InvalidParameterValue.InvalidBucketPermissionForExport", Reason::BucketNotWritable),
        ("AuthFailure.CamRoleNameAuthenticateFailed", Reason::ExportRoleMissing),
    ] {
        assert_eq!(meaning(code).reason, reason, "{code}");
    }
}

#[test]
fn refusals_of_a_copy_name_their_rule() {
    for (code, reason) in [
        ("InvalidImageName.Duplicate", Reason::ImageNameTaken),
        ("InvalidImageId.TooLarge", Reason::ImageTooLargeToCopy),
        ("InvalidImageId.IncorrectState", Reason::ImageNotReady),
        ("InvalidRegion.Unavailable", Reason::RegionPairUnsupported),
        ("UnsupportedOperation.Region", Reason::RegionPairUnsupported),
        ("InvalidRegion.NotFound", Reason::RegionUnsupported),
        ("UnsupportedOperation.SyncEncryptImageNotSupport", Reason::EncryptionRefused),
        ("UnsupportedOperation.EncryptedImagesNotSupported", Reason::ImageEncrypted),
        ("InvalidParameter.InvalidKmsKeyId", Reason::KmsKeyRefused),
        ("InvalidParameter.InstanceImageNotSupport", Reason::ImageNotCopyable),
        ("InvalidParameterValue.InvalidImageId", Reason::ImageNotCopyable),
    ] {
        let meaning = of_api("SyncImages", code);
        assert_eq!((meaning.class, meaning.reason), (Caller, reason), "{code}");
    }
}

#[test]
fn refusals_of_a_share_name_their_rule() {
    for (code, class, reason) in [
        ("FailedOperation.AccountAlreadyExists", Caller, Reason::AlreadyShared),
        ("FailedOperation.AccountIsYourSelf", Caller, Reason::ShareWithOwnAccount),
        ("InvalidAccountIs.YourSelf", Caller, Reason::ShareWithOwnAccount),
        ("FailedOperation.NotMasterAccount", Caller, Reason::ShareAccountNotRoot),
        ("InvalidAccountId.NotFound", NotFound, Reason::ShareAccountNotFound),
        ("FailedOperation.BYOLImageShareFailed", Caller, Reason::ImageNotShareable),
        ("InvalidParameterValue.InvalidImageId", Caller, Reason::ImageNotShareable),
        ("UnauthorizedOperation.ImageNotBelongToAccount", Permission, Reason::ImageSharedToYou),
    ] {
        let meaning = of_api("ModifyImageSharePermission", code);
        assert_eq!((meaning.class, meaning.reason), (class, reason), "{code}");
    }
}

#[test]
fn a_full_destination_and_a_full_list_of_shares_are_no_spent_day() {
    let destination = of_api("SyncImages", "ImageQuotaLimitExceeded");
    assert_eq!((destination.class, destination.reason), (Caller, Reason::DestinationFull));
    let shares = of_api("ModifyImageSharePermission", "OverQuota");
    assert_eq!((shares.class, shares.reason), (Caller, Reason::ShareQuotaSpent));
    assert_eq!(of_api("SyncImages", "LimitExceeded").class, Quota);
}

#[test]
fn an_image_that_is_still_being_made_can_be_removed_later() {
    assert_eq!(of_api("DeleteImages", "InvalidImageId.IncorrectState").class, Busy);
    assert_eq!(of_api("DeleteImages", "InvalidImageId.InShared").reason, Reason::ImageStillShared);
}

#[test]
fn codes_of_cos_win_over_the_status_and_the_status_decides_without_one() {
    assert_eq!(of_cos(Some("SlowDown"), 503).class, Throttled);
    assert_eq!(of_cos(Some("ExpiredToken"), 400).class, Credentials);
    assert_eq!(of_cos(Some("Novelty"), 500).class, Transient);
    let classes = [400, 403, 404, 412, 429, 500, 503].map(|status| of_cos(None, status).class);
    assert_eq!(classes, [Caller, Permission, NotFound, Caller, Throttled, Transient, Transient]);
}
