//! What an estimate tells besides its figures.

use prost::Message as _;
use sampan_billing_service::Billing;
use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::{Cloud, ImageFormat};

use super::asking::{
    GIB, amount, built_in, clock_at, copy, days, disks_gib, download, export, line, lines, of_copy, of_download,
    of_export, public, total, totals,
};

#[test]
fn a_missing_price_is_a_lower_bound_and_never_a_zero() {
    let estimate = of_export(&pb::EstimateExportRequest {
        cloud: Cloud::Alibaba.into(),
        region: "ap-southeast-1".into(),
        downloads: public(1),
        ..export()
    });
    let storage = line(&estimate, "storage");
    assert_eq!(storage.status(), pb::LineStatus::PriceUnknown);
    assert_eq!((storage.amount.clone(), storage.unit_price.clone()), (None, None));
    assert!(estimate.lower_bound);
    assert_eq!(estimate.confidence(), pb::Confidence::Low);
    let warning = estimate.warnings.iter().find(|warning| warning.code == "PRICE_MISSING").unwrap();
    assert!(warning.text.contains("storage in ap-southeast-1"), "{}", warning.text);
}

#[test]
fn a_missing_price_of_something_that_is_not_used_bounds_nothing() {
    let estimate = of_export(&pb::EstimateExportRequest {
        cloud: Cloud::Alibaba.into(),
        site: pb::Site::Cn.into(),
        region: "cn-hangzhou".into(),
        ..export()
    });
    assert!(!estimate.lower_bound);
    assert_eq!(line(&estimate, "egress_public_peak").status(), pb::LineStatus::NotApplicable);
    assert_eq!(line(&estimate, "egress_public_peak").unit_price.clone().unwrap().amount, "0.5");
}

#[test]
fn free_items_stay_visible_with_their_reason_and_source() {
    let estimate = of_export(&export());
    let ingress = line(&estimate, "ingress");
    assert_eq!(ingress.status(), pb::LineStatus::Free);
    assert_eq!(ingress.note, "traffic into a bucket is free on both clouds");
    let price = ingress.unit_price.clone().unwrap();
    assert!(price.source.contains("436/33776"), "{}", price.source);
    assert_eq!((price.source_date.as_str(), price.file.as_str()), ("2023-07-20", "built-in"));
    assert_eq!(price.key, "tencent/intl/ap-guangzhou/ingress/");
}

#[test]
fn every_line_points_to_the_row_of_its_price() {
    let rows: Vec<&str> = include_str!("../../data/prices.csv").lines().collect();
    let estimate = of_export(&pb::EstimateExportRequest { downloads: public(1), ..export() });
    for line in &estimate.lines {
        let price = line.unit_price.clone().unwrap();
        let row = rows[usize::try_from(price.row).unwrap() - 1];
        assert!(row.contains(&line.item) && row.contains(&price.source_date), "{row}");
    }
}

#[test]
fn the_same_request_gives_the_same_bytes_on_any_day() {
    let request = pb::EstimateExportRequest { downloads: public(2), ..export() };
    let on = |day| Billing::new(built_in(), clock_at(day)).estimate_export(&request).unwrap();
    let (today, later) = (on("2026-11-21"), on("2036-11-21"));
    let bytes = |response: &pb::EstimateExportResponse| response.estimate.clone().unwrap().encode_to_vec();
    assert_eq!(bytes(&today), bytes(&later));
    assert_ne!(today.stale_prices, later.stale_prices, "the age of prices is told beside the estimate");
}

#[test]
fn prices_are_reported_from_the_day_after_their_year() {
    let on = |day| Billing::new(built_in(), clock_at(day)).estimate_download(&download()).unwrap().stale_prices;
    // Prices of 2023-07-10 and 2023-07-20; 2024 is a leap year.
    assert_eq!(on("2024-07-09"), []);
    let stale = on("2024-07-10");
    assert!(stale.iter().all(|price| price.source_date == "2023-07-10" && price.age_days == 366), "{stale:?}");
    assert!(stale.iter().any(|price| price.key.ends_with("/egress_public/STANDARD")));
}

#[test]
fn an_unknown_size_is_a_range_with_a_named_assumption() {
    let alibaba = pb::EstimateExportRequest {
        cloud: Cloud::Alibaba.into(),
        site: pb::Site::Cn.into(),
        region: "cn-hangzhou".into(),
        ..export()
    };
    let estimate = of_export(&alibaba);
    let storage = line(&estimate, "storage");
    let quantity = storage.quantity.clone().unwrap();
    assert_eq!([quantity.low, quantity.expected, quantity.high], ["10", "60", "100"]);
    assert_eq!(storage.assumptions, ["EXPORTED_SIZE"]);
    let assumption = estimate.assumptions.iter().find(|known| known.code == "EXPORTED_SIZE").unwrap();
    assert_eq!(assumption.override_field, "overrides.export_ratio");
    let known = pb::DiskSize { capacity_bytes: 100 * GIB, used_bytes: Some(50 * GIB) };
    let sizes = |format: ImageFormat| {
        let request = pb::EstimateExportRequest { disks: vec![known], format: format.into(), ..alibaba.clone() };
        let size = of_export(&request).resolved.unwrap().sizes[0];
        [size.low_bytes / GIB, size.expected_bytes / GIB, size.high_bytes / GIB]
    };
    assert_eq!(sizes(ImageFormat::Raw), [15, 30, 100], "packed");
    assert_eq!(sizes(ImageFormat::Qcow2), [15, 50, 100], "sparse");
}

#[test]
fn a_raw_file_of_tencent_has_the_size_of_its_disk() {
    let estimate = of_export(&export());
    let quantity = line(&estimate, "storage").quantity.clone().unwrap();
    assert_eq!([quantity.low, quantity.expected, quantity.high], ["100", "100", "100"]);
    assert!(line(&estimate, "storage").assumptions.is_empty());
}

#[test]
fn the_payable_figure_follows_the_vendors_rule() {
    // 6.00 + 0.000801 + 0.0008 + 25.00: each item is cut on Tencent, so what is less than a cent is never paid.
    let disks = disks_gib(&[50, 200]);
    let tencent = of_export(&pb::EstimateExportRequest { disks, downloads: public(1), ..export() });
    assert_eq!(tencent.payable.unwrap().expected, "31.00");
    // 2.076 on Alibaba.
    let alibaba = of_copy(&pb::EstimateCopyRequest {
        cloud: Cloud::Alibaba.into(),
        source_region: "ap-southeast-1".into(),
        destination_regions: vec!["cn-hangzhou".into()],
        disks: disks_gib(&[40]),
        keep_for: days(90),
        ..copy()
    });
    assert_eq!(alibaba.payable.unwrap().expected, "2.07");
}

#[test]
fn sharing_is_free_and_tells_what_the_receiver_pays() {
    let estimate = of_copy(&pb::EstimateCopyRequest { share_account_count: 3, ..copy() });
    let share = line(&estimate, "share");
    assert_eq!((amount(share), share.status()), ("0.000000", pb::LineStatus::NotApplicable));
    assert!(share.note.contains("0.0000257 USD per GB-hour in ap-beijing"), "{}", share.note);
    assert!(!estimate.lower_bound);
}

#[test]
fn each_destination_has_its_own_snapshots() {
    let destination_regions = vec!["ap-guangzhou".into(), "ap-hongkong".into()];
    let estimate = of_copy(&pb::EstimateCopyRequest { destination_regions, ..copy() });
    let amounts: Vec<_> =
        lines(&estimate, "snapshot").iter().map(|line| (line.region.as_str(), amount(line))).collect();
    assert_eq!(amounts, [("ap-guangzhou", "1.850400"), ("ap-hongkong", "2.592000")]);
    assert_eq!(total(&estimate), "4.442400");
}

#[test]
fn the_price_of_copying_snapshots_is_in_the_upper_figure_alone() {
    let request = pb::EstimateCopyRequest {
        cloud: Cloud::Alibaba.into(),
        site: pb::Site::Cn.into(),
        source_region: "cn-beijing".into(),
        destination_regions: vec!["cn-hangzhou".into()],
        ..copy()
    };
    // 100 GB x 0.12 for a month; at most 100 x 0.5 more; a tenth of the disk at least.
    assert_eq!(totals(&of_copy(&request)), ["1.200000", "12.000000", "62.000000"]);
    // Above 2 TiB the snapshots are what is copied.
    let estimate = of_copy(&pb::EstimateCopyRequest { disks: disks_gib(&[2_049]), ..request });
    assert_eq!(amount(line(&estimate, "snapshot_replication")), "1024.500000");
    assert_eq!(line(&estimate, "cross_region_copy").status(), pb::LineStatus::NotApplicable);
}

#[test]
fn a_key_of_ones_own_costs_by_the_day_and_perhaps_an_instance() {
    let estimate = of_copy(&pb::EstimateCopyRequest {
        cloud: Cloud::Alibaba.into(),
        source_region: "ap-southeast-1".into(),
        destination_regions: vec!["cn-hangzhou".into()],
        encryption: pb::Encryption::OwnKey.into(),
        ..copy()
    });
    assert_eq!(amount(line(&estimate, "kms_key")), "0.900000", "30 days x 0.03");
    let instance = line(&estimate, "kms_instance").amount.clone().unwrap();
    assert_eq!([instance.low, instance.expected, instance.high], ["0.000000", "0.000000", "135.000000"]);
    // The Chinese list has no such prices.
    let legacy = of_copy(&pb::EstimateCopyRequest {
        site: pb::Site::Cn.into(),
        encryption: pb::Encryption::DefaultKey.into(),
        ..copy()
    });
    assert_eq!(line(&legacy, "kms_key").status(), pb::LineStatus::PriceUnknown);
    assert!(legacy.lower_bound);
}

#[test]
fn tencent_counts_a_thousand_calls_at_least() {
    let encryption = pb::Encryption::OwnKey.into();
    let estimate = of_copy(&pb::EstimateCopyRequest { encryption, ..copy() });
    // 1000 calls at 0.18 per 10 000; the free 20 000 a month count only when they are given.
    assert_eq!(amount(line(&estimate, "kms_api")), "0.018000");
    let free = Some(pb::FreeAllowance { kms_calls: 20_000, ..pb::FreeAllowance::default() });
    let estimate = of_copy(&pb::EstimateCopyRequest { encryption, free, ..copy() });
    assert_eq!(amount(line(&estimate, "kms_api")), "0.000000");
}

#[test]
fn cold_objects_are_restored_before_they_are_read() {
    let estimate = of_download(&pb::EstimateDownloadRequest { storage_class: "deep_archive".into(), ..download() });
    // 10 GB x 0.02, one request at 1 per 10 000, a day of STANDARD at 0.024, 160 reads at 0.07 and 10 GB x 0.1.
    assert_eq!(amount(line(&estimate, "retrieval_standard")), "0.200000");
    assert_eq!(amount(line(&estimate, "request_restore_standard")), "0.000100");
    assert_eq!(amount(line(&estimate, "temporary_storage")), "0.008000");
    assert_eq!(amount(line(&estimate, "request_get")), "0.001120");
    assert_eq!(total(&estimate), "1.209220");
    let bulk = pb::Downloads { restore_speed: pb::RestoreSpeed::Bulk.into(), ..public(1).unwrap() };
    let estimate = of_download(&pb::EstimateDownloadRequest {
        storage_class: "DEEP_ARCHIVE".into(),
        downloads: Some(bulk),
        ..download()
    });
    assert_eq!(amount(line(&estimate, "retrieval_bulk")), "0.026000");
}

#[test]
fn free_traffic_is_a_line_of_its_own() {
    let free = Some(pb::FreeAllowance { public_traffic_bytes: 4 * GIB, ..pb::FreeAllowance::default() });
    let estimate = of_download(&pb::EstimateDownloadRequest { free, ..download() });
    let amounts: Vec<_> = lines(&estimate, "egress_public").iter().map(|line| amount(line)).collect();
    assert_eq!(amounts, ["0.000000", "0.600000"]);
}

#[test]
fn a_night_download_on_tencent_costs_the_same_and_says_so() {
    let downloads = Some(pb::Downloads { public_off_peak_count: 1, ..pb::Downloads::default() });
    let night = of_download(&pb::EstimateDownloadRequest { downloads, ..download() });
    assert_eq!(total(&night), total(&of_download(&download())));
    assert!(night.warnings.iter().any(|warning| warning.code == "NO_PEAK_HOURS"));
}
