//! Writes down what an export left in the bucket, and how to use it.

use sampan_cloud::bucket::Object;
use sampan_cloud::image::Disk;
use sampan_core::{Cloud, DiskRole};
use sampan_state::result::{Artifact, ExportResult, Packing};

use crate::names;
use crate::spec::ExportSpec;

/// Matches objects to disks: the artifact of each disk in the order of the disks, `None` for one without an object.
///
/// An object whose name tells no disk goes to the first disk that has none.
pub(super) fn artifacts(spec: &ExportSpec, disks: &[Disk], objects: Vec<Object>) -> Vec<Option<Artifact>> {
    let mut taken: Vec<Option<Object>> = disks.iter().map(|_| None).collect();
    let mut rest = Vec::new();
    for object in objects {
        let index = names::disk_of(spec, &object.key, disks);
        match index.and_then(|index| taken.get_mut(index)).filter(|place| place.is_none()) {
            Some(place) => *place = Some(object),
            None => rest.push(object),
        }
    }
    // What names a disk that has its object already is a second copy, and no other disk's.
    rest.retain(|object| names::disk_of(spec, &object.key, disks).is_none());
    let mut rest = rest.into_iter();
    let matched = disks.iter().zip(taken).enumerate();
    matched
        .map(|(index, (disk, object))| {
            let object = object.or_else(|| rest.next())?;
            Some(artifact(spec, disk, names::device(index, disk), object))
        })
        .collect()
}

/// Builds the manifest: the system disk first, data disks in device order.
pub(super) fn build(spec: &ExportSpec, artifacts: Vec<Artifact>) -> ExportResult {
    ExportResult {
        bucket: spec.bucket.clone(),
        region: spec.region.to_string(),
        fstab_reminder: fstab_reminder(&artifacts),
        notes: notes(spec, &artifacts),
        artifacts,
        first_estimate: None,
        estimate: None,
    }
}

fn artifact(spec: &ExportSpec, disk: &Disk, device: String, object: Object) -> Artifact {
    let packing = if object.key.ends_with(".tar.gz") { Packing::TarGzip } else { Packing::None };
    let file = object.key.rsplit('/').next().unwrap_or(&object.key);
    let unpack_command = match packing {
        Packing::None => String::new(),
        Packing::TarGzip => format!("tar --extract --sparse --gzip --file {file}"),
    };
    Artifact {
        role: disk.role,
        device,
        size_gib: disk.size_gib,
        snapshot_id: disk.snapshot_id.clone(),
        bucket: spec.bucket.clone(),
        size_bytes: object.size_bytes,
        etag: object.etag,
        crc64: object.crc64,
        last_modified: object.last_modified,
        // Both vendors leave the word out for their standard class.
        storage_class: object.storage_class.unwrap_or_else(|| standard_class(spec.cloud).to_owned()),
        format: names::format_of(&object.key).unwrap_or(spec.format),
        packing,
        unpack_command,
        key: object.key,
    }
}

fn standard_class(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Tencent => "STANDARD",
        Cloud::Alibaba => "Standard",
    }
}

fn fstab_reminder(artifacts: &[Artifact]) -> String {
    let data: Vec<_> = artifacts.iter().filter(|artifact| artifact.role == DiskRole::Data).collect();
    if data.is_empty() {
        return String::new();
    }
    let devices: Vec<_> = data.iter().map(|artifact| artifact.device.as_str()).collect();
    format!(
        "before a machine starts from these disks, check that /etc/fstab on the system disk names the data disks \
         ({}) where they will be attached",
        devices.join(", ")
    )
}

fn notes(spec: &ExportSpec, artifacts: &[Artifact]) -> Vec<String> {
    let mut notes =
        vec!["the files are not promised to start on other platforms; their disks can always be mounted".to_owned()];
    if let Some(other) = artifacts.iter().find(|artifact| artifact.format != spec.format) {
        notes.push(format!("the cloud wrote {} instead of {}, as it does in some regions", other.format, spec.format));
    }
    if artifacts.iter().any(|artifact| artifact.packing == Packing::TarGzip) {
        notes.push("on macOS, unpack with GNU tar (gtar): the archives are sparse".to_owned());
    }
    notes.push("a disk without data when the image was made is exported without data".to_owned());
    notes.push(match spec.cloud {
        Cloud::Tencent => "the bucket charges for storage, requests and public downstream traffic of COS".to_owned(),
        Cloud::Alibaba => "the bucket charges for storage and download traffic of OSS".to_owned(),
    });
    notes
}

#[cfg(test)]
mod tests;
