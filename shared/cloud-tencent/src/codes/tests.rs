//! The documented codes, grouped by what the vendor's pages say of them, against the table.

use std::collections::HashSet;

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
const QUOTA: [&str; 5] = [
    "ImageQuotaLimitExceeded",
    "InvalidParameterValue.TagQuotaLimitExceeded",
    "LimitExceeded",
    "LimitExceeded.PreheatImageSnapshotOutOfQuota",
    "OverQuota",
];

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
const NEVER: [&str; 103] = [
    "ActionOffline",
    "FailedOperation",
    "FailedOperation.AccountAlreadyExists",
    "FailedOperation.AccountIsYourSelf",
    "FailedOperation.BYOLImageShareFailed",
    "FailedOperation.IllegalTagKey",
    "FailedOperation.NotMasterAccount",
    "FailedOperation.QImageShareFailed",
    "FailedOperation.RImageShareFailed",
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
    "InvalidParameterValue.TooLarge",
    "InvalidParameterValue.ZoneNotSupported",
    "InvalidRegion.NotFound",
    "InvalidRegion.Unavailable",
    "InvalidRequest",
    "InvalidZone.MismatchRegion",
    "MissingParameter",
    "NoSuchProduct",
    "NoSuchVersion",
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

fn classes(codes: &[&str]) -> HashSet<CallClass> {
    codes.iter().map(|code| of_api(code).class).collect()
}

#[test]
fn every_documented_code_is_in_the_table_itself() {
    let documented = [&WHO[..], &BUSY, &QUOTA, &NOT_FOUND, &SOON, &NEVER].concat();
    let missing: Vec<_> = documented.iter().filter(|code| find(API, code).is_none()).collect();
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
    for table in [API, COS] {
        let all: Vec<_> = table.iter().flat_map(|row| row.codes).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}

#[test]
fn an_unknown_code_has_the_meaning_of_its_family() {
    assert_eq!(of_api("ResourceInUse.Whatever"), of_api("ResourceInUse"));
    assert_eq!(of_api("RequestLimitExceeded.Whatever").class, Throttled);
    assert_eq!(of_api("InternalError.Whatever").class, Transient);
}

#[test]
fn a_code_of_an_unknown_family_has_an_unknown_outcome() {
    assert_eq!(of_api("Novelty.Whatever").class, UnknownOutcome);
    assert_eq!(of_api("").class, UnknownOutcome);
}

#[test]
fn only_credentials_that_may_have_been_replaced_are_fetched_anew() {
    for code in ["AuthFailure.TokenFailure", "AuthFailure.SecretIdNotFound", "UnauthorizedOperation.InvalidToken"] {
        assert!(of_api(code).renew_credentials, "{code}");
    }
    for code in ["AuthFailure.SignatureFailure", "AuthFailure.SignatureExpire", "UnauthorizedOperation"] {
        assert!(!of_api(code).renew_credentials, "{code}");
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
        assert_eq!(of_api(code).reason, reason, "{code}");
    }
}

#[test]
fn codes_of_cos_win_over_the_status_and_the_status_decides_without_one() {
    assert_eq!(of_cos(Some("SlowDown"), 503).class, Throttled);
    assert_eq!(of_cos(Some("ExpiredToken"), 400).class, Credentials);
    assert_eq!(of_cos(Some("Novelty"), 500).class, Transient);
    let classes = [400, 403, 404, 412, 429, 500, 503].map(|status| of_cos(None, status).class);
    assert_eq!(classes, [Caller, Permission, NotFound, Caller, Throttled, Transient, Transient]);
}
