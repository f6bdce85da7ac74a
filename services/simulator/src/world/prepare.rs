//! Decides when the bytes of an exported object are made: small ones at once, large ones on a thread of their own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sampan_core::ImageFormat;

use super::ids::mix;
use super::task::{Packaging, Preparation, Prepared};
use crate::content::{self, Content};

/// Data up to which the object is made before the export is answered, so that tests with a clock in hand never wait.
const AT_ONCE: u64 = 8 << 20;

/// Bytes of one part of the multipart upload that the entity tag tells of.
const PART: u64 = 64 << 20;

/// Begins to make an object and returns where it will be found.
pub(super) fn begin(
    disk: &Content,
    format: ImageFormat,
    packaging: Packaging,
    key: &str,
    data_dir: &Path,
) -> Arc<Preparation> {
    let preparation = Arc::new(Preparation::default());
    let (filled, disk) = (Arc::clone(&preparation), disk.clone());
    let member = key.rsplit('/').next().unwrap_or(key).trim_end_matches(".tar.gz").to_owned();
    let folder = data_dir.to_owned();
    let is_small = disk.data_len() <= AT_ONCE;
    let make = move || {
        let progress = |percent| filled.percent.store(percent, Ordering::Relaxed);
        let made = make(&disk, format, packaging, &member, &folder, progress).map_err(|error| error.to_string());
        if let Err(error) = &made {
            tracing::warn!(%member, error, "an exported object could not be made");
        }
        // Nobody else fills the slot.
        let _ = filled.result.set(made);
    };
    if is_small {
        make();
    } else {
        std::thread::spawn(make);
    }
    preparation
}

/// Sums content that was put into a bucket directly.
pub(super) fn sum(content: Content) -> std::io::Result<Prepared> {
    let crc64 = content.crc64()?;
    let parts = content.len().div_ceil(PART).max(1);
    // The digits need only differ between contents: real ones are no MD5 of the object either.
    let etag = format!("{:016x}{:016x}-{parts}", mix(crc64), mix(crc64 ^ content.len()));
    Ok(Prepared { content, crc64, etag })
}

fn make(
    disk: &Content,
    format: ImageFormat,
    packaging: Packaging,
    member: &str,
    folder: &Path,
    progress: impl Fn(u8),
) -> std::io::Result<Prepared> {
    let file = content::disk_file(disk, format);
    sum(match packaging {
        Packaging::Plain => file,
        Packaging::TarGz => content::tar_gz(&file, member, folder, progress)?,
    })
}
