//! Decides how long an export may take and when its silence is alarming, from the size of the image.

use std::time::Duration;

use sampan_cloud::image::Disk;

use crate::spec::ExportSpec;

const HOUR: u64 = 3600;

/// Waiting time per TiB of disks. Maintainers of another cloud's export tool measured about half a day per TB.
const SECONDS_PER_TIB: u64 = 12 * HOUR;
const SHORTEST: Duration = Duration::from_secs(2 * HOUR);
const LONGEST: Duration = Duration::from_secs(72 * HOUR);
const SHORTEST_STALL: Duration = Duration::from_secs(HOUR / 2);

/// Returns how long Sampan waits for the cloud: 12 h per TiB of exported disks, between 2 h and 72 h, unless the
/// caller chose.
pub fn deadline(spec: &ExportSpec, disks: &[Disk]) -> Duration {
    spec.deadline().unwrap_or_else(|| by_size(disks))
}

/// Returns how long an export may go without progress before it counts as stalled: a quarter of the deadline and
/// at least 30 min, unless the caller chose.
pub fn stall_after(spec: &ExportSpec, deadline: Duration) -> Duration {
    spec.stall_after().unwrap_or_else(|| (deadline / 4).max(SHORTEST_STALL))
}

/// Returns how long nothing must be seen of an export whose answer was lost before it counts as never started, at
/// a cloud that lists no tasks and has not said that the image is busy: half of what an export of that size is
/// given, whatever deadline the caller chose.
pub fn quiet_time(disks: &[Disk]) -> Duration {
    by_size(disks) / 2
}

fn by_size(disks: &[Disk]) -> Duration {
    const MOST_GIB: u64 = 1024 * 1024;
    let gib = disks.iter().fold(0_u64, |sum, disk| sum.saturating_add(disk.size_gib)).min(MOST_GIB);
    Duration::from_secs(gib * SECONDS_PER_TIB / 1024).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use sampan_core::DiskRole;

    use super::*;

    fn disks(sizes: &[u64]) -> Vec<Disk> {
        let disk = |size_gib: &u64| Disk {
            role: DiskRole::System,
            device: None,
            size_gib: *size_gib,
            snapshot_id: None,
            encrypted: None,
        };
        sizes.iter().map(disk).collect()
    }

    #[test]
    fn the_time_grows_by_half_a_day_per_tib_between_two_hours_and_three_days() {
        let hours = |sizes: &[u64]| by_size(&disks(sizes)).as_secs_f64() / 3600.0;
        assert_eq!(hours(&[]), 2.0);
        assert_eq!(hours(&[50]), 2.0);
        assert_eq!(hours(&[256]), 3.0);
        assert_eq!(hours(&[512, 512]), 12.0);
        assert_eq!(hours(&[6 * 1024]), 72.0);
        assert_eq!(hours(&[6 * 1024 + 1]), 72.0);
        assert_eq!(hours(&[u64::MAX, u64::MAX]), 72.0);
    }

    #[test]
    fn an_export_without_a_sign_of_life_is_given_half_of_its_time() {
        assert_eq!(quiet_time(&disks(&[1024])), Duration::from_secs(6 * HOUR));
    }
}
