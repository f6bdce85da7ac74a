//! Reads what the files of an export will be used for, which decides what the export costs and nothing else.

use std::ops::RangeInclusive;

use sampan_core::{Reason, Violation};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use serde::{Deserialize, Serialize};

use crate::rules::Finding;

/// 100 years of 365 days.
const LONGEST_KEEP: u64 = 100 * 365 * 24 * 3600;
const LONGEST_RESTORED: u64 = 365 * 24 * 3600;
const COUNTS: RangeInclusive<i32> = 0..=100_000;
const RESTORES: RangeInclusive<i32> = 0..=1000;

/// What becomes of the files, as a record keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpectedUse {
    /// How long they are kept, in seconds; `None` leaves it to the estimator.
    pub keep_seconds: Option<u64>,
    /// Downloads over the internet by day.
    pub public_downloads: i32,
    /// Downloads over the internet by night.
    pub off_peak_downloads: i32,
    /// Downloads inside the region.
    pub private_downloads: i32,
    /// Number of the API for the speed of restores.
    pub restore_speed: i32,
    /// Restores of each object; 0 means one for all downloads.
    pub restores: i32,
    /// How long a restored copy is kept, in seconds; `None` leaves it to the estimator.
    pub restored_seconds: Option<u64>,
}

impl ExpectedUse {
    /// Returns whether nothing is said, so that records of such requests look as they always did.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the message; what is wrong is added to `broken`.
    pub(crate) fn read(message: Option<&pb::ExpectedUse>, broken: &mut Vec<Violation>) -> Self {
        let Some(message) = message else { return Self::default() };
        let downloads = message.downloads.unwrap_or_default();
        let mut count = |name: &str, count: i32, range: &RangeInclusive<i32>| {
            if !range.contains(&count) {
                let field = format!("spec.expected_use.downloads.{name}");
                let limit = format!("{} to {}", range.start(), range.end());
                broken.push(out_of_range(&field, &limit, count.to_string()));
            }
            count
        };
        let public_downloads = count("public_count", downloads.public_count, &COUNTS);
        let off_peak_downloads = count("public_off_peak_count", downloads.public_off_peak_count, &COUNTS);
        let private_downloads = count("private_count", downloads.private_count, &COUNTS);
        let restores = count("restore_count", downloads.restore_count, &RESTORES);
        if billing_pb::RestoreSpeed::try_from(downloads.restore_speed).is_err() {
            let field = "spec.expected_use.downloads.restore_speed";
            let finding = Finding::new(Reason::EnumValueUnknown, field);
            let finding = finding.message(format!("{field} has the unknown value {}", downloads.restore_speed));
            broken.push(finding.limit("a value that the API defines", downloads.restore_speed.to_string()).violation());
        }
        let mut period = |name: &str, period: Option<prost_types::Duration>, longest: u64, limit: &str| {
            let given = period?;
            let seconds = u64::try_from(given.seconds).ok().filter(|seconds| (1..=longest).contains(seconds));
            let seconds = seconds.filter(|_| (0..1_000_000_000).contains(&given.nanos));
            if seconds.is_none() {
                broken.push(out_of_range(&format!("spec.expected_use.{name}"), limit, format!("{} s", given.seconds)));
            }
            seconds
        };
        let keep_seconds = period("keep_for", message.keep_for, LONGEST_KEEP, "more than 0 and up to 100 years");
        let restored_seconds = period(
            "downloads.restored_for",
            downloads.restored_for,
            LONGEST_RESTORED,
            "more than 0 and up to 365 days",
        );
        Self {
            keep_seconds,
            public_downloads,
            off_peak_downloads,
            private_downloads,
            restore_speed: downloads.restore_speed,
            restores,
            restored_seconds,
        }
    }

    /// Returns the downloads as the estimator reads them.
    pub(crate) fn downloads(&self) -> billing_pb::Downloads {
        billing_pb::Downloads {
            public_count: self.public_downloads,
            public_off_peak_count: self.off_peak_downloads,
            private_count: self.private_downloads,
            restore_speed: self.restore_speed,
            restore_count: self.restores,
            restored_for: self.restored_seconds.map(duration),
        }
    }

    /// Returns the period as the estimator reads it.
    pub(crate) fn keep_for(&self) -> Option<prost_types::Duration> {
        self.keep_seconds.map(duration)
    }
}

fn out_of_range(field: &str, limit: &str, observed: String) -> Violation {
    let finding = Finding::new(Reason::NumberOutOfRange, field).message(format!("{field} is out of range"));
    finding.limit(limit, observed).fix(format!("Send {limit}, or leave it unset")).violation()
}

fn duration(seconds: u64) -> prost_types::Duration {
    prost_types::Duration { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos: 0 }
}
