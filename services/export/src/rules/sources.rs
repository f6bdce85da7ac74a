//! Names the documents that the rules come from, with their dates as far as they carry one.
//!
//! Sources of numbers and lists stand beside them, in the tables of limits.

use sampan_core::Cloud;

pub(crate) use sampan_core::finding::{OWN, Source};

/// Returns the vendor's guide of the export: what kinds of images leave the cloud, and to which bucket.
pub(crate) fn guide(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("Tencent Cloud, Exporting Images", ""),
        Cloud::Alibaba => ("Alibaba Cloud, Export a custom image", ""),
    }
}

/// Returns the vendor's list of refusals of the export call.
pub(crate) fn refusals(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tencentcloud-sdk-go v1.3.166, ExportImages error codes", "2026-08-21"),
        Cloud::Alibaba => ("Alibaba Cloud, ExportImage API reference, error codes", "2025"),
    }
}

/// Returns the vendor's description of the export call.
pub(crate) fn call(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tccli 3.1.189.1, ExportImages", "2026"),
        Cloud::Alibaba => ("alibabacloud-ecs20140526 7.11.8, ExportImage", "2026"),
    }
}

/// Returns where the form of bucket names is written down.
pub(crate) fn bucket_names(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tccli 3.1.189.1, ExportImages; COS host names (document 436/7745)", "2026"),
        Cloud::Alibaba => ("Alibaba Cloud OSS, names of buckets", ""),
    }
}
