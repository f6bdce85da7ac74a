//! Decides what an image of a cloud is to the simulator.

use jiff::Timestamp;
use sampan_core::{Cloud, DiskRole};
use serde::{Deserialize, Serialize};

use crate::content::Content;

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Made by the account itself.
    Custom,
    /// Made by the account from an image of the marketplace.
    Marketplace,
    /// Provided by the cloud for everybody.
    Public,
    /// Made by another account, which shares it with this one.
    Shared,
}

impl Origin {
    /// Returns whether the account that sees it has made it.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Custom | Self::Marketplace)
    }
}

/// Condition of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageState {
    /// Still being made.
    Creating,
    /// Ready for use.
    Ready,
    /// Being copied from another image; of a number that the cloud makes at once.
    Copying,
    /// A copy that waits for its turn; Alibaba alone.
    Waiting,
    /// Out of use; Alibaba alone.
    Unavailable,
    /// Kept, but not to be used any more; Alibaba alone.
    Deprecated,
    /// Could not be made.
    Failed,
}

impl ImageState {
    /// Returns whether the cloud is still at work on it.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Self::Creating | Self::Copying | Self::Waiting)
    }
}

/// One image as one account sees it in one region.
#[derive(Debug, Clone, Serialize)]
pub struct Image {
    /// The cloud that holds the image.
    pub cloud: Cloud,
    /// The account that sees it; for [`Origin::Public`] every account of the cloud does.
    pub account: String,
    /// The account that shares it, when the origin is [`Origin::Shared`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Region code.
    pub region: String,
    /// Image id in the vendor's shape: `img-` + 8, `m-` + region infix + the rest of 20.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Platform word, such as `Ubuntu`, `CentOS`, `RedHat`, `Windows` or `Windows Server 2022`.
    pub platform: String,
    /// Operating system in words, such as `Ubuntu Server 22.04 LTS 64bit`.
    pub os_name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// True when its snapshots are encrypted.
    pub encrypted: bool,
    /// The account's own key that encrypts them; `None` while encrypted means the cloud's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Condition.
    pub state: ImageState,
    /// Whole percents of its making, 0 to 100; 100 only when it is made.
    pub progress: u8,
    /// Until when the cloud does not list it, though it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_until: Option<Timestamp>,
    /// `BIOS`, `UEFI` or `UEFI-Preferred`.
    pub boot_mode: String,
    /// True when the account has brought the licence of the system itself; such an image of Tencent is not shared.
    pub own_licence: bool,
    /// Region and id of the image that it is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<CopySource>,
    /// True when machines run from it.
    pub in_use: bool,
    /// Resource group; Alibaba alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// Tags, in the order in which they were given.
    pub tags: Vec<Tag>,
    /// Time of creation, on the world's clock.
    pub created_at: Timestamp,
    /// The system disk first, then the data disks in the order of their devices.
    pub disks: Vec<Disk>,
}

impl Image {
    /// Returns whether it holds a system of Microsoft.
    pub fn is_windows(&self) -> bool {
        self.platform.to_ascii_lowercase().starts_with("windows")
            || self.platform == "Other Windows"
            || self.os_name.to_ascii_lowercase().starts_with("windows")
    }

    /// Returns whether it holds a system of Red Hat.
    pub fn is_red_hat(&self) -> bool {
        let squeezed = |text: &str| text.to_ascii_lowercase().replace(' ', "");
        squeezed(&self.platform).starts_with("redhat") || squeezed(&self.os_name).starts_with("redhat")
    }

    /// Returns the system disk; every image has one.
    pub fn system_disk(&self) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.role == DiskRole::System)
    }

    /// Returns the sizes of all disks together, in GiB.
    pub fn total_gib(&self) -> u64 {
        self.disks.iter().map(|disk| disk.size_gib).sum()
    }

    /// Returns the data disks.
    pub fn data_disks(&self) -> impl Iterator<Item = &Disk> {
        self.disks.iter().filter(|disk| disk.role == DiskRole::Data)
    }
}

/// Where a copied image or snapshot comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopySource {
    /// Region of the source.
    pub region: String,
    /// Its id.
    pub id: String,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Key.
    pub key: String,
    /// Value; may be empty.
    pub value: String,
}

/// One disk of an image: a snapshot with its bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Disk {
    /// What it is to the machine.
    pub role: DiskRole,
    /// Device path, such as `/dev/xvda`.
    pub device: String,
    /// Size that the cloud tells, in GiB.
    pub size_gib: u64,
    /// Snapshot id in the vendor's shape.
    pub snapshot_id: String,
    /// The disk's bytes; their number is `size_gib` GiB, or the length of the backing file.
    #[serde(skip)]
    pub content: Content,
}

impl Disk {
    /// Returns the device without its folder: `xvdb` of `/dev/xvdb`.
    pub fn device_name(&self) -> &str {
        self.device.strip_prefix("/dev/").unwrap_or(&self.device)
    }
}
