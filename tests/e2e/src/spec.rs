//! The requests that tests start from, and the lanes that the simulator has seeded.

use std::time::Duration;

use sampan_core::Cloud;
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use uuid::Uuid;

/// A lane of the seeded clouds with what lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// The cloud.
    pub cloud: Cloud,
    /// Its account as the server names it.
    pub account: &'static str,
    /// Its account as the cloud numbers it.
    pub number: &'static str,
    /// The region.
    pub region: &'static str,
    /// A good bucket.
    pub bucket: &'static str,
    /// The vendor's action that starts an export.
    pub export_action: &'static str,
}

/// The first account of the simulated Tencent Cloud.
pub const TENCENT: Lane = Lane {
    cloud: Cloud::Tencent,
    account: "tencent",
    number: "100000000001",
    region: "ap-guangzhou",
    bucket: "sampan-guangzhou-1250000000",
    export_action: "ExportImages",
};

/// The first account of the simulated Alibaba Cloud.
pub const ALIBABA: Lane = Lane {
    cloud: Cloud::Alibaba,
    account: "alibaba",
    number: "1000000000000001",
    region: "cn-hangzhou",
    bucket: "sampan-hangzhou",
    export_action: "ExportImage",
};

impl Lane {
    /// Returns the id of a seeded image by its word, such as `ubuntu`.
    pub fn image(&self, word: &str) -> String {
        let (prefix, width) = match self.cloud {
            Cloud::Tencent => ("img-", 8),
            Cloud::Alibaba => ("m-bp1sampan", 11),
        };
        format!("{prefix}{word}{:0width$}", 1, width = width - word.len())
    }

    /// Returns the number of the `index`th of the hundred accounts that the cloud has to share with.
    pub fn receiver(&self, index: usize) -> String {
        match self.cloud {
            Cloud::Tencent => format!("100000000{}", 100 + index),
            Cloud::Alibaba => format!("1000000000000{}", 100 + index),
        }
    }

    /// Returns the value of the API.
    pub fn wire_cloud(&self) -> i32 {
        let cloud = match self.cloud {
            Cloud::Tencent => image_pb::Cloud::Tencent,
            Cloud::Alibaba => image_pb::Cloud::Alibaba,
        };
        cloud.into()
    }
}

/// Returns an export of `image` to the lane's good bucket.
pub fn spec_of(lane: &Lane, image: impl Into<String>) -> pb::ExportSpec {
    pb::ExportSpec {
        image: Some(image_pb::ImageReference {
            cloud: lane.wire_cloud(),
            account: lane.account.to_owned(),
            region: lane.region.to_owned(),
            image_id: image.into(),
        }),
        bucket: lane.bucket.to_owned(),
        ..pb::ExportSpec::default()
    }
}

/// Returns a request to start `spec`, with a fresh request id.
pub fn request(spec: pb::ExportSpec) -> pb::ExportImageRequest {
    pb::ExportImageRequest { request_id: Uuid::new_v4().to_string(), spec: Some(spec), ..Default::default() }
}

/// Returns a duration as the API has it.
pub fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).expect("a duration that fits")
}
