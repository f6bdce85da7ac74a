//! Borders: tiers, the smallest and the largest sizes.

use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::Cloud;

use super::asking::{
    GIB, amount, billing_over, copy, days, disk, disks_gib, download, export, line, lines, of_copy, of_download,
    of_export, public, quantity, total, totals,
};

/// Falls at 10 GB and ends at 20.
const TIERED: [&str; 2] = [
    "tencent,intl,ap-guangzhou,storage,STANDARD,GB-month,0,10,0.1,USD,contract,2026-01-01,high",
    "tencent,intl,ap-guangzhou,storage,STANDARD,GB-month,10,20,0.05,USD,contract,2026-01-01,high",
];

fn storage_of(bytes: i64) -> Vec<(String, Option<String>)> {
    let request = pb::EstimateExportRequest { disks: vec![disk(bytes)], ..export() };
    let estimate = billing_over(&TIERED).estimate_export(&request).unwrap().estimate.unwrap();
    let of = |line: &&pb::Line| (quantity(line).to_owned(), line.amount.clone().map(|amount| amount.expected));
    lines(&estimate, "storage").iter().map(of).collect()
}

fn part(quantity: &str, amount: &str) -> (String, Option<String>) {
    (quantity.to_owned(), Some(amount.to_owned()))
}

#[test]
fn a_tier_ends_before_the_first_byte_of_the_next() {
    let border = 10 * GIB;
    assert_eq!(storage_of(border - 1), [part("9.999999999", "1.000000")]);
    assert_eq!(storage_of(border), [part("10", "1.000000")]);
    assert_eq!(storage_of(border + 1), [part("10", "1.000000"), part("0.000000001", "0.000000")]);
    assert_eq!(storage_of(border + GIB), [part("10", "1.000000"), part("1", "0.050000")]);
}

#[test]
fn what_lies_beyond_the_last_tier_has_no_price_and_makes_a_lower_bound() {
    assert_eq!(storage_of(20 * GIB), [part("10", "1.000000"), part("10", "0.500000")]);
    let beyond = storage_of(20 * GIB + 1);
    assert_eq!(beyond[2], ("0.000000001".to_owned(), None));
    let request = pb::EstimateExportRequest { disks: vec![disk(20 * GIB + 1)], ..export() };
    let estimate = billing_over(&TIERED).estimate_export(&request).unwrap().estimate.unwrap();
    assert!(estimate.lower_bound);
}

#[test]
fn the_tiers_of_snapshots_abroad_are_split_at_fifty_tib() {
    let request = |gib: i64| pb::EstimateCopyRequest {
        cloud: Cloud::Alibaba.into(),
        site: pb::Site::Cn.into(),
        source_region: "ap-southeast-1".into(),
        destination_regions: vec!["ap-southeast-1".into()],
        disks: vec![disk(51_200 * GIB), disk(gib * GIB)],
        ..copy()
    };
    let amounts = |gib| {
        let estimate = of_copy(&request(gib));
        lines(&estimate, "snapshot").iter().map(|line| amount(line).to_owned()).collect::<Vec<_>>()
    };
    // 51200 x 0.168, then 0.164 for each further one.
    assert_eq!(amounts(1), ["8601.600000", "0.164000"]);
    let at = of_copy(&pb::EstimateCopyRequest { disks: vec![disk(51_200 * GIB)], ..request(1) });
    assert_eq!(amount(line(&at, "snapshot")), "8601.600000");
    let below = of_copy(&pb::EstimateCopyRequest { disks: vec![disk(51_199 * GIB)], ..request(1) });
    assert_eq!(amount(line(&below, "snapshot")), "8601.432000");
}

#[test]
fn one_byte_costs_what_rounds_to_nothing_but_its_calls() {
    let estimate = of_export(&pb::EstimateExportRequest { disks: vec![disk(1)], downloads: public(1), ..export() });
    assert_eq!(quantity(line(&estimate, "storage")), "0.000000001");
    assert_eq!(amount(line(&estimate, "storage")), "0.000000");
    assert_eq!(quantity(line(&estimate, "request_put")), "3");
    assert_eq!(quantity(line(&estimate, "request_get")), "1");
    assert_eq!(total(&estimate), "0.000001");
}

#[test]
fn a_colder_class_bills_one_byte_as_sixty_four_kib() {
    let tiny = |storage_class: &str| {
        let request =
            pb::EstimateExportRequest { disks: vec![disk(1); 100], storage_class: storage_class.into(), ..export() };
        quantity(line(&of_export(&request), "storage")).to_owned()
    };
    assert_eq!(tiny("STANDARD"), "0.000000093");
    // 100 x 65536 bytes.
    assert_eq!(tiny("STANDARD_IA"), "0.006103516");
}

#[test]
fn an_empty_object_costs_its_request_alone() {
    let estimate = of_download(&pb::EstimateDownloadRequest { object_sizes_bytes: vec![0], ..download() });
    assert_eq!(quantity(line(&estimate, "request_get")), "1");
    assert_eq!(line(&estimate, "egress_public").status(), pb::LineStatus::NotApplicable);
    assert_eq!(total(&estimate), "0.000000");
}

#[test]
fn an_empty_disk_is_known_to_leave_nothing_and_can_still_be_full() {
    let empty = pb::DiskSize { capacity_bytes: 100 * GIB, used_bytes: Some(0) };
    let estimate = of_copy(&pb::EstimateCopyRequest { disks: vec![empty], ..copy() });
    assert_eq!(totals(&estimate), ["0.000000", "0.000000", "1.850400"]);
}

#[test]
fn thirty_two_tib_are_counted_to_the_last_digit() {
    let disks = disks_gib(&[32 * 1_024]);
    let estimate = of_export(&pb::EstimateExportRequest { disks, downloads: public(1), ..export() });
    // 32768 GB x 0.024, and x 0.1; 10 002 writes and 524 288 reads at 0.002 per 10 000.
    assert_eq!(amount(line(&estimate, "storage")), "786.432000");
    assert_eq!(amount(line(&estimate, "egress_public")), "3276.800000");
    assert_eq!(quantity(line(&estimate, "request_put")), "10002");
    assert_eq!(quantity(line(&estimate, "request_get")), "524288");
    assert_eq!(total(&estimate), "4063.338858");
}

#[test]
fn a_hundred_disks_are_billed_as_their_sum() {
    let estimate = of_export(&pb::EstimateExportRequest { disks: disks_gib(&[500; 100]), ..export() });
    assert_eq!(quantity(line(&estimate, "storage")), "50000");
    assert_eq!(amount(line(&estimate, "storage")), "1200.000000");
    assert_eq!(quantity(line(&estimate, "request_put")), "800200");
    assert_eq!(estimate.resolved.unwrap().sizes.len(), 100);
}

#[test]
fn the_largest_request_that_is_permitted_is_counted() {
    let downloads = pb::Downloads { public_count: 100_000, private_count: 100_000, ..pb::Downloads::default() };
    let estimate = of_export(&pb::EstimateExportRequest {
        disks: vec![disk(64 << 40); 1_000],
        keep_for: days(36_500),
        downloads: Some(downloads),
        ..export()
    });
    // 65 536 000 GB x 0.024 x 36 500 / 30.
    assert_eq!(amount(line(&estimate, "storage")), "1913651200.000000");
    assert_eq!(amount(line(&estimate, "egress_public")), "655360000000.000000");
}
