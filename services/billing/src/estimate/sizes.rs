//! Decides how large files and snapshots become, and how many requests move them.

use rust_decimal::Decimal;
use sampan_core::{Cloud, ImageFormat};

use crate::money::Range;
use crate::request::{Disk, Overrides};

/// Both object stores take at most this many parts for one object.
const MOST_PARTS: u64 = 10_000;
/// Calls that begin and complete an upload.
const FRAME_CALLS: u64 = 2;
const MIB: u64 = 1 << 20;
/// The smallest power of two by which the largest exported disk (500 GB) fits into the permitted parts.
const EXPECTED_PART: u64 = 64 * MIB;
const LARGEST_PART: u64 = 5 * 1024 * MIB;

/// Returns the size of the file of a disk, and whether it had to be assumed.
///
/// Raw files of Tencent have the size of their disk. Everything else is packed (raw on Alibaba) or sparse.
pub(super) fn exported(disk: Disk, cloud: Cloud, format: ImageFormat, overrides: &Overrides) -> (Range<u64>, bool) {
    if let Some(ratio) = overrides.export_ratio {
        return (Range::known(share(disk.capacity, ratio)), false);
    }
    let is_packed = match (cloud, format) {
        (Cloud::Tencent, ImageFormat::Raw) => return (Range::known(disk.capacity), false),
        (Cloud::Alibaba, ImageFormat::Raw) => true,
        (_, ImageFormat::Vhd | ImageFormat::Qcow2 | ImageFormat::Vmdk | ImageFormat::Vdi) => false,
    };
    let range = match disk.used {
        // Tenths: packing leaves 6 of 10 bytes in the documents' example, 3 at best.
        Some(used) => Range {
            low: tenths(used, 3),
            expected: if is_packed { tenths(used, 6) } else { used },
            high: disk.capacity,
        },
        None => Range { low: tenths(disk.capacity, 1), expected: tenths(disk.capacity, 6), high: disk.capacity },
    };
    (range, true)
}

/// Returns the size of the snapshot of a disk, and whether it had to be assumed.
pub(super) fn snapshot(disk: Disk) -> (Range<u64>, bool) {
    match disk.used {
        Some(used) => (Range { low: used, expected: used, high: disk.capacity }, used != disk.capacity),
        None => (Range { low: tenths(disk.capacity, 1), expected: disk.capacity, high: disk.capacity }, true),
    }
}

/// Returns the write calls of the export of one object.
pub(super) fn writes(size: Range<u64>, overrides: &Overrides) -> Range<u128> {
    let calls = |size: u64, part: u64| u128::from(size.div_ceil(part).clamp(1, MOST_PARTS) + FRAME_CALLS);
    match overrides.write_part {
        Some(part) => size.map(|size| calls(size, part)),
        None => Range {
            low: calls(size.low, LARGEST_PART),
            expected: calls(size.expected, EXPECTED_PART),
            high: u128::from(MOST_PARTS + FRAME_CALLS),
        },
    }
}

/// Returns the read requests of one download of one object.
pub(super) fn reads(size: Range<u64>, overrides: &Overrides) -> Range<u128> {
    let calls = |size: u64, part: u64| u128::from(size.div_ceil(part).max(1));
    match overrides.read_part {
        Some(part) => size.map(|size| calls(size, part)),
        None => Range { low: 1, expected: calls(size.expected, EXPECTED_PART), high: calls(size.high, MIB) },
    }
}

/// Adds up ranges.
pub(super) fn sum(ranges: impl Iterator<Item = Range<u128>>) -> Range<u128> {
    ranges.fold(Range::default(), |sum, range| sum.zip(range, |a, b| a + b))
}

fn tenths(bytes: u64, tenths: u64) -> u64 {
    (bytes * tenths).div_ceil(10)
}

/// Returns `ratio` of `bytes`, rounded up to a whole byte.
fn share(bytes: u64, ratio: Decimal) -> u64 {
    // The request permits ratios from 0 to 1 with 12 places, so neither the product nor the result can overflow.
    let product = u128::from(bytes) * ratio.mantissa().unsigned_abs();
    u64::try_from(product.div_ceil(10_u128.pow(ratio.scale()))).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn write_calls_stay_within_what_an_object_can_have() {
        let none = Overrides::default();
        assert_eq!(writes(Range::known(50 * GIB), &none), Range { low: 12, expected: 802, high: 10_002 });
        assert_eq!(writes(Range::known(200 * GIB), &none), Range { low: 42, expected: 3_202, high: 10_002 });
        assert_eq!(writes(Range::known(1), &none), Range { low: 3, expected: 3, high: 10_002 });
        assert_eq!(writes(Range::known(32 << 40), &none).expected, 10_002);
        let known = Overrides { write_part: Some(100 * MIB), ..none };
        assert_eq!(writes(Range::known(GIB), &known), Range::known(13));
    }

    #[test]
    fn a_ratio_is_rounded_up_to_a_whole_byte() {
        assert_eq!(share(40 * GIB, "0.6".parse().unwrap()), 24 * GIB);
        assert_eq!(share(1, "0.000000000001".parse().unwrap()), 1);
        assert_eq!(share(64 << 40, Decimal::ONE), 64 << 40);
        assert_eq!(share(7, Decimal::ZERO), 0);
    }
}
