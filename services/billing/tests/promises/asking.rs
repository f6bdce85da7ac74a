//! Short ways to ask, and to read the answers.

use std::sync::{Arc, OnceLock};

use prost_types::Duration;
use sampan_billing_service::{Billing, PriceBook};
use sampan_core::clock::ManualClock;
use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::Cloud;

pub(crate) const GIB: i64 = 1 << 30;

pub(crate) fn clock_at(day: &str) -> Arc<ManualClock> {
    Arc::new(ManualClock::new(format!("{day}T00:00:00Z").parse().unwrap()))
}

pub(crate) fn built_in() -> Arc<PriceBook> {
    static BOOK: OnceLock<Arc<PriceBook>> = OnceLock::new();
    Arc::clone(BOOK.get_or_init(|| Arc::new(PriceBook::built_in().unwrap())))
}

pub(crate) fn billing() -> Billing {
    Billing::new(built_in(), clock_at("2026-11-21"))
}

/// A book of these rows alone, in the columns of a price file.
pub(crate) fn billing_over(rows: &[&str]) -> Billing {
    let text = format!("{}\n{}\n", sampan_billing_service::book::COLUMNS.join(","), rows.join("\n"));
    let book = PriceBook::replaced("contract.csv", &text).unwrap();
    Billing::new(Arc::new(book), clock_at("2026-11-21"))
}

pub(crate) fn days(days: i64) -> Option<Duration> {
    hours(days * 24)
}

pub(crate) fn hours(hours: i64) -> Option<Duration> {
    Some(Duration { seconds: hours * 3_600, nanos: 0 })
}

pub(crate) fn disk(capacity_bytes: i64) -> pb::DiskSize {
    pb::DiskSize { capacity_bytes, used_bytes: None }
}

pub(crate) fn disks_gib(gib: &[i64]) -> Vec<pb::DiskSize> {
    gib.iter().map(|gib| disk(gib * GIB)).collect()
}

pub(crate) fn public(public_count: i32) -> Option<pb::Downloads> {
    Some(pb::Downloads { public_count, ..pb::Downloads::default() })
}

/// One raw disk of 100 GiB in Guangzhou on the international list, for 30 days.
pub(crate) fn export() -> pb::EstimateExportRequest {
    pb::EstimateExportRequest {
        cloud: Cloud::Tencent.into(),
        site: pb::Site::Intl.into(),
        region: "ap-guangzhou".into(),
        disks: disks_gib(&[100]),
        keep_for: days(30),
        ..pb::EstimateExportRequest::default()
    }
}

/// One disk of 100 GiB from Beijing to Guangzhou on the international list, for 30 days.
pub(crate) fn copy() -> pb::EstimateCopyRequest {
    pb::EstimateCopyRequest {
        cloud: Cloud::Tencent.into(),
        site: pb::Site::Intl.into(),
        source_region: "ap-beijing".into(),
        destination_regions: vec!["ap-guangzhou".into()],
        disks: disks_gib(&[100]),
        keep_for: days(30),
        ..pb::EstimateCopyRequest::default()
    }
}

/// One object of 10 GiB in Guangzhou on the international list, downloaded once.
pub(crate) fn download() -> pb::EstimateDownloadRequest {
    pb::EstimateDownloadRequest {
        cloud: Cloud::Tencent.into(),
        site: pb::Site::Intl.into(),
        region: "ap-guangzhou".into(),
        object_sizes_bytes: vec![10 * GIB],
        downloads: public(1),
        ..pb::EstimateDownloadRequest::default()
    }
}

pub(crate) fn of_export(request: &pb::EstimateExportRequest) -> pb::Estimate {
    billing().estimate_export(request).unwrap().estimate.unwrap()
}

pub(crate) fn of_copy(request: &pb::EstimateCopyRequest) -> pb::Estimate {
    billing().estimate_copy(request).unwrap().estimate.unwrap()
}

pub(crate) fn of_download(request: &pb::EstimateDownloadRequest) -> pb::Estimate {
    billing().estimate_download(request).unwrap().estimate.unwrap()
}

pub(crate) fn total(estimate: &pb::Estimate) -> &str {
    &estimate.total.as_ref().unwrap().expected
}

/// Low, expected and high of the total.
pub(crate) fn totals(estimate: &pb::Estimate) -> [&str; 3] {
    let total = estimate.total.as_ref().unwrap();
    [&total.low, &total.expected, &total.high]
}

/// The lines of an item, in order.
pub(crate) fn lines<'e>(estimate: &'e pb::Estimate, item: &str) -> Vec<&'e pb::Line> {
    estimate.lines.iter().filter(|line| line.item == item).collect()
}

/// The one line of an item.
pub(crate) fn line<'e>(estimate: &'e pb::Estimate, item: &str) -> &'e pb::Line {
    let found = lines(estimate, item);
    assert_eq!(found.len(), 1, "lines of {item}");
    found[0]
}

pub(crate) fn amount(line: &pb::Line) -> &str {
    &line.amount.as_ref().expect("priced").expected
}

pub(crate) fn quantity(line: &pb::Line) -> &str {
    &line.quantity.as_ref().unwrap().expected
}
