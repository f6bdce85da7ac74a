//! Says how accounts, images and buckets are described that are to be added, and why they are not.

use std::path::PathBuf;

use sampan_core::{Cloud, DiskRole};

use super::account::KmsKey;
use super::image::{ImageState, Origin};
use super::limits::Limits;

/// An account to add; what is `None` is made up.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The cloud.
    pub cloud: Cloud,
    /// Account number.
    pub id: String,
    /// APPID; Tencent only.
    pub app_id: Option<String>,
    /// Public half of the key.
    pub secret_id: String,
    /// Secret half of the key.
    pub secret_key: String,
    /// Session token.
    pub token: Option<String>,
    /// Roles for the image service; `None` gives the vendor's default role.
    pub export_roles: Option<Vec<String>>,
    /// Keys of the key service; `None` gives one that works and one that is switched off.
    pub kms_keys: Option<Vec<KmsKey>>,
    /// Resource groups; `None` gives one.
    pub resource_groups: Option<Vec<String>>,
    /// Numbers of users below the account.
    pub sub_accounts: Vec<String>,
    /// Limits; `None` gives the vendor's.
    pub limits: Option<Limits>,
}

/// An image to add; what is `None` is made up.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// The cloud.
    pub cloud: Cloud,
    /// Number of the account that sees it.
    pub account: String,
    /// Number of the account that shares it.
    pub owner: Option<String>,
    /// Region code.
    pub region: String,
    /// Image id.
    pub id: Option<String>,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Platform word.
    pub platform: String,
    /// Operating system in words; `None` repeats the platform.
    pub os_name: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// True when its snapshots are encrypted.
    pub encrypted: bool,
    /// Condition.
    pub state: ImageState,
    /// Its disks; exactly one is the system disk.
    pub disks: Vec<NewDisk>,
}

/// A disk of an image to add.
#[derive(Debug, Clone)]
pub struct NewDisk {
    /// What it is to the machine.
    pub role: DiskRole,
    /// Device, with or without `/dev/`; `None` takes the next of `xvda`, `xvdb` …
    pub device: Option<String>,
    /// Size in GiB; `None` takes the file's, rounded up.
    pub size_gib: Option<u64>,
    /// File with the disk's bytes; `None` gives some deterministic data and holes.
    pub file: Option<PathBuf>,
}

/// A bucket to add.
#[derive(Debug, Clone)]
pub struct NewBucket {
    /// The cloud.
    pub cloud: Cloud,
    /// Number of the account that owns it.
    pub account: String,
    /// Region code.
    pub region: String,
    /// Full name; on Tencent it ends in `-` and the APPID.
    pub name: String,
    /// False when the image service may not write to it.
    pub writable: bool,
    /// True when it encrypts on the server's side.
    pub encrypted: bool,
    /// Storage class; `None` gives the vendor's standard class.
    pub storage_class: Option<String>,
}

/// Why something was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditRefusal {
    /// The cloud has no account of that number.
    #[error("{cloud} has no account {account}")]
    UnknownAccount {
        /// The cloud.
        cloud: Cloud,
        /// The number.
        account: String,
    },
    /// The cloud has no region of that code.
    #[error("{cloud} has no region {region}")]
    UnknownRegion {
        /// The cloud.
        cloud: Cloud,
        /// The code.
        region: String,
    },
    /// Something of that name is there already.
    #[error("{what} {name} exists already")]
    Exists {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// There is no such image.
    #[error("{cloud} has no image {image} in {region}")]
    UnknownImage {
        /// The cloud.
        cloud: Cloud,
        /// Region code.
        region: String,
        /// Image id.
        image: String,
    },
    /// There is no such bucket.
    #[error("{cloud} has no bucket {bucket}")]
    UnknownBucket {
        /// The cloud.
        cloud: Cloud,
        /// The name.
        bucket: String,
    },
    /// A value breaks a rule.
    #[error("{field}: {rule}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The rule that it breaks.
        rule: String,
    },
}
