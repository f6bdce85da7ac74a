//! Names the documents that the rules come from, with their dates as far as they carry one.
//!
//! Sources of numbers stand beside them, in the tables of limits.

use sampan_core::Cloud;
use sampan_core::finding::Source;

/// Returns the vendor's description of shared images.
pub(crate) fn overview(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("Tencent Cloud, Image overview", ""),
        Cloud::Alibaba => ("Alibaba Cloud, Share or unshare a custom image", ""),
    }
}

/// Returns the vendor's description of the share call.
pub(crate) fn call(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tccli 3.1.189.1, ModifyImageSharePermission", "2026"),
        Cloud::Alibaba => ("Alibaba Cloud, ModifyImageSharePermission", "2024-04-11"),
    }
}

/// Returns the vendor's list of refusals of the share call.
pub(crate) fn refusals(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("tencentcloud-sdk-go v1.3.166, ModifyImageSharePermission error codes", "2026-08-21"),
        Cloud::Alibaba => ("Alibaba Cloud, ModifyImageSharePermission, error codes", "2025"),
    }
}
