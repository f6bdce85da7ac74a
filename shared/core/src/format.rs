//! Names the formats an image can be exported in and the roles its disks play.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// File format of an exported disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageFormat {
    /// Sector by sector, no header.
    Raw,
    /// Microsoft virtual hard disk.
    Vhd,
    /// QEMU copy-on-write, version 2 or 3.
    Qcow2,
    /// VMware virtual machine disk.
    Vmdk,
    /// VirtualBox disk image.
    Vdi,
}

impl ImageFormat {
    /// Every format, in the order that help texts list them.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Vhd, Self::Qcow2, Self::Vmdk, Self::Vdi];

    /// Returns the lower-case word of the format, as in file extensions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Vhd => "vhd",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no image format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no image format; the formats are raw, vhd, qcow2, vmdk and vdi")]
pub struct UnknownFormat(pub String);

impl FromStr for ImageFormat {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let lower = word.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.as_str() == lower).ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

/// What a disk is to the machine that the image starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskRole {
    /// Holds the operating system; exactly one per image.
    System,
    /// Any further disk.
    Data,
}

impl fmt::Display for DiskRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::Data => "data",
        })
    }
}
