//! Twelve lanes on both clouds, each with a bucket.

use sampan_tests_e2e::{ALIBABA, Lane, Simulator, TENCENT};
use serde_json::json;

const fn tencent(region: &'static str, bucket: &'static str) -> Lane {
    Lane { region, bucket, ..TENCENT }
}

const fn alibaba(region: &'static str, bucket: &'static str) -> Lane {
    Lane { region, bucket, ..ALIBABA }
}

/// The lanes: six of each cloud.
pub const LANES: [Lane; 12] = [
    tencent("ap-guangzhou", "chaos-guangzhou-1250000000"),
    alibaba("cn-hangzhou", "chaos-hangzhou"),
    tencent("ap-shanghai", "chaos-shanghai-1250000000"),
    alibaba("cn-shanghai", "chaos-shanghai"),
    tencent("ap-beijing", "chaos-beijing-1250000000"),
    alibaba("cn-beijing", "chaos-beijing"),
    tencent("ap-hongkong", "chaos-hongkong-1250000000"),
    alibaba("cn-hongkong", "chaos-hongkong"),
    tencent("ap-singapore", "chaos-singapore-1250000000"),
    alibaba("cn-shenzhen", "chaos-shenzhen"),
    tencent("ap-tokyo", "chaos-tokyo-1250000000"),
    alibaba("cn-chengdu", "chaos-chengdu"),
];

/// Regions between which images are not copied.
const ALONE: [&str; 2] = ["ap-singapore", "ap-tokyo"];

/// Returns the lane that copies of a lane's images go to; none where its region cannot be copied from.
pub fn neighbour(lane: &Lane) -> Option<Lane> {
    let is_near = |other: &&Lane| other.cloud == lane.cloud && !ALONE.contains(&other.region);
    let mut ring = LANES.iter().filter(is_near).cycle().take(LANES.len() * 2).skip_while(|other| *other != lane);
    ring.nth(1).copied()
}

/// Makes the buckets, and lets the clouds hold many images, and run many exports and copies side by side.
pub async fn prepare_lanes(clouds: &Simulator) {
    for lane in &LANES {
        let bucket = json!({
            "cloud": lane.cloud.as_str(), "account": lane.number, "region": lane.region, "name": lane.bucket,
        });
        clouds.post("buckets", bucket).await;
    }
    for lane in [TENCENT, ALIBABA] {
        let limits = json!({ "running_exports": 12, "running_copies": 12, "images_per_region": 1000 });
        clouds.limits(&lane, limits).await;
    }
}
