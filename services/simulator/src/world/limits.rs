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
    /// Copies that are made at once in a destination region; more wait for their turn.
    pub running_copies: u32,
    /// Largest image that is copied as a whole to another region, all its disks together, in GiB.
    pub copy_image_gib: Option<u64>,
    /// Regions between which images are copied; `None` leaves the cloud's newer rule of region groups.
    pub copy_regions: Option<Vec<String>>,
    /// False when images with data disks are neither copied nor shared.
    pub data_disk_images: bool,
    /// False when copies cannot be cancelled.
    pub cancel_copies: bool,
    /// Snapshots per region.
    pub snapshots_per_region: Option<u32>,
    /// Accounts that one image can be shared with.
    pub share_accounts: u32,
    /// Images that the account can share at once in a region.
    pub shared_images: Option<u32>,
    /// False when the role is missing with which encrypted images are shared.
    pub encrypted_shares: bool,
    /// False when the key service is not switched on.
    pub kms_enabled: bool,
    /// True when a dry run that finds nothing wrong is told by the error `DryRunOperation`; Alibaba always does that,
    /// and of Tencent both ways are documented.
    pub dry_run_is_error: bool,
}

/// The four regions of the image overview.
const DOCUMENTED_COPY_REGIONS: [&str; 4] = ["ap-guangzhou", "ap-beijing", "ap-shanghai", "ap-hongkong"];

impl Limits {
    /// Returns what `cloud` allows a fresh account.
    ///
    /// Source: Tencent image overview and export guide (5 operations a day, 500 GB a disk, 5 data disks); Alibaba
    /// export guide (4 data disks, 500 GiB each). The number of running exports is documented by neither. Copies and
    /// shares: Tencent image overview (four regions, 10 images, 50 accounts); Alibaba pages of CopyImage (5 at once)
    /// and ModifyImageSharePermission (50 accounts), guide to copies (2 TiB).
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
                running_copies: 100,
                copy_image_gib: None,
                copy_regions: Some(DOCUMENTED_COPY_REGIONS.map(str::to_owned).to_vec()),
                data_disk_images: true,
                cancel_copies: false,
                snapshots_per_region: None,
                share_accounts: 50,
                shared_images: None,
                encrypted_shares: false,
                kms_enabled: true,
                dry_run_is_error: false,
            },
            Cloud::Alibaba => Self {
                daily_operations: None,
                running_exports: 5,
                system_disk_gib: None,
                data_disk_gib: 500,
                data_disks: 4,
                images_per_region: 100,
                export_enabled: true,
                running_copies: 5,
                copy_image_gib: Some(2048),
                copy_regions: None,
                data_disk_images: true,
                cancel_copies: true,
                snapshots_per_region: None,
                share_accounts: 50,
                shared_images: None,
                encrypted_shares: true,
                kms_enabled: true,
                dry_run_is_error: true,
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

/// Returns whether images are copied from one region to another by the newer rule of region groups.
///
/// Source: Tencent's guide to copies: freely inside mainland China and inside the rest, never between the two without
/// the support, never out of finance regions, not with Taipei. Alibaba has no such rule for the regions listed here.
pub(super) fn pair_is_served(cloud: Cloud, from: &str, to: &str) -> bool {
    #[derive(PartialEq)]
    enum Group {
        Mainland,
        Abroad,
        Nowhere,
    }
    const MAINLAND: [&str; 6] =
        ["ap-guangzhou", "ap-shanghai", "ap-nanjing", "ap-beijing", "ap-chengdu", "ap-chongqing"];
    let group = |region: &str| match region {
        "ap-taipei" => Group::Nowhere,
        region if region.ends_with("-fsi") => Group::Nowhere,
        region if MAINLAND.contains(&region) => Group::Mainland,
        _ => Group::Abroad,
    };
    cloud == Cloud::Alibaba || (group(from) == group(to) && group(from) != Group::Nowhere)
}

/// Returns whether a region exports in other formats than RAW.
pub fn has_other_formats(cloud: Cloud, region: &str) -> bool {
    match cloud {
        Cloud::Tencent => true,
        Cloud::Alibaba => ALIBABA_FORMAT_REGIONS.contains(&region),
    }
}
