//! Reading a request: every field error at once, and no message that breaks the reader.

use proptest::prelude::*;
use sampan_chassis::convert;
use sampan_core::limits::{Enforcement, Limits};
use sampan_core::{Cloud, ImageFormat, Severity, Violation};
use sampan_export_service::spec::{ExportSpec, Ground, Reading};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;

use crate::{accounts, changed, documented, only, rules, spec};

fn read(message: Option<pb::ExportSpec>, limits: &Limits) -> Reading {
    ExportSpec::read(message, Ground { accounts: &accounts(), limits })
}

fn parse(message: Option<pb::ExportSpec>) -> Result<ExportSpec, Vec<(String, String)>> {
    let Reading { spec, broken, warnings } = read(message, &documented());
    assert!(warnings.iter().all(|found| found.severity == Severity::Warning));
    assert!(broken.iter().all(|found| found.severity == Severity::Enforced && !found.fix.is_empty()));
    if broken.is_empty() {
        return Ok(spec.expect("a request without fault"));
    }
    Err(broken.into_iter().map(|found| (found.field, found.rule)).collect())
}

fn broken(message: pb::ExportSpec) -> Vec<(String, String)> {
    parse(Some(message)).expect_err("refused")
}

fn message() -> pb::ExportSpec {
    pb::ExportSpec {
        image: Some(image_pb::ImageReference {
            cloud: image_pb::Cloud::Tencent.into(),
            account: "tencent".to_owned(),
            region: "ap-guangzhou".to_owned(),
            image_id: "img-72n9mi0y".to_owned(),
        }),
        bucket: "images-1250000000".to_owned(),
        ..pb::ExportSpec::default()
    }
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(field, rule)| ((*field).to_owned(), (*rule).to_owned())).collect()
}

#[test]
fn a_small_message_gets_the_defaults() {
    let spec = parse(Some(message())).unwrap();
    assert_eq!((spec.format, spec.only_root_disk, spec.queue_when_quota_spent), (ImageFormat::Raw, false, false));
    assert_eq!((spec.prefix, spec.role_name, spec.deadline_seconds), (None, None, None));
    assert_eq!(spec.cloud, Cloud::Tencent);
}

#[test]
fn every_wrong_field_is_told_at_once_in_the_order_of_the_fields() {
    assert_eq!(parse(None).unwrap_err(), pairs(&[("spec", "FIELD_REQUIRED")]));
    assert_eq!(
        broken(pb::ExportSpec::default()),
        pairs(&[("spec.image", "FIELD_REQUIRED"), ("spec.bucket", "FIELD_REQUIRED")])
    );
    let all = pb::ExportSpec {
        image: Some(image_pb::ImageReference {
            cloud: 9,
            account: "nobody".to_owned(),
            region: "AP".to_owned(),
            image_id: "no id".to_owned(),
        }),
        format: 9,
        role_name: "no role!".to_owned(),
        when_quota_spent: -1,
        deadline: seconds(59),
        stall_after: seconds(i64::MIN),
        ..pb::ExportSpec::default()
    };
    assert_eq!(
        broken(all),
        pairs(&[
            ("spec.image.cloud", "ENUM_VALUE_UNKNOWN"),
            ("spec.image.account", "ACCOUNT_UNKNOWN"),
            ("spec.image.region", "FIELD_MALFORMED"),
            ("spec.image.image_id", "IMAGE_ID_MALFORMED"),
            ("spec.bucket", "FIELD_REQUIRED"),
            ("spec.format", "ENUM_VALUE_UNKNOWN"),
            ("spec.role_name", "FIELD_MALFORMED"),
            ("spec.when_quota_spent", "ENUM_VALUE_UNKNOWN"),
            ("spec.deadline", "DEADLINE_OUT_OF_RANGE"),
            ("spec.stall_after", "DEADLINE_OUT_OF_RANGE"),
        ])
    );
}

#[test]
fn an_account_of_the_other_cloud_is_told_as_such() {
    let mut message = message();
    message.image.as_mut().unwrap().account = "alibaba".to_owned();
    assert_eq!(broken(message), pairs(&[("spec.image.account", "ACCOUNT_OF_OTHER_CLOUD")]));
}

#[test]
fn waits_reach_from_a_minute_to_thirty_days() {
    const DAYS: i64 = 24 * 3600;
    let with = |deadline| parse(Some(pb::ExportSpec { deadline, ..message() }));
    for good in [60, 30 * DAYS] {
        assert_eq!(with(seconds(good)).unwrap().deadline_seconds, u64::try_from(good).ok());
    }
    for bad in [0, 59, 30 * DAYS + 1, -60, i64::MAX] {
        assert_eq!(with(seconds(bad)).unwrap_err(), pairs(&[("spec.deadline", "DEADLINE_OUT_OF_RANGE")]));
    }
}

#[test]
fn the_stall_alarm_rings_after_a_quarter_of_the_deadline_unless_the_caller_chose() {
    use std::time::Duration;

    use sampan_export_service::waiting::stall_after;

    let mut spec = parse(Some(message())).unwrap();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    assert_eq!(stall_after(&spec, minutes(12 * 60)), minutes(180));
    assert_eq!(stall_after(&spec, minutes(120)), minutes(30));
    assert_eq!(stall_after(&spec, minutes(1)), minutes(30));
    spec.stall_after_seconds = Some(60);
    assert_eq!(stall_after(&spec, minutes(12 * 60)), minutes(1));
}

#[test]
fn keys_begin_with_prefix_and_image() {
    let mut spec = parse(Some(message())).unwrap();
    assert_eq!(spec.key_stem(), "img-72n9mi0y_");
    spec.prefix = Some("nightly".to_owned());
    assert_eq!(spec.key_stem(), "nightly_img-72n9mi0y_");
}

/// Returns what is found in an image of that cloud, where only `region` and `image_id` may be wrong.
fn found(cloud: Cloud, region: &str, image_id: &str, limits: &Limits) -> Vec<Violation> {
    let good = spec(cloud);
    let image = image_pb::ImageReference {
        cloud: convert::image::cloud(cloud).into(),
        account: good.account.to_string(),
        region: if region.is_empty() { good.region.to_string() } else { region.to_owned() },
        image_id: if image_id.is_empty() { good.image.to_string() } else { image_id.to_owned() },
    };
    let Reading { broken, warnings, .. } =
        read(Some(pb::ExportSpec { image: Some(image), bucket: good.bucket, ..pb::ExportSpec::default() }), limits);
    [broken, warnings].concat()
}

#[test]
fn a_region_of_the_other_cloud_is_refused_and_an_unknown_one_warned_about() {
    for (cloud, other) in [(Cloud::Tencent, "cn-hangzhou"), (Cloud::Alibaba, "ap-guangzhou")] {
        let refused = found(cloud, other, "", &documented());
        assert_eq!((rules(&refused), refused[0].severity), (vec!["REGION_OF_OTHER_CLOUD"], Severity::Enforced));
        let warned = found(cloud, "mars-north-1", "", &documented());
        assert_eq!((rules(&warned), warned[0].severity), (vec!["FIELD_MALFORMED"], Severity::Warning));
        let off = changed(cloud, "regions", only(Enforcement::Off));
        assert!(found(cloud, "mars-north-1", "", &off).is_empty());
    }
}

#[test]
fn image_ids_have_the_form_of_their_cloud() {
    let with = |cloud, id: &str| rules(&found(cloud, "", id, &documented())).len();
    for (cloud, id) in
        [(Cloud::Tencent, "img-34vaef8fe"), (Cloud::Alibaba, "m-1"), (Cloud::Alibaba, "centos_8_x64_20G.vhd")]
    {
        assert_eq!(with(cloud, id), 0, "{id}");
    }
    for (cloud, id) in [
        (Cloud::Tencent, "m-bp67acfmxazb4p0001"),
        (Cloud::Tencent, "img-"),
        (Cloud::Tencent, "img-ABC"),
        (Cloud::Tencent, "img-a_b"),
        (Cloud::Alibaba, "img-72n9mi0y"),
        (Cloud::Alibaba, "m-"),
        (Cloud::Alibaba, "M-1"),
    ] {
        assert_eq!(with(cloud, id), 1, "{id}");
    }
}

#[test]
fn an_image_that_is_not_named_well_hides_no_fault_of_the_rest() {
    let rest = pb::ExportSpec {
        bucket: "no-appid".to_owned(),
        prefix: Some("a b".to_owned()),
        format: image_pb::ImageFormat::Vdi.into(),
        ..message()
    };
    let others = pairs(&[
        ("spec.bucket", "BUCKET_NAME_MALFORMED"),
        ("spec.prefix", "PREFIX_MALFORMED"),
        ("spec.format", "FORMAT_UNSUPPORTED"),
    ]);
    let with = |change: fn(&mut image_pb::ImageReference)| {
        let mut spec = rest.clone();
        change(spec.image.as_mut().unwrap());
        let mut broken = broken(spec);
        (broken.remove(0), broken)
    };
    let told = |field: &str, rule: &str| ((field.to_owned(), rule.to_owned()), others.clone());
    assert_eq!(with(|image| image.image_id = "no id".to_owned()), told("spec.image.image_id", "IMAGE_ID_MALFORMED"));
    assert_eq!(with(|image| image.image_id.clear()), told("spec.image.image_id", "FIELD_REQUIRED"));
    assert_eq!(with(|image| image.region = "AP".to_owned()), told("spec.image.region", "FIELD_MALFORMED"));
    assert_eq!(with(|image| image.account = "nobody".to_owned()), told("spec.image.account", "ACCOUNT_UNKNOWN"));
    let reading = read(
        Some(pb::ExportSpec { image: Some(image_pb::ImageReference { cloud: 1, ..Default::default() }), ..rest }),
        &documented(),
    );
    assert_eq!(reading.spec, None, "nothing of a stand-in goes on");
}

#[test]
fn formats_that_only_some_regions_export_are_not_judged_without_a_region() {
    let mut spec = message();
    let image = spec.image.as_mut().unwrap();
    (image.cloud, image.account, image.region) =
        (image_pb::Cloud::Alibaba.into(), "alibaba".to_owned(), "AP".to_owned());
    image.image_id = "m-1".to_owned();
    (spec.bucket, spec.format) = ("images".to_owned(), image_pb::ImageFormat::Vdi.into());
    assert_eq!(broken(spec.clone()), pairs(&[("spec.image.region", "FIELD_MALFORMED")]));
    spec.image.as_mut().unwrap().region = "cn-hangzhou".to_owned();
    assert_eq!(broken(spec), pairs(&[("spec.format", "FORMAT_UNSUPPORTED_IN_REGION")]), "and it is judged with one");
}

prop_compose! {
    fn any_message()(
        cloud in any::<i32>(), known_cloud in 0..3, is_known: bool, account in ".{0,70}", region in ".{0,50}",
        image_id in ".{0,140}", bucket in ".{0,90}", prefix in proptest::option::of(".{0,120}"), format in -1..8,
        only_root_disk: bool, role_name in ".{0,80}", when_quota_spent in -1..4,
        deadline in proptest::option::of((any::<i64>(), any::<i32>())),
        stall_after in proptest::option::of((any::<i64>(), any::<i32>())), has_image: bool,
    ) -> pb::ExportSpec {
        let duration = |parts: Option<(i64, i32)>| parts.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos });
        let good = message();
        let good = good.image.unwrap();
        let image = if is_known {
            image_pb::ImageReference { cloud: known_cloud, ..good }
        } else {
            image_pb::ImageReference { cloud, account, region, image_id }
        };
        pb::ExportSpec {
            image: has_image.then_some(image), bucket, prefix, format, only_root_disk, role_name, when_quota_spent,
            deadline: duration(deadline), stall_after: duration(stall_after),
            max_cost: None,
            expected_use: None,
        }
    }
}

proptest! {
    #[test]
    fn no_message_breaks_the_reader(message in any_message()) {
        if let Ok(spec) = parse(Some(message)) {
            // What is kept in the record reads back the same.
            let kept = serde_json::to_value(&spec).unwrap();
            prop_assert_eq!(serde_json::from_value::<ExportSpec>(kept).unwrap(), spec);
        }
    }

    #[test]
    fn no_limit_and_no_expected_use_breaks_the_reader(
        amount in "[0-9.eE+-]{0,40}|.{0,8}",
        currency in "CNY|USD||.{0,4}",
        seconds in any::<i64>(),
        counts in any::<[i32; 4]>(),
    ) {
        let period = Some(prost_types::Duration { seconds, nanos: 0 });
        let downloads = billing_pb::Downloads {
            public_count: counts[0],
            private_count: counts[1],
            restore_count: counts[2],
            restore_speed: counts[3],
            restored_for: period,
            ..Default::default()
        };
        let spec = pb::ExportSpec {
            max_cost: Some(billing_pb::CostLimit { amount, currency }),
            expected_use: Some(pb::ExpectedUse { keep_for: period, downloads: Some(downloads) }),
            ..message()
        };
        if let Ok(spec) = parse(Some(spec)) {
            let kept = serde_json::to_value(&spec).unwrap();
            prop_assert_eq!(serde_json::from_value::<ExportSpec>(kept).unwrap(), spec);
        }
    }
}
