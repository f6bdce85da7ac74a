//! Worked examples, to the last digit. They prove the arithmetic over the built-in prices, not today's bill.

use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::{Cloud, ImageFormat};

use super::asking::{
    amount, copy, days, disks_gib, export, hours, line, lines, of_copy, of_export, public, quantity, total, totals,
};

/// Item, quantity and amount of one line.
fn says(estimate: &pb::Estimate, item: &str, wanted: (&str, &str)) {
    let line = line(estimate, item);
    assert_eq!((quantity(line), amount(line)), wanted, "{item}");
}

#[test]
fn tencent_intl_exports_two_raw_disks_to_standard_with_one_public_download() {
    let estimate = of_export(&pb::EstimateExportRequest {
        disks: disks_gib(&[50, 200]),
        format: ImageFormat::Raw.into(),
        storage_class: "STANDARD".into(),
        downloads: public(1),
        ..export()
    });
    says(&estimate, "storage", ("250", "6.000000"));
    says(&estimate, "request_put", ("4004", "0.000801"));
    says(&estimate, "ingress", ("250", "0.000000"));
    says(&estimate, "request_get", ("4000", "0.000800"));
    says(&estimate, "egress_public", ("250", "25.000000"));
    assert_eq!(total(&estimate), "31.001601");
    let writes = line(&estimate, "request_put").quantity.clone().unwrap();
    assert_eq!((writes.low.as_str(), writes.high.as_str()), ("54", "20004"), "12 + 42 to 2 x 10002 calls");
    assert_eq!(line(&estimate, "request_put").confidence(), pb::Confidence::Low);
    assert_eq!(estimate.confidence(), pb::Confidence::High, "the assumed requests weigh nothing");
    assert!(!estimate.lower_bound);
    assert_eq!(estimate.currency, "USD");
}

#[test]
fn tencent_cn_bills_thirty_days_of_standard_ia_that_was_kept_for_ten() {
    let estimate = of_export(&pb::EstimateExportRequest {
        site: pb::Site::Cn.into(),
        region: "ap-shanghai".into(),
        storage_class: "STANDARD_IA".into(),
        keep_for: days(10),
        downloads: Some(pb::Downloads { private_count: 1, ..pb::Downloads::default() }),
        ..export()
    });
    says(&estimate, "storage", ("100", "8.000000"));
    says(&estimate, "request_put", ("1602", "0.008010"));
    says(&estimate, "ingress", ("100", "0.000000"));
    says(&estimate, "request_get", ("1600", "0.008000"));
    says(&estimate, "retrieval", ("100", "2.000000"));
    says(&estimate, "egress_private", ("100", "0.000000"));
    assert_eq!(total(&estimate), "10.016010");
    let storage = line(&estimate, "storage");
    assert_eq!((storage.asked_hours, storage.billed_hours), (240, 720));
    assert_eq!(storage.note, "10 days kept, 30 days billed: the minimum of STANDARD_IA");
    assert_eq!(estimate.currency, "CNY");
}

#[test]
fn tencent_intl_copies_with_a_free_tier_that_is_left() {
    let request = pb::EstimateCopyRequest {
        free: Some(pb::FreeAllowance { snapshot_bytes: 80 << 30, ..pb::FreeAllowance::default() }),
        ..copy()
    };
    let estimate = of_copy(&request);
    says(&estimate, "cross_region_copy", ("100", "0.000000"));
    let snapshots: Vec<_> =
        lines(&estimate, "snapshot").iter().map(|line| (quantity(line).to_owned(), amount(line).to_owned())).collect();
    assert_eq!(snapshots, [("80".into(), "0.000000".into()), ("20".into(), "0.370080".into())]);
    assert_eq!(total(&estimate), "0.370080");
    assert_eq!(line(&estimate, "cross_region_copy").note, "documented free, under review");
    assert!(estimate.warnings.iter().any(|warning| warning.code == "COPY_FEE_UNDER_REVIEW"));
    // Unless it is asked for, nothing is free: 100 GB x 720 h x 0.0000257.
    assert_eq!(total(&of_copy(&copy())), "1.850400");
}

fn alibaba_export() -> pb::EstimateExportRequest {
    pb::EstimateExportRequest {
        cloud: Cloud::Alibaba.into(),
        site: pb::Site::Cn.into(),
        region: "cn-hangzhou".into(),
        storage_class: "Standard-LRS".into(),
        format: ImageFormat::Qcow2.into(),
        disks: disks_gib(&[40, 100]),
        downloads: public(1),
        overrides: Some(pb::Overrides { export_ratio: "0.6".into(), ..pb::Overrides::default() }),
        ..export()
    }
}

#[test]
fn alibaba_cn_exports_two_qcow2_disks_with_one_public_download_by_day() {
    let estimate = of_export(&alibaba_export());
    says(&estimate, "storage", ("84", "10.080000"));
    says(&estimate, "request_put", ("1348", "0.001348"));
    says(&estimate, "ingress", ("84", "0.000000"));
    says(&estimate, "request_get", ("1344", "0.001344"));
    says(&estimate, "egress_public_peak", ("84", "42.000000"));
    assert_eq!(total(&estimate), "52.082692");
}

#[test]
fn the_same_export_costs_less_by_night_with_the_discount_and_more_at_full_size() {
    let by_night = pb::Downloads { public_off_peak_count: 1, ..pb::Downloads::default() };
    let by_night = pb::EstimateExportRequest { downloads: Some(by_night), ..alibaba_export() };
    assert_eq!(total(&of_export(&by_night)), "31.082692");
    let discounted = pb::EstimateExportRequest { price_basis: pb::PriceBasis::Discounted.into(), ..alibaba_export() };
    assert_eq!(total(&of_export(&discounted)), "49.562692");
    let overrides = Some(pb::Overrides { export_ratio: "1.0".into(), ..pb::Overrides::default() });
    let full = pb::EstimateExportRequest { overrides, ..alibaba_export() };
    assert_eq!(total(&of_export(&full)), "86.804484");
}

#[test]
fn alibaba_intl_copies_encrypted_with_the_default_key_and_keeps_it_ninety_days() {
    let estimate = of_copy(&pb::EstimateCopyRequest {
        cloud: Cloud::Alibaba.into(),
        source_region: "ap-southeast-1".into(),
        destination_regions: vec!["cn-hangzhou".into()],
        disks: disks_gib(&[40]),
        keep_for: hours(2_160),
        encryption: pb::Encryption::DefaultKey.into(),
        ..copy()
    });
    says(&estimate, "cross_region_copy", ("40", "0.000000"));
    says(&estimate, "snapshot", ("40", "2.076000"));
    assert_eq!(amount(line(&estimate, "kms_api")), "0.000000");
    assert_eq!(total(&estimate), "2.076000");
}

#[test]
fn alibaba_cn_copies_abroad_at_a_stale_price() {
    let request = pb::EstimateCopyRequest {
        cloud: Cloud::Alibaba.into(),
        site: pb::Site::Cn.into(),
        source_region: "cn-hangzhou".into(),
        destination_regions: vec!["ap-southeast-1".into()],
        disks: disks_gib(&[40]),
        keep_for: hours(2_160),
        ..copy()
    };
    let estimate = of_copy(&request);
    says(&estimate, "cross_region_copy", ("40", "0.000000"));
    says(&estimate, "snapshot", ("40", "20.160000"));
    assert_eq!(totals(&estimate)[1], "20.160000");
    assert_eq!(estimate.confidence(), pb::Confidence::Low);
    let free = Some(pb::FreeAllowance { snapshot_bytes: 5 << 30, ..pb::FreeAllowance::default() });
    assert_eq!(total(&of_copy(&pb::EstimateCopyRequest { free, ..request })), "17.640000");
}
