//! Reads what the files of an export will be used for, which decides what the export costs and nothing else.

use std::ops::RangeInclusive;

use sampan_chassis::convert::spec::{Periods, SpecReader};
use sampan_core::Reason;
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use serde::{Deserialize, Serialize};

use crate::rules::Finding;

/// How long files are kept: up to 100 years of 365 days.
const KEEPS: Periods = Periods {
    seconds: 1..=100 * 365 * 24 * 3600,
    words: "more than 0 and up to 100 years",
    fix: "Send more than 0 and up to 100 years, or leave it unset",
    reason: Reason::NumberOutOfRange,
};
/// How long a restored copy is kept.
const RESTORES_LAST: Periods = Periods {
    seconds: 1..=365 * 24 * 3600,
    words: "more than 0 and up to 365 days",
    fix: "Send more than 0 and up to 365 days, or leave it unset",
    reason: Reason::NumberOutOfRange,
};
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

    /// Reads the message.
    pub(crate) fn read(message: Option<&pb::ExpectedUse>, reader: &mut SpecReader<'_>) -> Self {
        let Some(message) = message else { return Self::default() };
        let downloads = message.downloads.unwrap_or_default();
        let mut count = |name: &str, count: i32, range: &RangeInclusive<i32>| {
            if !range.contains(&count) {
                let field = format!("spec.expected_use.downloads.{name}");
                let limit = format!("{} to {}", range.start(), range.end());
                let finding = Finding::new(Reason::NumberOutOfRange, &field);
                let finding = finding.message(format!("{field} is out of range")).limit(&limit, count.to_string());
                reader.push(finding.fix(format!("Send {limit}, or leave it unset")));
            }
            count
        };
        let public_downloads = count("public_count", downloads.public_count, &COUNTS);
        let off_peak_downloads = count("public_off_peak_count", downloads.public_off_peak_count, &COUNTS);
        let private_downloads = count("private_count", downloads.private_count, &COUNTS);
        let restores = count("restore_count", downloads.restore_count, &RESTORES);
        if billing_pb::RestoreSpeed::try_from(downloads.restore_speed).is_err() {
            reader.unknown_enum("spec.expected_use.downloads.restore_speed", downloads.restore_speed);
        }
        let keep_seconds = reader.period("spec.expected_use.keep_for", message.keep_for, &KEEPS);
        let restored_for = "spec.expected_use.downloads.restored_for";
        let restored_seconds = reader.period(restored_for, downloads.restored_for, &RESTORES_LAST);
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

fn duration(seconds: u64) -> prost_types::Duration {
    prost_types::Duration { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos: 0 }
}
