//! Decides what the objects of an export are called, and which disk a name belongs to.
//!
//! Both vendors name an object `PREFIX_IMAGEID_…`. What follows is documented, but not promised: a documented name
//! proves that an object is of an export, another name with the right beginning and ending makes it likely.

use sampan_cloud::image::Disk;
use sampan_core::{Cloud, DiskRole, ImageFormat};

use crate::spec::ExportSpec;

/// Returns the device of a disk; where the cloud tells none, disks count from `xvda` in their order.
pub(crate) fn device(index: usize, disk: &Disk) -> String {
    disk.device.clone().unwrap_or_else(|| {
        let letter = u8::try_from(index).ok().and_then(|index| b'a'.checked_add(index)).filter(u8::is_ascii_lowercase);
        letter.map_or_else(|| format!("disk{index}"), |letter| format!("xvd{}", char::from(letter)))
    })
}

/// Returns the key that the vendor documents for a disk; `*` stands for a part that only the cloud knows.
pub(crate) fn pattern(spec: &ExportSpec, index: usize, disk: &Disk) -> String {
    let stem = spec.key_stem();
    let format = spec.format;
    match spec.cloud {
        Cloud::Tencent => format!("{stem}{}_{}.{format}", disk.role, disk.snapshot_id.as_deref().unwrap_or("*")),
        Cloud::Alibaba => {
            let ending = if format == ImageFormat::Raw { "raw.tar.gz" } else { format.as_str() };
            match disk.role {
                DiskRole::System => format!("{stem}system.{ending}"),
                DiskRole::Data => format!("{stem}data_{}.{ending}", device(index, disk)),
            }
        }
    }
}

/// Returns the documented keys of all disks that can be told in full.
pub(crate) fn predicted(spec: &ExportSpec, disks: &[Disk]) -> Vec<String> {
    let patterns = disks.iter().enumerate().map(|(index, disk)| pattern(spec, index, disk));
    patterns.filter(|pattern| !pattern.contains('*')).collect()
}

/// Returns whether `key` has the documented name of one of the disks: then it surely is of such an export.
pub(crate) fn is_documented(spec: &ExportSpec, disks: &[Disk], key: &str) -> bool {
    disks.iter().enumerate().any(|(index, disk)| {
        let pattern = pattern(spec, index, disk);
        match pattern.split_once('*') {
            None => key == pattern,
            Some((head, tail)) => {
                let unknown = key.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
                unknown.is_some_and(|part| !part.is_empty() && part.chars().all(is_id_char))
            }
        }
    })
}

fn is_id_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// Returns whether `key` may be of an export of `spec`: its beginning and its ending are right.
///
/// A prefix that ends in an image id makes the keys of another image begin alike, so what follows must not name a
/// second image.
pub(crate) fn is_likely(spec: &ExportSpec, key: &str) -> bool {
    let Some(rest) = key.strip_prefix(&spec.key_stem()) else { return false };
    let names_an_image = match spec.cloud {
        Cloud::Tencent => rest.starts_with("img-"),
        Cloud::Alibaba => rest.starts_with("m-"),
    };
    !rest.contains('/') && !names_an_image && (format_of(rest) == Some(spec.format) || is_silent_raw(spec, rest))
}

/// Some regions of Alibaba write RAW whatever format was asked for.
fn is_silent_raw(spec: &ExportSpec, key: &str) -> bool {
    spec.cloud == Cloud::Alibaba && format_of(key) == Some(ImageFormat::Raw)
}

/// Returns the format that the ending of a key tells.
pub(crate) fn format_of(key: &str) -> Option<ImageFormat> {
    let key = key.strip_suffix(".gz").unwrap_or(key);
    let key = key.strip_suffix(".tar").unwrap_or(key);
    let ending = key.rsplit_once('.')?.1;
    [ImageFormat::Raw, ImageFormat::Vhd, ImageFormat::Qcow2, ImageFormat::Vmdk, ImageFormat::Vdi]
        .into_iter()
        .find(|format| format.as_str() == ending)
}

/// Returns the index of the disk that a key belongs to, by snapshot, device, or role.
pub(crate) fn disk_of(spec: &ExportSpec, key: &str, disks: &[Disk]) -> Option<usize> {
    // The prefix is the caller's and may hold any of the words that are looked for.
    let rest = key.strip_prefix(&spec.key_stem()).unwrap_or(key);
    let by_snapshot = |disk: &Disk| disk.snapshot_id.as_ref().is_some_and(|id| rest.contains(&format!("_{id}.")));
    let by_device = |disk: &Disk| {
        let device = disk.device.as_deref().unwrap_or_default();
        !device.is_empty() && disk.role == DiskRole::Data && rest.contains(&format!("data_{device}."))
    };
    let by_role = |disk: &Disk| disk.role == DiskRole::System && rest.starts_with("system");
    disks
        .iter()
        .position(by_snapshot)
        .or_else(|| disks.iter().position(by_device))
        .or_else(|| disks.iter().position(by_role))
        .or_else(|| (disks.len() == 1).then_some(0))
}

#[cfg(test)]
mod tests;
