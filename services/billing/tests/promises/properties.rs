//! Facts that hold for every request.

use proptest::prelude::*;
use sampan_proto::billing::v1 as pb;
use sampan_proto::image::v1::Cloud;

use super::asking::{amount, billing, billing_over, built_in, disk, export, hours, line};

const TENCENT: [&str; 6] = ["STANDARD", "STANDARD_IA", "ARCHIVE", "DEEP_ARCHIVE", "MAZ_STANDARD", "MAZ_STANDARD_IA"];
const ALIBABA: [&str; 7] =
    ["Standard-LRS", "Standard-ZRS", "IA-LRS", "IA-ZRS", "Archive-LRS", "ColdArchive-LRS", "DeepColdArchive-LRS"];

/// Millionths of a decimal with 6 places.
fn millionths(text: &str) -> i128 {
    text.replace('.', "").parse().unwrap()
}

fn ordered(low: &str, expected: &str, high: &str) -> bool {
    millionths(low) <= millionths(expected) && millionths(expected) <= millionths(high)
}

prop_compose! {
    fn any_disk()(capacity in 1_i64..=64 << 40, share in prop::option::of(0.0..=1.0_f64)) -> pb::DiskSize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any size will do")]
        let used_bytes = share.map(|share| ((capacity as f64 * share) as i64).min(capacity));
        pb::DiskSize { capacity_bytes: capacity, used_bytes }
    }
}

prop_compose! {
    fn any_downloads()(
        public_count in 0..5,
        public_off_peak_count in 0..5,
        private_count in 0..5,
        restore_speed in 0..4,
        restore_count in 0..4,
    ) -> pb::Downloads {
        pb::Downloads { public_count, public_off_peak_count, private_count, restore_speed, restore_count, restored_for: None }
    }
}

prop_compose! {
    fn any_export()(
        is_tencent in any::<bool>(),
        site in 1..=2_i32,
        region in any::<prop::sample::Index>(),
        class in any::<prop::sample::Index>(),
        format in 0..=4_i32,
        disks in prop::collection::vec(any_disk(), 1..5),
        keep in 1_i64..=20_000,
        downloads in any_downloads(),
        free in 0_i64..=1 << 40,
    ) -> pb::EstimateExportRequest {
        let cloud = if is_tencent { Cloud::Tencent } else { Cloud::Alibaba };
        let core = if is_tencent { sampan_core::Cloud::Tencent } else { sampan_core::Cloud::Alibaba };
        let list = if site == 1 { sampan_billing_service::book::Site::Cn } else { sampan_billing_service::book::Site::Intl };
        let classes: &[&str] = if is_tencent { &TENCENT } else { &ALIBABA };
        pb::EstimateExportRequest {
            cloud: cloud.into(),
            site,
            region: region.get(&built_in().regions(core, list)).to_string(),
            storage_class: (*class.get(classes)).to_owned(),
            format,
            disks,
            keep_for: hours(keep),
            downloads: Some(downloads),
            free: Some(pb::FreeAllowance { storage_bytes: free, public_traffic_bytes: free, ..Default::default() }),
            ..Default::default()
        }
    }
}

fn of(request: &pb::EstimateExportRequest) -> pb::Estimate {
    billing().estimate_export(request).unwrap().estimate.unwrap()
}

proptest! {
    #[test]
    fn every_figure_lies_between_its_bounds(request in any_export()) {
        let estimate = of(&request);
        let sums = [estimate.total.as_ref(), estimate.one_time.as_ref(), estimate.per_month.as_ref()];
        let amounts = estimate.lines.iter().map(|line| line.amount.as_ref());
        for money in sums.into_iter().chain(amounts).flatten() {
            prop_assert!(ordered(&money.low, &money.expected, &money.high), "{money:?}");
        }
        let payable = estimate.payable.unwrap();
        prop_assert!(ordered(&payable.low, &payable.expected, &payable.high), "{payable:?}");
    }

    #[test]
    fn more_data_never_costs_less(request in any_export(), more in 1_i64..=1 << 42) {
        let mut larger = request.clone();
        let first = &mut larger.disks[0];
        first.capacity_bytes = (first.capacity_bytes + more).min(64 << 40);
        let (before, after) = (of(&request).total.unwrap(), of(&larger).total.unwrap());
        let all = [(&before.low, &after.low), (&before.expected, &after.expected), (&before.high, &after.high)];
        for (before, after) in all {
            prop_assert!(millionths(before) <= millionths(after));
        }
    }

    #[test]
    fn splitting_a_period_moves_a_storage_total_by_one_unit_at_most(
        bytes in 1_i64..=64 << 40,
        first in 1_i64..=10_000,
        second in 1_i64..=10_000,
    ) {
        let storage = |keep: i64| {
            let estimate = of(&pb::EstimateExportRequest { disks: vec![disk(bytes)], keep_for: hours(keep), ..export() });
            millionths(amount(line(&estimate, "storage")))
        };
        let apart = storage(first) + storage(second);
        prop_assert!((apart - storage(first + second)).abs() <= 1);
    }

    #[test]
    fn a_longer_period_never_costs_less(request in any_export(), more in 1_i64..=20_000) {
        let mut longer = request.clone();
        longer.keep_for = hours(request.keep_for.unwrap().seconds / 3_600 + more);
        let total = |request| millionths(&of(request).total.unwrap().expected);
        prop_assert!(total(&request) <= total(&longer));
    }

    #[test]
    fn a_total_is_the_sum_of_its_lines_but_for_rounding(request in any_export()) {
        let estimate = of(&request);
        let lines: Vec<_> = estimate.lines.iter().filter_map(|line| line.amount.as_ref()).collect();
        let sum: i128 = lines.iter().map(|amount| millionths(&amount.expected)).sum();
        let total = millionths(&estimate.total.unwrap().expected);
        prop_assert!((sum - total).abs() <= i128::try_from(lines.len()).unwrap());
    }

    #[test]
    fn tiers_never_make_more_data_cheaper(a in 1_i64..=40 << 30, b in 1_i64..=40 << 30) {
        let rows = [
            "tencent,intl,ap-guangzhou,storage,STANDARD,GB-month,0,10,0.1,USD,contract,2026-01-01,high",
            "tencent,intl,ap-guangzhou,storage,STANDARD,GB-month,10,20,0.05,USD,contract,2026-01-01,high",
            "tencent,intl,ap-guangzhou,storage,STANDARD,GB-month,20,,0.00000001,USD,contract,2026-01-01,high",
        ];
        let billing = billing_over(&rows);
        let total = |bytes| {
            let request = pb::EstimateExportRequest { disks: vec![disk(bytes)], ..export() };
            millionths(&billing.estimate_export(&request).unwrap().estimate.unwrap().total.unwrap().expected)
        };
        prop_assert!(total(a.min(b)) <= total(a.max(b)));
    }

    #[test]
    fn nothing_that_can_be_sent_makes_it_panic(
        numbers in prop::collection::vec(any::<i64>(), 8),
        small in prop::collection::vec(any::<i32>(), 8),
        text in ".{0,20}",
    ) {
        let downloads = pb::Downloads {
            public_count: small[3],
            public_off_peak_count: small[4],
            private_count: small[5],
            restore_speed: small[6],
            restore_count: small[7],
            restored_for: Some(prost_types::Duration { seconds: numbers[5], nanos: small[0] }),
        };
        let request = pb::EstimateExportRequest {
            cloud: 1,
            site: 1 + small[0].rem_euclid(2),
            region: "ap-guangzhou".into(),
            storage_class: if small[1] % 2 == 0 { String::new() } else { text.clone() },
            format: small[1],
            disks: vec![pb::DiskSize { capacity_bytes: numbers[0], used_bytes: Some(numbers[1]) }],
            keep_for: Some(prost_types::Duration { seconds: numbers[2], nanos: small[2] }),
            downloads: Some(downloads),
            free: Some(pb::FreeAllowance { storage_bytes: numbers[3], snapshot_bytes: numbers[4], public_traffic_bytes: numbers[6], kms_calls: numbers[7] }),
            overrides: Some(pb::Overrides { export_ratio: text, write_part_bytes: numbers[4], read_part_bytes: numbers[5], kms_calls_per_disk: Some(numbers[6]) }),
            price_basis: small[2],
            currency: String::new(),
        };
        let _ = billing().estimate_export(&request);
    }
}
