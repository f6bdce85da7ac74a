//! Decides how long a copy may take and when its silence is alarming, from the size of the image and from how many
//! copies of it the cloud runs at once.

use std::time::Duration;

use sampan_cloud::copy::CopyTraits;
use sampan_cloud::image::Image;

use crate::spec::CopySpec;

const HOUR: u64 = 3600;

/// Waiting time per TiB of disks. Maintainers of another cloud's export tool measured about half a day per TB.
const SECONDS_PER_TIB: u64 = 12 * HOUR;
const SHORTEST: Duration = Duration::from_secs(2 * HOUR);
const LONGEST: Duration = Duration::from_secs(72 * HOUR);
/// The longest deadline that a caller may choose bounds the sum of copies that run one after another, too.
const LONGEST_SUM: Duration = Duration::from_secs(30 * 24 * HOUR);
const SHORTEST_STALL: Duration = Duration::from_secs(HOUR / 2);

/// Returns how long Sampan waits for the cloud: 12 h per TiB of the image, between 2 h and 72 h, for each of the copies
/// that the cloud makes one after another, unless the caller chose.
///
/// - `copies`: destinations that are still to be copied to.
pub fn deadline(spec: &CopySpec, image: &Image, traits: CopyTraits, copies: usize) -> Duration {
    let rounds = if traits.one_at_a_time { u32::try_from(copies.max(1)).unwrap_or(u32::MAX) } else { 1 };
    spec.deadline().unwrap_or_else(|| by_size(image).saturating_mul(rounds).min(LONGEST_SUM))
}

/// Returns how long a copy may go without progress before it counts as stalled: a quarter of what one copy of that
/// size is given and at least 30 min, unless the caller chose.
pub fn stall_after(spec: &CopySpec, image: &Image) -> Duration {
    spec.stall_after().unwrap_or_else(|| (by_size(image) / 4).max(SHORTEST_STALL))
}

fn by_size(image: &Image) -> Duration {
    const MOST_GIB: u64 = 1024 * 1024;
    let gib = image.disks.iter().fold(0_u64, |sum, disk| sum.saturating_add(disk.size_gib)).min(MOST_GIB);
    Duration::from_secs(gib * SECONDS_PER_TIB / 1024).clamp(SHORTEST, LONGEST)
}
