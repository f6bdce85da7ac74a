//! Periods: months of any length, minimums of the classes, begun hours.

use prost_types::Duration;
use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::Cloud;

use super::asking::{amount, days, export, line, of_export, total};

fn storage(class: &str, keep_for: Option<Duration>) -> (i64, String) {
    let estimate = of_export(&pb::EstimateExportRequest { storage_class: class.into(), keep_for, ..export() });
    let line = line(&estimate, "storage");
    (line.billed_hours, amount(line).to_owned())
}

#[test]
fn a_month_is_thirty_days_whatever_the_calendar_says() {
    assert_eq!(storage("STANDARD", days(28)), (672, "2.240000".into()));
    assert_eq!(storage("STANDARD", days(30)), (720, "2.400000".into()));
    assert_eq!(storage("STANDARD", days(31)), (744, "2.480000".into()));
}

#[test]
fn colder_classes_bill_their_minimum() {
    // One day short, exactly, and one day more than 30, 90 and 180 days.
    assert_eq!(storage("STANDARD_IA", days(29)), (720, "1.800000".into()));
    assert_eq!(storage("STANDARD_IA", days(30)), (720, "1.800000".into()));
    assert_eq!(storage("STANDARD_IA", days(31)), (744, "1.860000".into()));
    assert_eq!(storage("ARCHIVE", days(89)), (2_160, "1.500000".into()));
    assert_eq!(storage("ARCHIVE", days(91)), (2_184, "1.516667".into()));
    assert_eq!(storage("DEEP_ARCHIVE", days(1)), (4_320, "1.200000".into()));
    assert_eq!(storage("DEEP_ARCHIVE", days(180)), (4_320, "1.200000".into()));
}

#[test]
fn alibabas_minimums_are_its_own() {
    let billed = |class: &str| {
        let estimate = of_export(&pb::EstimateExportRequest {
            cloud: Cloud::Alibaba.into(),
            site: pb::Site::Cn.into(),
            region: "cn-hangzhou".into(),
            storage_class: class.into(),
            keep_for: days(1),
            ..export()
        });
        line(&estimate, "storage").billed_hours
    };
    let classes = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
    assert_eq!(classes.map(billed), [24, 720, 1_440, 4_320, 4_320]);
}

#[test]
fn an_hour_that_has_begun_counts() {
    let just_over = Some(Duration { seconds: 3_600, nanos: 1 });
    assert_eq!(storage("STANDARD", just_over).0, 2);
    assert_eq!(storage("STANDARD", Some(Duration { seconds: 1, nanos: 0 })).0, 1);
}

#[test]
fn without_a_period_thirty_days_are_assumed_and_said() {
    let estimate = of_export(&pb::EstimateExportRequest { keep_for: None, ..export() });
    assert_eq!(line(&estimate, "storage").billed_hours, 720);
    assert!(estimate.assumptions.iter().any(|assumption| assumption.code == "KEEP_FOR"));
}

#[test]
fn totals_tell_what_is_paid_once_and_what_each_month_costs() {
    let estimate = of_export(&pb::EstimateExportRequest { keep_for: days(90), ..export() });
    assert_eq!(estimate.per_month.clone().unwrap().expected, "2.400000");
    assert_eq!(estimate.one_time.clone().unwrap().expected, "0.000320");
    assert_eq!(total(&estimate), "7.200320");
}
