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
    assert_eq!(ecs("CopyImage", "OperationDenied", 403).reason, Reason::CloudRefused);
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

/// Every code of the vendor's pages for `ExportImage`, written out once more so that a lost row shows.
#[test]
fn no_documented_code_of_an_export_falls_back_on_its_status() {
    let documented = "MissingParameter InvalidImageName.Malformed InvalidOSSPrefix.Malformed InvalidRegionId.NotFound \
        InvalidRegion.NotSupport IncorrectImageStatus InvalidImageFormat.Malformed \
        InvalidImageFormat.RegionNotSupported InvalidOSSBucket.NotFound InvalidOSSBucket.NotMatched OperationDenied \
        InvalidImage.DiskAmountOrSize ImageNotSupported InvalidOSSObject.NeedRestore ImageIsExporting \
        ExportImageFailed UserNotInTheWhiteList NoSetRoletoECSServiceAcount InvalidOSS.NotAuthorized \
        ConcurrentQuotaExceed.ExportImage WeeklyQuotaExceed.ExportImage InvalidImageLicense.NotSupported \
        InvalidImageCategory.NotSupported InvalidOSSBucket.EncryptUnsupported InvalidImageId.NotFound \
        MissingSecurityToken IncompleteSignature SignatureNonceUsed IllegalTimestamp Forbbiden LastTokenProcessing";
    for code in documented.split_whitespace() {
        // With this status, falling back would mean a fault of the vendor for all of them but this one.
        let meaning = ecs("ExportImage", code, 599);
        assert!(meaning.class != Transient || code == "SignatureNonceUsed", "{code}");
    }
}
