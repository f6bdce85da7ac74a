//! A request that is wrong by itself is refused with a reason of its own, in the preview and at the start, and
//! spends nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use sampan_proto::export::v1::{CreateDownloadUrlsRequest, ExportImageRequest, ExportSpec};
use sampan_proto::image::v1::{Cloud, ImageFormat, ImageReference};
use sampan_proto::operation::v1 as pb;
use sampan_tests_e2e::{ALIBABA, Lane, Refusal, TENCENT, World, duration, request, spec_of};
use tonic::Code;

/// One mistake: what it is, how it is made, and the field and the reason that it is told by.
type Case = (&'static str, fn(&mut ExportSpec), &'static str, &'static str);

fn image(spec: &mut ExportSpec) -> &mut ImageReference {
    spec.image.as_mut().expect("an image")
}

const ON_BOTH: &[Case] = &[
    ("no image", |spec| spec.image = None, "spec.image", "FIELD_REQUIRED"),
    ("no cloud", |spec| image(spec).cloud = 0, "spec.image.cloud", "FIELD_REQUIRED"),
    ("an unknown cloud", |spec| image(spec).cloud = 99, "spec.image.cloud", "ENUM_VALUE_UNKNOWN"),
    ("a negative cloud", |spec| image(spec).cloud = -1, "spec.image.cloud", "ENUM_VALUE_UNKNOWN"),
    ("no account", |spec| image(spec).account.clear(), "spec.image.account", "FIELD_REQUIRED"),
    ("an unknown account", |spec| image(spec).account = "nobody".into(), "spec.image.account", "ACCOUNT_UNKNOWN"),
    ("a malformed account", |spec| image(spec).account = "No Body!".into(), "spec.image.account", "FIELD_MALFORMED"),
    ("no region", |spec| image(spec).region.clear(), "spec.image.region", "FIELD_REQUIRED"),
    ("a malformed region", |spec| image(spec).region = "AP GUANGZHOU".into(), "spec.image.region", "FIELD_MALFORMED"),
    ("a region with line breaks", |spec| image(spec).region = "a\r\nb".into(), "spec.image.region", "FIELD_MALFORMED"),
    ("no image id", |spec| image(spec).image_id.clear(), "spec.image.image_id", "FIELD_REQUIRED"),
    (
        "a malformed image id",
        |spec| image(spec).image_id = "ami-1234".into(),
        "spec.image.image_id",
        "IMAGE_ID_MALFORMED",
    ),
    (
        "an endless image id",
        |spec| image(spec).image_id = "m-".to_owned() + &"a".repeat(4096),
        "spec.image.image_id",
        "IMAGE_ID_MALFORMED",
    ),
    ("no bucket", |spec| spec.bucket.clear(), "spec.bucket", "FIELD_REQUIRED"),
    ("a bucket with a path", |spec| spec.bucket = "../etc/passwd".into(), "spec.bucket", "BUCKET_NAME_MALFORMED"),
    ("an empty prefix", |spec| spec.prefix = Some(String::new()), "spec.prefix", "PREFIX_MALFORMED"),
    ("an over-long prefix", |spec| spec.prefix = Some("a".repeat(101)), "spec.prefix", "PREFIX_MALFORMED"),
    ("a prefix with a slash", |spec| spec.prefix = Some("a/b".into()), "spec.prefix", "PREFIX_MALFORMED"),
    ("a prefix beyond ASCII", |spec| spec.prefix = Some("镜像".into()), "spec.prefix", "PREFIX_MALFORMED"),
    ("an unknown format", |spec| spec.format = 77, "spec.format", "ENUM_VALUE_UNKNOWN"),
    ("a negative format", |spec| spec.format = i32::MIN, "spec.format", "ENUM_VALUE_UNKNOWN"),
    (
        "an unknown wish for a spent day",
        |spec| spec.when_quota_spent = 9,
        "spec.when_quota_spent",
        "ENUM_VALUE_UNKNOWN",
    ),
    ("a malformed role", |spec| spec.role_name = "a role".into(), "spec.role_name", "FIELD_MALFORMED"),
    ("a negative deadline", |spec| spec.deadline = seconds(-5), "spec.deadline", "DEADLINE_OUT_OF_RANGE"),
    ("a deadline of nothing", |spec| spec.deadline = seconds(0), "spec.deadline", "DEADLINE_OUT_OF_RANGE"),
    ("a short deadline", |spec| spec.deadline = seconds(59), "spec.deadline", "DEADLINE_OUT_OF_RANGE"),
    ("a huge deadline", |spec| spec.deadline = seconds(i64::MAX), "spec.deadline", "DEADLINE_OUT_OF_RANGE"),
    (
        "a deadline with negative nanos",
        |spec| spec.deadline = Some(prost_types::Duration { seconds: 90, nanos: -1 }),
        "spec.deadline",
        "DEADLINE_OUT_OF_RANGE",
    ),
    (
        "a deadline with huge nanos",
        |spec| spec.deadline = Some(prost_types::Duration { seconds: 90, nanos: i32::MAX }),
        "spec.deadline",
        "DEADLINE_OUT_OF_RANGE",
    ),
    ("a negative alarm", |spec| spec.stall_after = seconds(i64::MIN), "spec.stall_after", "DEADLINE_OUT_OF_RANGE"),
    ("a huge alarm", |spec| spec.stall_after = seconds(30 * 86_400 + 1), "spec.stall_after", "DEADLINE_OUT_OF_RANGE"),
];

const ON_TENCENT: &[Case] = &[
    (
        "a region of the other cloud",
        |spec| image(spec).region = "cn-hangzhou".into(),
        "spec.image.region",
        "REGION_OF_OTHER_CLOUD",
    ),
    (
        "an account of the other cloud",
        |spec| image(spec).account = "alibaba".into(),
        "spec.image.account",
        "ACCOUNT_OF_OTHER_CLOUD",
    ),
    (
        "an image id of the other cloud",
        |spec| image(spec).image_id = "m-bp1sampanubuntu00001".into(),
        "spec.image.image_id",
        "IMAGE_ID_MALFORMED",
    ),
    ("a bucket without APPID", |spec| spec.bucket = "sampan-guangzhou".into(), "spec.bucket", "BUCKET_NAME_MALFORMED"),
    (
        "a format that the cloud lacks",
        |spec| spec.format = ImageFormat::Vdi.into(),
        "spec.format",
        "FORMAT_UNSUPPORTED",
    ),
];

const ON_ALIBABA: &[Case] = &[
    (
        "a region of the other cloud",
        |spec| image(spec).region = "ap-guangzhou".into(),
        "spec.image.region",
        "REGION_OF_OTHER_CLOUD",
    ),
    (
        "an account of the other cloud",
        |spec| image(spec).account = "tencent".into(),
        "spec.image.account",
        "ACCOUNT_OF_OTHER_CLOUD",
    ),
    (
        "an image id of the other cloud",
        |spec| image(spec).image_id = "img-ubuntu01".into(),
        "spec.image.image_id",
        "IMAGE_ID_MALFORMED",
    ),
    ("a bucket in capitals", |spec| spec.bucket = "Sampan".into(), "spec.bucket", "BUCKET_NAME_MALFORMED"),
    ("a bucket of two letters", |spec| spec.bucket = "ab".into(), "spec.bucket", "BUCKET_NAME_MALFORMED"),
    ("a prefix of 31 letters", |spec| spec.prefix = Some("a".repeat(31)), "spec.prefix", "PREFIX_MALFORMED"),
    ("a prefix with a hyphen", |spec| spec.prefix = Some("nightly-1".into()), "spec.prefix", "PREFIX_MALFORMED"),
    (
        "a format that the region lacks",
        |spec| spec.format = ImageFormat::Qcow2.into(),
        "spec.format",
        "FORMAT_UNSUPPORTED_IN_REGION",
    ),
    ("the root disk alone", |spec| spec.only_root_disk = true, "spec.only_root_disk", "ROOT_DISK_ONLY_UNSUPPORTED"),
];

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
fn nanos(seconds: i64, nanos: i32) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos })
}

#[tokio::test]
async fn every_wrong_field_has_its_own_reason_says_what_to_do_and_spends_nothing_on_tencent() {
    refuses_all(TENCENT, ON_BOTH.iter().chain(ON_TENCENT)).await;
}

#[tokio::test]
async fn every_wrong_field_has_its_own_reason_says_what_to_do_and_spends_nothing_on_alibaba() {
    refuses_all(ALIBABA, ON_BOTH.iter().chain(ON_ALIBABA)).await;
}

async fn refuses_all(lane: Lane, cases: impl Iterator<Item = &Case>) {
    let world = World::start().await;
    let api = world.api();
    for (what, spoil, field, reason) in cases {
        let mut spec = spec_of(&lane, lane.image("ubuntu"));
        spoil(&mut spec);

        let preview = api.preview(spec.clone()).await;
        assert!(!preview.startable, "{what}: the preview says startable");
        let told = preview.violations.iter().find(|violation| violation.rule == *reason && violation.field == *field);
        let told =
            told.unwrap_or_else(|| panic!("{what}: the preview has no {reason} at {field}: {:#?}", preview.violations));
        assert!(!told.message.is_empty() && !told.fix.is_empty(), "{what}: {told:#?}");

        let calls = world.clouds.audit().await.0.len();
        let refusal = api.refused(request(spec)).await;
        assert_eq!(world.clouds.audit().await.0.len(), calls, "{what}: a start that is refused asked the cloud");
        assert!(refusal.fields().contains(&(*field, *reason)), "{what}: {refusal:#?}");
        assert_eq!(refusal.reason(), refusal.fields()[0].1, "{what}");
        assert!(!refusal.remedy().is_empty(), "{what}: {refusal:#?}");
        let is_of_region = *reason == "FORMAT_UNSUPPORTED_IN_REGION";
        let code = if is_of_region { Code::FailedPrecondition } else { Code::InvalidArgument };
        assert_eq!(refusal.code, code, "{what}: {refusal:#?}");
    }
    spent_nothing(&world, &lane).await;
}

async fn spent_nothing(world: &World, lane: &Lane) {
    assert!(world.clouds.audit().await.mutating().is_empty());
    let quota = world.api().quota(lane).await;
    assert_eq!((quota.used, quota.reserved, quota.waiting_count), (0, 0, 0));
    assert!(world.api().list(pb::ListOperationsRequest::default()).await.operations.is_empty());
}

#[tokio::test]
async fn all_wrong_fields_are_told_at_once() {
    let world = World::start().await;
    let api = world.api();
    let mut spec = spec_of(&TENCENT, "ami-1234");
    image(&mut spec).region = "cn-hangzhou".into();
    spec.bucket = "nobucket".into();
    spec.prefix = Some(String::new());
    spec.format = ImageFormat::Vdi.into();
    spec.deadline = seconds(1);
    spec.stall_after = seconds(-1);
    spec.role_name = "a role".into();
    let wrong = BTreeSet::from([
        ("spec.image.region", "REGION_OF_OTHER_CLOUD"),
        ("spec.image.image_id", "IMAGE_ID_MALFORMED"),
        ("spec.bucket", "BUCKET_NAME_MALFORMED"),
        ("spec.prefix", "PREFIX_MALFORMED"),
        ("spec.format", "FORMAT_UNSUPPORTED"),
        ("spec.deadline", "DEADLINE_OUT_OF_RANGE"),
        ("spec.stall_after", "DEADLINE_OUT_OF_RANGE"),
        ("spec.role_name", "FIELD_MALFORMED"),
    ]);
    let preview = api.preview(spec.clone()).await;
    let told: BTreeSet<_> =
        preview.violations.iter().map(|violation| (violation.field.as_str(), violation.rule.as_str())).collect();
    assert_eq!(told, wrong);
    let start = ExportImageRequest {
        request_id: "no-uuid".into(),
        spec: Some(spec),
        labels: [("k".repeat(64), String::new())].into(),
    };
    let refusal = api.refused(start).await;
    let told: BTreeSet<_> = refusal.fields().into_iter().collect();
    let also = BTreeSet::from([("request_id", "FIELD_MALFORMED"), ("labels", "FIELD_MALFORMED")]);
    assert_eq!(told, wrong.union(&also).copied().collect());
    spent_nothing(&world, &TENCENT).await;
}

#[tokio::test]
async fn a_request_without_a_spec_is_refused() {
    let world = World::start().await;
    let refusal = world.api().refused(ExportImageRequest::default()).await;
    assert_eq!((refusal.code, refusal.fields()), (Code::InvalidArgument, vec![("spec", "FIELD_REQUIRED")]));
}

#[tokio::test]
async fn a_malformed_request_id_is_refused() {
    let world = World::start().await;
    for id in ["1", "not-a-uuid-at-all", "01a1fec7-3581-7a25-8c74-a0ef1ea9bc6", "01a1fec7-3581-7a25-8c74-a0ef1ea9bc6ff"]
    {
        let mut start = request(spec_of(&TENCENT, TENCENT.image("ubuntu")));
        start.request_id = id.into();
        let refusal = world.api().refused(start).await;
        assert_eq!((refusal.code, refusal.reason()), (Code::InvalidArgument, "FIELD_MALFORMED"), "{id}");
        assert_eq!(refusal.fields(), [("request_id", "FIELD_MALFORMED")], "{id}");
    }
    spent_nothing(&world, &TENCENT).await;
}

#[tokio::test]
async fn a_request_id_used_again_with_another_body_is_refused_and_starts_nothing() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let first = request(spec_of(&lane, lane.image("ubuntu")));
        let started = world.api().send(first.clone()).await.expect("started");
        let mut other = first.clone();
        other.spec.as_mut().expect("a spec").prefix = Some("other".into());
        let refusal = world.api().refused(other).await;
        assert_eq!((refusal.code, refusal.reason()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
        assert_eq!(refusal.fact("operation"), started.name);
        assert!(!refusal.remedy().is_empty());
        let again = world.api().send(first).await.expect("the same body is a repetition");
        assert_eq!(again.name, started.name);
        world.api().ended(&started.name).await;
        assert_eq!(world.clouds.audit().await.accepted_exports(&lane, &lane.image("ubuntu")), 1);
    }
}

#[tokio::test]
async fn a_request_of_five_mebibytes_is_refused_with_a_reason() {
    let world = World::start().await;
    let mut spec = spec_of(&TENCENT, TENCENT.image("ubuntu"));
    spec.prefix = Some("a".repeat(5 * 1024 * 1024));
    let refusal = world.api().refused(request(spec.clone())).await;
    assert_eq!((refusal.code, refusal.reason()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"), "{refusal:#?}");
    assert!(!refusal.remedy().is_empty());
    let preview = sampan_proto::export::v1::PreviewExportRequest { spec: Some(spec) };
    let refused = world.api().export.preview_export(preview).await.expect_err("refused");
    assert_eq!(Refusal::of(&refused).reason(), "MESSAGE_TOO_LARGE");
    spent_nothing(&world, &TENCENT).await;
}

#[tokio::test]
async fn wrong_labels_are_refused() {
    let world = World::start().await;
    let many = (0..65).map(|number| (format!("key{number}"), String::new())).collect();
    let long = [("key".to_owned(), "v".repeat(256))].into();
    let nameless = [(String::new(), "value".to_owned())].into();
    for (labels, reason) in [(many, "NUMBER_OUT_OF_RANGE"), (long, "FIELD_MALFORMED"), (nameless, "FIELD_MALFORMED")] {
        let start = ExportImageRequest { labels, ..request(spec_of(&TENCENT, TENCENT.image("ubuntu"))) };
        let refusal = world.api().refused(start).await;
        assert_eq!((refusal.code, refusal.fields()), (Code::InvalidArgument, vec![("labels", reason)]));
    }
    spent_nothing(&world, &TENCENT).await;
}

#[tokio::test]
async fn wrong_names_numbers_and_filters_of_the_other_calls_are_refused() {
    let world = World::start().await;
    let mut api = world.api();
    let name = |name: &str| pb::GetOperationRequest { name: name.into() };
    for (wrong, reason) in
        [("", "FIELD_REQUIRED"), ("operations/7", "FIELD_MALFORMED"), ("../../etc", "FIELD_MALFORMED")]
    {
        let refused = Refusal::of(&api.operations.get_operation(name(wrong)).await.expect_err("refused"));
        assert_eq!((refused.code, refused.fields()), (Code::InvalidArgument, vec![("name", reason)]), "{wrong}");
    }
    let absent = "operations/01a1fec7-3581-7a25-8c74-a0ef1ea9bc6f";
    let refused = Refusal::of(&api.operations.get_operation(name(absent)).await.expect_err("refused"));
    assert_eq!((refused.code, refused.reason()), (Code::NotFound, "OPERATION_NOT_FOUND"));

    for timeout in
        [seconds(-1), seconds(601), seconds(i64::MAX), Some(prost_types::Duration { seconds: 0, nanos: i32::MIN })]
    {
        let wait = pb::WaitOperationRequest { name: absent.into(), timeout };
        let refused = Refusal::of(&api.operations.wait_operation(wait).await.expect_err("refused"));
        assert_eq!((refused.code, refused.reason()), (Code::InvalidArgument, "NUMBER_OUT_OF_RANGE"), "{timeout:?}");
    }
    let lists = [
        (pb::ListOperationsRequest { page_size: -1, ..Default::default() }, "page_size", "NUMBER_OUT_OF_RANGE"),
        (
            pb::ListOperationsRequest { page_token: "gibberish".into(), ..Default::default() },
            "page_token",
            "FIELD_MALFORMED",
        ),
        (pb::ListOperationsRequest { states: vec![42], ..Default::default() }, "states", "ENUM_VALUE_UNKNOWN"),
        (pb::ListOperationsRequest { kinds: vec![42], ..Default::default() }, "kinds", "ENUM_VALUE_UNKNOWN"),
        (pb::ListOperationsRequest { cloud: 42, ..Default::default() }, "cloud", "ENUM_VALUE_UNKNOWN"),
        (pb::ListOperationsRequest { account: "No Body".into(), ..Default::default() }, "account", "FIELD_MALFORMED"),
        (pb::ListOperationsRequest { region: "No Where".into(), ..Default::default() }, "region", "FIELD_MALFORMED"),
    ];
    for (list, field, reason) in lists {
        let refused = Refusal::of(&api.operations.list_operations(list).await.expect_err("refused"));
        assert_eq!((refused.code, refused.fields()), (Code::InvalidArgument, vec![(field, reason)]));
    }
    let quota = sampan_proto::quota::v1::GetQuotaRequest {
        cloud: Cloud::Tencent.into(),
        account: "nobody".into(),
        region: "ap-guangzhou".into(),
    };
    let refused = Refusal::of(&api.quotas.get_quota(quota.clone()).await.expect_err("refused"));
    assert_eq!(refused.reason(), "ACCOUNT_UNKNOWN");
    let other = sampan_proto::quota::v1::GetQuotaRequest { account: "alibaba".into(), ..quota };
    let refused = Refusal::of(&api.quotas.get_quota(other).await.expect_err("refused"));
    assert_eq!(refused.reason(), "ACCOUNT_OF_OTHER_CLOUD");
}

#[tokio::test]
async fn links_are_refused_for_wrong_durations_and_for_what_has_no_artifacts() {
    let world = World::start().await;
    let mut api = world.api();
    let operation = api.start(spec_of(&TENCENT, TENCENT.image("windows"))).await;
    let failed = api.ended(&operation.name).await;
    for valid_for in [
        seconds(-1),
        seconds(0),
        seconds(59),
        seconds(7 * 86_400 + 1),
        seconds(i64::MAX),
        nanos(90, -1),
        nanos(90, i32::MAX),
    ] {
        let links = CreateDownloadUrlsRequest { operation_name: failed.name.clone(), valid_for };
        let refused = Refusal::of(&api.export.create_download_urls(links).await.expect_err("refused"));
        assert_eq!(
            (refused.code, refused.fields()),
            (Code::InvalidArgument, vec![("valid_for", "NUMBER_OUT_OF_RANGE")])
        );
    }
    let valid_for = Some(duration(Duration::from_secs(60)));
    let links = CreateDownloadUrlsRequest { operation_name: failed.name, valid_for };
    let refused = Refusal::of(&api.export.create_download_urls(links).await.expect_err("refused"));
    assert_eq!((refused.code, refused.reason()), (Code::FailedPrecondition, "OPERATION_NOT_SUCCEEDED"));
}
