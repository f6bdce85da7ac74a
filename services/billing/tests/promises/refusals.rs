//! Bad input: each has its own reason, and nothing panics.

use prost_types::Duration;
use sampan_core::Reason;
use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::{Cloud, ImageFormat};

use super::asking::{GIB, billing, billing_over, copy, days, disk, download, export, public};

fn refused(request: &pb::EstimateExportRequest) -> (String, Reason) {
    let problem = billing().estimate_export(request).unwrap_err();
    let fields = problem.field_problems();
    assert_eq!(fields.len(), 1, "{problem:?}");
    (fields[0].field.clone(), problem.reason())
}

fn export_with(change: impl FnOnce(&mut pb::EstimateExportRequest)) -> pb::EstimateExportRequest {
    let mut request = export();
    change(&mut request);
    request
}

#[test]
fn every_wrong_field_of_an_export_has_a_reason_of_its_own() {
    type Change = fn(&mut pb::EstimateExportRequest);
    let cases: &[(&str, Reason, Change)] = &[
        ("site", Reason::FieldRequired, |request| request.site = 0),
        ("site", Reason::SiteUnknown, |request| request.site = 9),
        ("cloud", Reason::FieldRequired, |request| request.cloud = 0),
        ("cloud", Reason::EnumValueUnknown, |request| request.cloud = -1),
        ("region", Reason::FieldRequired, |request| request.region.clear()),
        ("region", Reason::FieldMalformed, |request| request.region = "Guangzhou 1".into()),
        ("region", Reason::RegionUnknown, |request| request.region = "ap-atlantis".into()),
        ("region", Reason::RegionUnknown, |request| request.region = "all".into()),
        ("region", Reason::RegionOfOtherCloud, |request| request.region = "cn-hangzhou".into()),
        ("storage_class", Reason::StorageClassUnknown, |request| request.storage_class = "IA-LRS".into()),
        ("format", Reason::EnumValueUnknown, |request| request.format = 77),
        ("format", Reason::FormatUnsupported, |request| request.format = ImageFormat::Vdi.into()),
        ("disks", Reason::FieldRequired, |request| request.disks.clear()),
        ("disks", Reason::NumberOutOfRange, |request| request.disks = vec![disk(1); 1_001]),
        ("disks[0].capacity_bytes", Reason::SizeNegative, |request| request.disks = vec![disk(-1)]),
        ("disks[0].capacity_bytes", Reason::SizeNegative, |request| request.disks = vec![disk(i64::MIN)]),
        ("disks[0].capacity_bytes", Reason::SizeZero, |request| request.disks = vec![disk(0)]),
        ("disks[0].capacity_bytes", Reason::SizeTooLarge, |request| request.disks = vec![disk((64 << 40) + 1)]),
        ("disks[0].capacity_bytes", Reason::SizeTooLarge, |request| request.disks = vec![disk(i64::MAX)]),
        ("disks[0].used_bytes", Reason::UsedAboveCapacity, |request| {
            request.disks = vec![pb::DiskSize { capacity_bytes: GIB, used_bytes: Some(GIB + 1) }];
        }),
        ("disks[0].used_bytes", Reason::SizeNegative, |request| {
            request.disks = vec![pb::DiskSize { capacity_bytes: GIB, used_bytes: Some(-5) }];
        }),
        ("keep_for", Reason::PeriodNegative, |request| request.keep_for = days(-1)),
        ("keep_for", Reason::PeriodZero, |request| request.keep_for = Some(Duration::default())),
        ("keep_for", Reason::PeriodTooLong, |request| request.keep_for = days(36_501)),
        ("keep_for", Reason::PeriodTooLong, |request| {
            request.keep_for = Some(Duration { seconds: i64::MAX, nanos: i32::MAX });
        }),
        ("downloads.public_count", Reason::NumberOutOfRange, |request| request.downloads = public(-1)),
        ("downloads.public_count", Reason::NumberOutOfRange, |request| request.downloads = public(100_001)),
        ("downloads.restore_speed", Reason::EnumValueUnknown, |request| {
            request.downloads = Some(pb::Downloads { restore_speed: 8, ..pb::Downloads::default() });
        }),
        ("free.storage_bytes", Reason::NumberOutOfRange, |request| {
            request.free = Some(pb::FreeAllowance { storage_bytes: -1, ..pb::FreeAllowance::default() });
        }),
        ("overrides.export_ratio", Reason::FieldMalformed, |request| set_ratio(request, "half")),
        ("overrides.export_ratio", Reason::NumberOutOfRange, |request| set_ratio(request, "1.1")),
        ("overrides.export_ratio", Reason::NumberOutOfRange, |request| set_ratio(request, "-0.1")),
        ("overrides.export_ratio", Reason::NumberOutOfRange, |request| set_ratio(request, "0.1234567890123")),
        ("overrides.write_part_bytes", Reason::NumberOutOfRange, |request| {
            request.overrides = Some(pb::Overrides { write_part_bytes: 1, ..pb::Overrides::default() });
        }),
        ("price_basis", Reason::EnumValueUnknown, |request| request.price_basis = 5),
        ("currency", Reason::CurrencyOfOtherSite, |request| request.currency = "CNY".into()),
    ];
    for (field, reason, change) in cases {
        assert_eq!(refused(&export_with(change)), ((*field).to_owned(), *reason));
    }
}

fn set_ratio(request: &mut pb::EstimateExportRequest, ratio: &str) {
    request.overrides = Some(pb::Overrides { export_ratio: ratio.into(), ..pb::Overrides::default() });
}

#[test]
fn all_wrong_fields_are_told_at_once() {
    let request =
        pb::EstimateExportRequest { disks: vec![disk(-1), disk(0)], keep_for: days(-1), ..Default::default() };
    let problem = billing().estimate_export(&request).unwrap_err();
    let fields: Vec<_> = problem.field_problems().iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["cloud", "site", "region", "disks[0].capacity_bytes", "disks[1].capacity_bytes", "keep_for"]);
}

#[test]
fn wrong_copies_and_downloads_are_refused() {
    let of_copy = |request| billing().estimate_copy(&request).unwrap_err().reason();
    assert_eq!(of_copy(pb::EstimateCopyRequest { destination_regions: vec![], ..copy() }), Reason::FieldRequired);
    let twice = vec!["ap-guangzhou".to_owned(); 2];
    assert_eq!(of_copy(pb::EstimateCopyRequest { destination_regions: twice, ..copy() }), Reason::FieldMalformed);
    let legacy = pb::Encryption::LegacyKey.into();
    assert_eq!(of_copy(pb::EstimateCopyRequest { encryption: legacy, ..copy() }), Reason::FieldMalformed);
    assert_eq!(of_copy(pb::EstimateCopyRequest { share_account_count: -1, ..copy() }), Reason::NumberOutOfRange);
    let of_download = |request| billing().estimate_download(&request).unwrap_err().reason();
    assert_eq!(of_download(pb::EstimateDownloadRequest { downloads: None, ..download() }), Reason::FieldRequired);
    let negative = vec![-1];
    let request = pb::EstimateDownloadRequest { object_sizes_bytes: negative, ..download() };
    assert_eq!(of_download(request), Reason::SizeNegative);
}

#[test]
fn a_cost_that_cannot_be_counted_is_refused_instead_of_wrapped() {
    let rows = ["tencent,intl,ap-guangzhou,storage,STANDARD,GB-hour,0,,1000000000,USD,contract,2026-01-01,high"];
    let request = export_with(|request| {
        request.disks = vec![disk(64 << 40); 1_000];
        request.keep_for = days(36_500);
    });
    let problem = billing_over(&rows).estimate_export(&request).unwrap_err();
    assert_eq!(problem.reason(), Reason::EstimateOverflow);
}

#[test]
fn a_price_list_is_asked_for_page_by_page() {
    let request = |page_token: String| pb::ListPricesRequest {
        page_size: 30,
        page_token,
        cloud: Cloud::Tencent.into(),
        site: pb::Site::Intl.into(),
        region: "ap-guangzhou".into(),
        ..pb::ListPricesRequest::default()
    };
    let first = billing().list_prices(&request(String::new())).unwrap();
    assert_eq!(first.prices.len(), 30);
    let second = billing().list_prices(&request(first.next_page_token)).unwrap();
    assert_eq!((second.prices.len(), second.next_page_token.as_str()), (3, ""));
    let wrong = |request| billing().list_prices(&request).unwrap_err().reason();
    assert_eq!(wrong(request("next".into())), Reason::FieldMalformed);
    assert_eq!(wrong(pb::ListPricesRequest { site: 3, ..Default::default() }), Reason::SiteUnknown);
    assert_eq!(wrong(pb::ListPricesRequest { item: "beer".into(), ..Default::default() }), Reason::FieldMalformed);
}
