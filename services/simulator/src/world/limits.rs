//! Decides what the simulated clouds allow: the simulator's own copy of the vendors' numbers.
//!
//! The services have their own tables; none of these values may be read from there, because the simulator is what
//! they are judged by.

use sampan_core::Cloud;
use serde::{Deserialize, Serialize};

/// What a cloud allows one account. `None` means that the cloud sets no such limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Accepted mutating image calls per region and calendar day of UTC+8.
    pub daily_operations: Option<u32>,
    /// Exports that may run at once in a region.
    pub running_exports: u32,
    /// Largest exportable system disk, in GiB.
    pub system_disk_gib: Option<u64>,
    /// Largest exportable data disk, in GiB.
    pub data_disk_gib: u64,
    /// Most data disks in an exportable image.
    pub data_disks: u32,
    /// Custom images per region.
    pub images_per_region: u32,
    /// False when the account is not on the list of those that may export.
    pub export_enabled: bool,
}

impl Limits {
    /// Returns what `cloud` allows a fresh account.
    ///
    /// Source: Tencent image overview and export guide (5 operations a day, 500 GB a disk, 5 data disks); Alibaba
    /// export guide (4 data disks, 500 GiB each). The number of running exports is documented by neither.
    pub fn of(cloud: Cloud) -> Self {
        match cloud {
            Cloud::Tencent => Self {
                daily_operations: Some(5),
                running_exports: 5,
                system_disk_gib: Some(500),
                data_disk_gib: 500,
                data_disks: 5,
                images_per_region: 10,
                export_enabled: true,
            },
            Cloud::Alibaba => Self {
                daily_operations: None,
                running_exports: 5,
                system_disk_gib: None,
                data_disk_gib: 500,
                data_disks: 4,
                images_per_region: 100,
                export_enabled: true,
            },
        }
    }
}

/// Regions of Tencent Cloud that the simulator knows.
const TENCENT_REGIONS: [&str; 21] = [
    "ap-guangzhou",
    "ap-shanghai",
    "ap-nanjing",
    "ap-beijing",
    "ap-chengdu",
    "ap-chongqing",
    "ap-shenzhen-fsi",
    "ap-shanghai-fsi",
    "ap-beijing-fsi",
    "ap-hongkong",
    "ap-taipei",
    "ap-singapore",
    "ap-jakarta",
    "ap-bangkok",
    "ap-seoul",
    "ap-tokyo",
    "ap-mumbai",
    "na-siliconvalley",
    "na-ashburn",
    "sa-saopaulo",
    "eu-frankfurt",
];

/// Regions of Alibaba Cloud that the simulator knows.
const ALIBABA_REGIONS: [&str; 28] = [
    "cn-qingdao",
    "cn-beijing",
    "cn-zhangjiakou",
    "cn-huhehaote",
    "cn-wulanchabu",
    "cn-hangzhou",
    "cn-shanghai",
    "cn-nanjing",
    "cn-fuzhou",
    "cn-wuhan-lr",
    "cn-shenzhen",
    "cn-heyuan",
    "cn-guangzhou",
    "cn-chengdu",
    "cn-hongkong",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-northeast-1",
    "ap-northeast-2",
    "us-west-1",
    "us-east-1",
    "na-south-1",
    "eu-central-1",
    "eu-west-1",
    "me-east-1",
];

/// Regions of Alibaba Cloud that export in another format than RAW.
const ALIBABA_FORMAT_REGIONS: [&str; 9] = [
    "ap-northeast-1",
    "ap-southeast-5",
    "eu-central-1",
    "me-east-1",
    "us-east-1",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-3",
    "us-west-1",
];

/// Returns every region of `cloud` that the simulator knows.
pub fn regions(cloud: Cloud) -> &'static [&'static str] {
    match cloud {
        Cloud::Tencent => &TENCENT_REGIONS,
        Cloud::Alibaba => &ALIBABA_REGIONS,
    }
}

/// Returns whether `cloud` has a region of that code.
pub fn is_region(cloud: Cloud, region: &str) -> bool {
    regions(cloud).contains(&region)
}

/// Returns whether a region exports in other formats than RAW.
pub fn has_other_formats(cloud: Cloud, region: &str) -> bool {
    match cloud {
        Cloud::Tencent => true,
        Cloud::Alibaba => ALIBABA_FORMAT_REGIONS.contains(&region),
    }
}
