//! Decides how long an export may take and when its silence is alarming, from the size of the image.

use std::time::Duration;

use sampan_cloud::image::Image;

use crate::spec::ExportSpec;

const HOUR: u64 = 3600;

/// Waiting time per TiB of disks. Maintainers of another cloud's export tool measured about half a day per TB.
const SECONDS_PER_TIB: u64 = 12 * HOUR;
const SHORTEST: Duration = Duration::from_secs(2 * HOUR);
const LONGEST: Duration = Duration::from_secs(72 * HOUR);
const SHORTEST_STALL: Duration = Duration::from_secs(HOUR / 2);

/// Returns how long Sampan waits for the cloud: 12 h per TiB, between 2 h and 72 h, unless the caller chose.
pub fn deadline(spec: &ExportSpec, image: &Image) -> Duration {
    spec.deadline().unwrap_or_else(|| {
        let gib = image.total_gib().min(1024 * 1024);
        Duration::from_secs(gib * SECONDS_PER_TIB / 1024).clamp(SHORTEST, LONGEST)
    })
}

/// Returns how long an export may go without progress before it counts as stalled: a quarter of the deadline and
/// at least 30 min, unless the caller chose.
pub fn stall_after(spec: &ExportSpec, deadline: Duration) -> Duration {
    spec.stall_after().unwrap_or_else(|| (deadline / 4).max(SHORTEST_STALL))
}
