//! The manifest says what is in the bucket: every disk, proven, and how to get it out again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;

use sampan_proto::export::v1::{CreateDownloadUrlsRequest, ExportSpec};
use sampan_proto::image::v1::{DiskRole, ImageFormat};
use sampan_proto::operation::v1::operation::Result::ExportResult as OfExport;
use sampan_proto::operation::v1::{ExportResult, Operation, OperationState, Packing, TargetState};
use sampan_tests_e2e::{ALIBABA, Lane, TENCENT, World, spec_of};
use serde_json::{Value, json};

const GIB: u64 = 1 << 30;

fn result(operation: &Operation) -> &ExportResult {
    match &operation.result {
        Some(OfExport(result)) => result,
        _ => panic!("no result of an export: {operation:#?}"),
    }
}

async fn exported(world: &World, spec: ExportSpec) -> Operation {
    let operation = world.api().start(spec).await;
    let ended = world.api().ended(&operation.name).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    ended
}

async fn objects_by_key(world: &World, lane: &Lane) -> BTreeMap<String, Value> {
    let objects = world.clouds.objects(lane.bucket).await;
    objects.into_iter().map(|object| (object["key"].as_str().unwrap().to_owned(), object)).collect()
}

#[tokio::test]
async fn system_and_data_disks_are_told_apart_with_device_size_and_proof() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let spec = ExportSpec { prefix: Some("nightly".into()), ..spec_of(&lane, lane.image("debian")) };
        let preview = world.api().preview(spec.clone()).await;
        let ended = exported(&world, spec).await;
        let result = result(&ended);
        let objects = objects_by_key(&world, &lane).await;
        let system_gib = if lane == TENCENT { 50 } else { 40 };
        let wanted =
            [("xvda", DiskRole::System, system_gib), ("xvdb", DiskRole::Data, 100), ("xvdc", DiskRole::Data, 20)];
        assert_eq!((result.artifacts.len(), objects.len(), ended.targets.len()), (3, 3, 3));
        for ((artifact, target), (device, role, size_gib)) in result.artifacts.iter().zip(&ended.targets).zip(wanted) {
            let disk = artifact.disk.as_ref().expect("a disk");
            assert_eq!((disk.device.as_str(), disk.role(), disk.size_gib), (device, role, size_gib));
            let object = &objects[&artifact.key];
            assert_eq!(object["size"].as_u64(), Some(artifact.size_bytes));
            // OSS writes its hexadecimal digits in capitals on the wire.
            assert!(object["etag"].as_str().is_some_and(|etag| etag.eq_ignore_ascii_case(&artifact.etag)));
            assert_eq!(object["crc64"].as_str(), Some(artifact.crc64.as_str()));
            assert_eq!(object["storage_class"].as_str(), Some(artifact.storage_class.as_str()));
            assert_eq!((artifact.bucket.as_str(), artifact.format()), (lane.bucket, ImageFormat::Raw));
            assert!(artifact.key.starts_with(&format!("nightly_{}_", lane.image("debian"))), "{}", artifact.key);
            assert!(artifact.last_modified_time.is_some());
            assert_eq!((target.id.as_str(), target.state()), (device, TargetState::Succeeded));
            assert_eq!(
                (target.size_bytes, target.cloud_ids.get("object")),
                (Some(artifact.size_bytes), Some(&artifact.key))
            );
            check_packing(&lane, artifact);
        }
        assert_eq!(result.total_size_bytes, result.artifacts.iter().map(|artifact| artifact.size_bytes).sum::<u64>());
        assert_eq!((result.bucket.as_str(), result.region.as_str()), (lane.bucket, lane.region));
        let reminder = &result.fstab_reminder;
        assert!(
            reminder.contains("/etc/fstab") && reminder.contains("xvdb") && reminder.contains("xvdc"),
            "{reminder}"
        );
        check_forecast(&preview.expected_objects, result);
    }
}

fn check_packing(lane: &Lane, artifact: &sampan_proto::operation::v1::Artifact) {
    if *lane == TENCENT {
        assert_eq!((artifact.packing(), artifact.unpack_command.as_str()), (Packing::None, ""));
        let disk = artifact.disk.as_ref().expect("a disk");
        assert_eq!(artifact.size_bytes, disk.size_gib * GIB);
        assert!(!disk.snapshot_id.is_empty() && artifact.key.contains(&disk.snapshot_id));
    } else {
        assert_eq!(artifact.packing(), Packing::TarGzip);
        assert_eq!(artifact.unpack_command, format!("tar --extract --sparse --gzip --file {}", artifact.key));
    }
}

/// What the preview had forecast is what came.
fn check_forecast(expected: &[sampan_proto::export::v1::ExpectedObject], result: &ExportResult) {
    assert_eq!(expected.len(), result.artifacts.len());
    for (expected, artifact) in expected.iter().zip(&result.artifacts) {
        let (start, end) = expected.key_pattern.split_once('*').unwrap_or((&expected.key_pattern, ""));
        assert!(artifact.key.starts_with(start) && artifact.key.ends_with(end), "{expected:?} {}", artifact.key);
        assert!(artifact.size_bytes <= expected.max_size_bytes);
        assert_eq!(expected.disk.as_ref().map(|disk| &disk.device), artifact.disk.as_ref().map(|disk| &disk.device));
    }
}

#[tokio::test]
async fn a_single_disk_needs_no_reminder_and_the_buckets_own_storage_class_is_told() {
    let world = World::start().await;
    for (lane, bucket, class) in [(TENCENT, "sampan-cold-1250000000", "STANDARD_IA"), (ALIBABA, "sampan-cold", "IA")] {
        let body = json!({
            "cloud": lane.cloud.as_str(), "account": lane.number, "region": lane.region, "name": bucket,
            "storage_class": class,
        });
        world.clouds.post("buckets", body).await;
        let spec = ExportSpec { bucket: bucket.into(), ..spec_of(&lane, lane.image("ubuntu")) };
        let ended = exported(&world, spec).await;
        let result = result(&ended);
        assert_eq!(result.fstab_reminder, "");
        assert_eq!(result.artifacts[0].storage_class, class);
        let usual = exported(&world, spec_of(&lane, lane.image("debian"))).await;
        let standard = if lane == TENCENT { "STANDARD" } else { "Standard" };
        assert!(self::result(&usual).artifacts.iter().all(|artifact| artifact.storage_class == standard));
    }
}

/// Writes a disk of 8 MiB with content at its begin, in its middle and at its end, and holes between.
fn write_disk(path: &Path) -> Vec<u8> {
    let mut file = fs::File::create(path).unwrap();
    file.set_len(8 << 20).unwrap();
    for (at, byte) in [(0, 0xEB), (3 << 20, 0x5A), ((8 << 20) - 4096, 0xAA)] {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&[byte; 4096]).unwrap();
    }
    drop(file);
    fs::read(path).unwrap()
}

#[tokio::test]
async fn the_artifact_unpacks_by_its_own_command_to_the_bytes_of_the_disk() {
    let world = World::start().await;
    let source = world.folder().join("disk.raw");
    let bytes = write_disk(&source);
    for lane in [TENCENT, ALIBABA] {
        let fields = json!({ "name": "real", "disks": [{ "role": "system", "file": source }] });
        let image = world.clouds.add_image_of(&lane, fields).await;
        let ended = exported(&world, spec_of(&lane, image)).await;
        let artifact = &result(&ended).artifacts[0];
        let request = CreateDownloadUrlsRequest { operation_name: ended.name.clone(), valid_for: None };
        let urls = world.api().export.create_download_urls(request).await.expect("links").into_inner().urls;
        let fetched = world.clouds.fetch(&urls[0].url).await.bytes().await.expect("bytes");
        let folder = world.folder().join(format!("unpacked-{}", lane.cloud));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(&artifact.key), &fetched).unwrap();
        if !artifact.unpack_command.is_empty() {
            let unpacked = Command::new("sh").args(["-c", &artifact.unpack_command]).current_dir(&folder).status();
            assert!(unpacked.unwrap().success(), "{}", artifact.unpack_command);
            fs::remove_file(folder.join(&artifact.key)).unwrap();
        }
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        let unpacked = fs::read(&files[0]).unwrap();
        // The cloud pads a disk to whole GiB or leaves it as it is; what was on it comes first.
        assert!(unpacked.len() >= bytes.len() && unpacked[..bytes.len()] == bytes[..], "{}", lane.cloud);
        assert!(unpacked[bytes.len()..].iter().all(|byte| *byte == 0));
    }
}
