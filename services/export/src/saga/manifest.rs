//! Writes down what an export left in the bucket, and how to use it.

use sampan_cloud::bucket::Object;
use sampan_cloud::image::Disk;
use sampan_core::{Cloud, DiskRole};
use sampan_state::result::{Artifact, ExportResult, Packing};

use super::objects;
use crate::spec::ExportSpec;

/// Returns the device of a disk; where the cloud tells none, disks count from `xvda` in their order.
pub(crate) fn device_name(index: usize, disk: &Disk) -> String {
    disk.device.clone().unwrap_or_else(|| {
        let letter = u8::try_from(index).ok().and_then(|index| b'a'.checked_add(index)).filter(u8::is_ascii_lowercase);
        letter.map_or_else(|| format!("disk{index}"), |letter| format!("xvd{}", char::from(letter)))
    })
}

/// Builds the manifest: system disk first, data disks in device order.
pub(super) fn build(spec: &ExportSpec, disks: &[Disk], objects: Vec<Object>) -> ExportResult {
    let mut unmatched: Vec<Option<Object>> = objects.into_iter().map(Some).collect();
    let mut taken: Vec<Option<Object>> = disks.iter().map(|_| None).collect();
    for slot in &mut unmatched {
        if let Some(index) = slot.as_ref().and_then(|object| objects::disk_of(&object.key, disks))
            && taken.get(index).is_some_and(Option::is_none)
            && let Some(place) = taken.get_mut(index)
        {
            *place = slot.take();
        }
    }
    // Names that tell no disk go to the remaining disks in order.
    let mut rest = unmatched.into_iter().flatten();
    let artifacts: Vec<Artifact> = disks
        .iter()
        .zip(taken)
        .enumerate()
        .filter_map(|(index, (disk, object))| {
            let object = object.or_else(|| rest.next())?;
            Some(artifact(spec, disk, device_name(index, disk), object))
        })
        .collect();
    ExportResult {
        bucket: spec.bucket.clone(),
        region: spec.region.to_string(),
        fstab_reminder: fstab_reminder(&artifacts),
        notes: notes(spec.cloud, &artifacts),
        artifacts,
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
        format: spec.format,
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

fn notes(cloud: Cloud, artifacts: &[Artifact]) -> Vec<String> {
    let mut notes =
        vec!["the files are not promised to start on other platforms; their disks can always be mounted".to_owned()];
    if artifacts.iter().any(|artifact| artifact.packing == Packing::TarGzip) {
        notes.push("on macOS, unpack with GNU tar (gtar): the archives are sparse".to_owned());
    }
    notes.push("a disk without data when the image was made is exported without data".to_owned());
    notes.push(match cloud {
        Cloud::Tencent => "the bucket charges for storage, requests and public downstream traffic of COS".to_owned(),
        Cloud::Alibaba => "the bucket charges for storage and download traffic of OSS".to_owned(),
    });
    notes
}
