//! The options that describe an export, shared by `preview export` and `export`.

use std::time::Duration;

use clap::Args;
use sampan_core::{Cloud, ImageFormat};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::quota::v1::WhenQuotaSpent;

use super::parse;

/// An export, as the command line describes it.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Cloud of the image: tencent or alibaba.
    #[arg(long, value_parser = parse::parse_cloud, value_name = "CLOUD")]
    pub cloud: Cloud,
    /// Account as the server's configuration names it; default: the cloud's name.
    #[arg(long)]
    pub account: Option<String>,
    /// Region of the image and the bucket, such as ap-guangzhou or cn-hangzhou.
    #[arg(long)]
    pub region: String,
    /// Id of the image.
    #[arg(long, value_name = "IMAGE_ID")]
    pub image: String,
    /// Bucket in the image's region; on Tencent with the APPID, such as images-1250000000.
    #[arg(long)]
    pub bucket: String,
    /// Beginning of the file names.
    #[arg(long)]
    pub prefix: Option<String>,
    /// File format: raw, vhd, qcow2, vmdk or vdi.
    #[arg(long, default_value = "raw", value_parser = parse::parse_format)]
    pub format: ImageFormat,
    /// Leaves the data disks out (Tencent only).
    #[arg(long)]
    pub only_root_disk: bool,
    /// Role by which the cloud writes to the bucket; default: the vendor's.
    #[arg(long)]
    pub role_name: Option<String>,
    /// Waits in the queue when the day's quota is spent, instead of being refused.
    #[arg(long)]
    pub queue: bool,
    /// How long to wait for the cloud, such as 12h; default: by the size of the image.
    #[arg(long, value_parser = parse::parse_duration, value_name = "DURATION")]
    pub deadline: Option<Duration>,
    /// Silence of the cloud that rings the stall alarm, such as 1h; default: by the size of the image.
    #[arg(long, value_parser = parse::parse_duration, value_name = "DURATION")]
    pub stall_after: Option<Duration>,
    /// The limit of cost, and what decides the price.
    #[command(flatten)]
    pub cost: CostArgs,
}

impl ExportArgs {
    /// Returns the message of the API.
    pub fn spec(&self) -> pb::ExportSpec {
        pb::ExportSpec {
            image: Some(image_pb::ImageReference {
                cloud: wire_cloud(self.cloud) as i32,
                account: self.account.clone().unwrap_or_else(|| self.cloud.to_string()),
                region: self.region.clone(),
                image_id: self.image.clone(),
            }),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            format: wire_format(self.format) as i32,
            only_root_disk: self.only_root_disk,
            role_name: self.role_name.clone().unwrap_or_default(),
            when_quota_spent: if self.queue { WhenQuotaSpent::Queue } else { WhenQuotaSpent::Fail } as i32,
            deadline: self.deadline.map(wire_duration),
            stall_after: self.stall_after.map(wire_duration),
            max_cost: self.cost.max_cost.clone(),
            expected_use: self.cost.expected_use(),
        }
    }
}

/// What a job may cost, and what becomes of its files.
#[derive(Debug, Clone, Default, Args)]
pub struct CostArgs {
    /// The most that the export may cost at worst, such as 25 or 25USD; a start above it is refused.
    #[arg(long, value_parser = parse::parse_cost, value_name = "AMOUNT")]
    pub max_cost: Option<billing_pb::CostLimit>,
    /// How long the files will be kept, for the price; default: 30 days.
    #[arg(long, value_name = "DAYS")]
    pub keep_days: Option<u32>,
    /// Complete downloads over the internet that will follow, for the price.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "COUNT")]
    pub public_downloads: i32,
    /// Complete downloads inside the region that will follow, for the price.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "COUNT")]
    pub private_downloads: i32,
}

impl CostArgs {
    /// Returns the message of the API; `None` when nothing is said.
    pub fn expected_use(&self) -> Option<pb::ExpectedUse> {
        let downloads = billing_pb::Downloads {
            public_count: self.public_downloads,
            private_count: self.private_downloads,
            ..billing_pb::Downloads::default()
        };
        let keep_for = self.keep_days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        // What is not said stays unset, so that the request is the same as that of a client that knows no prices.
        let is_said = keep_for.is_some() || downloads != billing_pb::Downloads::default();
        is_said.then(|| pb::ExpectedUse { keep_for: keep_for.map(wire_duration), downloads: Some(downloads) })
    }
}

/// Returns the cloud as the API writes it.
pub fn wire_cloud(cloud: Cloud) -> image_pb::Cloud {
    match cloud {
        Cloud::Tencent => image_pb::Cloud::Tencent,
        Cloud::Alibaba => image_pb::Cloud::Alibaba,
    }
}

/// Returns the format as the API writes it.
pub(super) fn wire_format(format: ImageFormat) -> image_pb::ImageFormat {
    match format {
        ImageFormat::Raw => image_pb::ImageFormat::Raw,
        ImageFormat::Vhd => image_pb::ImageFormat::Vhd,
        ImageFormat::Qcow2 => image_pb::ImageFormat::Qcow2,
        ImageFormat::Vmdk => image_pb::ImageFormat::Vmdk,
        ImageFormat::Vdi => image_pb::ImageFormat::Vdi,
    }
}

pub(super) fn wire_duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}
