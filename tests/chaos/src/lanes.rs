//! Twelve lanes on both clouds, each with a bucket.

use sampan_core::Cloud;
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

/// Makes the buckets, and lets the clouds run many exports side by side.
pub async fn prepare_lanes(clouds: &Simulator) {
    for lane in &LANES {
        let bucket = json!({
            "cloud": lane.cloud.as_str(), "account": lane.number, "region": lane.region, "name": lane.bucket,
        });
        clouds.post("buckets", bucket).await;
    }
    for lane in [TENCENT, ALIBABA] {
        let most_images = if lane.cloud == Cloud::Tencent { 10 } else { 1000 };
        clouds.limits(&lane, json!({ "running_exports": 12, "images_per_region": most_images })).await;
    }
}
