//! How refusals look on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::time::Duration;

use fake_store::{id, lane, noon, running, spent_picture};
use sampan_chassis::{FieldProblem, Problem};
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Reason, Severity, Violation};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

fn violation(rule: &str, severity: Severity) -> Violation {
    Violation {
        rule: rule.to_owned(),
        field: "spec.prefix".to_owned(),
        message: "the prefix has 31 letters".to_owned(),
        limit: "30 letters".to_owned(),
        observed: "31 letters".to_owned(),
        source: String::new(),
        source_date: String::new(),
        fix: "shorten it".to_owned(),
        override_key: String::new(),
        severity,
    }
}

#[test]
fn every_reason_travels_with_its_code_an_error_info_and_a_remedy() {
    for reason in Reason::ALL {
        let status = Status::from(Problem::new(*reason, "it happened"));
        let info = status.get_details_error_info().expect("always there");
        assert_eq!(info.reason, reason.as_str());
        assert_eq!(info.domain, "sampan");
        assert_eq!(info.metadata["remedy"], reason.remedy());
        assert_ne!(status.code(), Code::Ok);
        assert_eq!(format!("{:?}", status.code()), format!("{:?}", reason.code()));
    }
}

#[test]
fn all_wrong_fields_are_told_at_once_each_with_its_reason() {
    let wrong = |reason, field: &str| FieldProblem { field: field.to_owned(), reason, message: "wrong".to_owned() };
    let status = Status::from(Problem::fields(vec![
        wrong(Reason::FieldRequired, "spec.bucket"),
        wrong(Reason::EnumValueUnknown, "spec.format"),
    ]));
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields = status.get_details_bad_request().unwrap().field_violations;
    let told: Vec<_> = fields.iter().map(|field| (field.field.as_str(), field.reason.as_str())).collect();
    assert_eq!(told, [("spec.bucket", "FIELD_REQUIRED"), ("spec.format", "ENUM_VALUE_UNKNOWN")]);
}

#[test]
fn broken_request_rules_become_field_violations_and_warnings_do_not() {
    let rules = [violation("PREFIX_MALFORMED", Severity::Enforced), violation("FORMAT_UNSUPPORTED", Severity::Warning)];
    let status = Status::from(Problem::request(&rules));
    let fields = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].reason, "PREFIX_MALFORMED");
    assert_eq!(fields[0].description, "the prefix has 31 letters (shorten it)");
}

#[test]
fn broken_rules_of_the_cloud_become_precondition_failures() {
    let problem = Problem::violations(
        Reason::ImageWindows,
        "the image cannot be exported",
        vec![violation("IMAGE_WINDOWS", Severity::Enforced), violation("IMAGE_RED_HAT", Severity::Warning)],
    );
    let status = Status::from(problem);
    assert_eq!(status.code(), Code::FailedPrecondition);
    let broken = status.get_details_precondition_failure().unwrap().violations;
    assert_eq!(broken.iter().map(|one| one.r#type.as_str()).collect::<Vec<_>>(), ["IMAGE_WINDOWS"]);
}

#[test]
fn a_spent_day_names_the_lane_and_the_time_to_its_reset() {
    let picture = spent_picture(lane("prod"), &QuotaRule::per_china_day(5));
    let status = Status::from(Problem::from_store(sampan_state::Error::QuotaSpent(Box::new(picture)), noon()));
    assert_eq!(status.code(), Code::ResourceExhausted);
    let quota = &status.get_details_quota_failure().unwrap().violations[0];
    assert_eq!(quota.subject, "tencent/prod/ap-guangzhou");
    assert_eq!(quota.quota_value, 5);
    assert_eq!(quota.quota_dimensions["region"], "ap-guangzhou");
    // Noon in China is 04:00 UTC; the next day begins at 16:00 UTC.
    let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(wait, Duration::from_secs(12 * 3_600));
}

#[test]
fn failures_of_the_store_have_the_code_that_tells_what_to_do() {
    use sampan_state::Error;
    let ended = Box::new(running(id(0)));
    let cases = [
        (Error::Unavailable("down".to_owned()), "STORE_UNAVAILABLE", Code::Unavailable),
        (Error::NotFound(id(0)), "OPERATION_NOT_FOUND", Code::NotFound),
        (Error::Ended(ended), "OPERATION_FINISHED", Code::FailedPrecondition),
        (Error::LeaseLost("x".to_owned()), "OPERATION_CHANGED", Code::Aborted),
        (Error::TooNew { key: "k".to_owned(), found: 2, known: 1 }, "RECORD_TOO_NEW", Code::FailedPrecondition),
    ];
    for (error, reason, code) in cases {
        let is_down = matches!(error, Error::Unavailable(_));
        let status = Status::from(Problem::from_store(error, noon()));
        assert_eq!(status.get_details_error_info().unwrap().reason, reason);
        assert_eq!(status.code(), code, "{reason}");
        assert_eq!(status.get_details_retry_info().is_some(), is_down, "{reason}");
    }
}

#[test]
fn a_failed_cloud_call_tells_the_words_of_the_vendor_and_when_to_come_back() {
    use sampan_cloud::{CallClass, CallError};
    let error = CallError {
        cloud: sampan_core::Cloud::Tencent,
        action: "ExportImages",
        class: CallClass::Throttled,
        reason: Reason::CloudThrottled,
        code: Some("RequestLimitExceeded".to_owned()),
        message: "slower".to_owned(),
        request_id: Some("r-1".to_owned()),
        http_status: Some(200),
        retry_after: Some(Duration::from_secs(3)),
        attempts: 6,
    };
    let status = Status::from(Problem::from_call(&error));
    assert_eq!(status.code(), Code::Unavailable);
    let facts = status.get_details_error_info().unwrap().metadata;
    assert_eq!((facts["vendor_code"].as_str(), facts["vendor_request_id"].as_str()), ("RequestLimitExceeded", "r-1"));
    assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(Duration::from_secs(3)));

    let denied = CallError { class: CallClass::Permission, reason: Reason::CloudPermissionDenied, ..error };
    assert!(Status::from(Problem::from_call(&denied)).get_details_retry_info().is_none(), "never repeat it unchanged");
}

#[test]
fn an_operation_that_cannot_be_retried_is_a_failed_precondition() {
    let error = sampan_ops::Error::NotRetryable { id: id(0), why: "it has not ended" };
    let status = Status::from(Problem::from_engine(error, noon()));
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.get_details_error_info().unwrap().reason, "OPERATION_NOT_RETRYABLE");
}

#[test]
fn details_stay_below_the_header_limit_of_common_clients() {
    let rules = vec![violation("PREFIX_MALFORMED", Severity::Enforced); 500];
    let status = Status::from(Problem::violations(Reason::ImageWindows, "x".repeat(100_000), rules));
    assert!(status.details().len() + status.message().len() < 6 * 1024);
}
