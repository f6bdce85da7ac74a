//! Reading a request: every field error at once, and no message that breaks the reader.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sampan_core::{Cloud, ImageFormat, Severity};
use sampan_export_service::spec::{ExportSpec, Ground, check_labels};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;

use crate::{accounts, documented};

fn parse(message: Option<pb::ExportSpec>) -> Result<ExportSpec, Vec<(String, String)>> {
    let (accounts, limits) = (accounts(), documented());
    match ExportSpec::parse(message, Ground { accounts: &accounts, limits: &limits }) {
        Ok((spec, warnings)) => {
            assert!(warnings.iter().all(|found| found.severity == Severity::Warning));
            Ok(spec)
        }
        Err(found) => {
            assert!(!found.is_empty());
            assert!(found.iter().all(|found| found.severity == Severity::Enforced && !found.fix.is_empty()));
            Err(found.into_iter().map(|found| (found.field, found.rule)).collect())
        }
    }
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

#[test]
fn labels_are_bounded_in_number_and_length() {
    let labels =
        |count: usize| (0..count).map(|index| (format!("k{index}"), String::new())).collect::<BTreeMap<_, _>>();
    assert!(check_labels(&labels(64)).is_ok());
    assert_eq!(check_labels(&labels(65)).unwrap_err()[0].rule, "NUMBER_OUT_OF_RANGE");
    let one = |key: String, value: String| check_labels(&BTreeMap::from([(key, value)]));
    assert!(one("k".repeat(63), "v".repeat(255)).is_ok());
    for (key, value) in
        [("k".repeat(64), String::new()), ("k".to_owned(), "v".repeat(256)), (String::new(), String::new())]
    {
        assert_eq!(one(key, value).unwrap_err()[0].rule, "FIELD_MALFORMED");
    }
    let flood: BTreeMap<_, _> = (0..100_000).map(|index| (format!("{index:070}"), String::new())).collect();
    assert!(check_labels(&flood).unwrap_err().len() <= 65, "an answer stays small whatever comes");
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
