//! Names the documents that the rules come from, with their dates as far as they carry one.
//!
//! Sources of numbers and lists stand beside them, in the tables of limits.

use sampan_core::Cloud;
pub(crate) use sampan_core::finding::{OWN, Source};

/// Returns the vendor's guide of copies.
pub(crate) fn guide(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("Tencent Cloud, Image overview", ""),
        Cloud::Alibaba => ("Alibaba Cloud, Copy a custom image", ""),
    }
}

/// Returns the vendor's list of refusals of the copy call.
pub(crate) fn refusals(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tencentcloud-sdk-go v1.3.166, SyncImages error codes", "2026-08-21"),
        Cloud::Alibaba => ("Alibaba Cloud, CopyImage API reference, error codes", "2026-01"),
    }
}

/// Returns the vendor's description of the copy call.
pub(crate) fn call(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tccli 3.1.189.1, SyncImages", "2026"),
        Cloud::Alibaba => ("alibabacloud-ecs20140526 7.11.8, CopyImage", "2026"),
    }
}
