use sampan_core::ImageFormat;

use super::*;

fn spec(cloud: Cloud, format: ImageFormat) -> ExportSpec {
    let (region, image) = match cloud {
        Cloud::Tencent => ("ap-guangzhou", "img-1"),
        Cloud::Alibaba => ("cn-hangzhou", "m-1"),
    };
    ExportSpec {
        cloud,
        account: "prod".parse().unwrap(),
        region: region.parse().unwrap(),
        image: image.parse().unwrap(),
        bucket: "images".to_owned(),
        prefix: None,
        format,
        only_root_disk: false,
        role_name: None,
        queue_when_quota_spent: false,
        deadline_seconds: None,
        stall_after_seconds: None,
        max_cost: None,
        expected_use: Default::default(),
        lacks_region: false,
    }
}

fn disks(devices: [&str; 3]) -> Vec<Disk> {
    let disk = |(index, device): (usize, &str)| Disk {
        role: if index == 0 { DiskRole::System } else { DiskRole::Data },
        device: (!device.is_empty()).then(|| device.to_owned()),
        size_gib: 50,
        snapshot_id: Some(format!("snap-{index}")),
        encrypted: Some(false),
    };
    devices.into_iter().enumerate().map(disk).collect()
}

fn object(key: &str) -> Object {
    Object {
        key: key.to_owned(),
        size_bytes: 1,
        etag: "e".to_owned(),
        last_modified: None,
        crc64: Some(9),
        storage_class: None,
    }
}

fn keys(artifacts: &[Option<Artifact>]) -> Vec<Option<&str>> {
    artifacts.iter().map(|artifact| artifact.as_ref().map(|artifact| artifact.key.as_str())).collect()
}

#[test]
fn artifacts_come_in_the_order_of_the_disks_whatever_the_order_of_the_objects() {
    let objects = ["img-1_data_snap-2.raw", "img-1_data_snap-1.raw", "img-1_system_snap-0.raw"].map(object).to_vec();
    let matched = artifacts(&spec(Cloud::Tencent, ImageFormat::Raw), &disks(["", "", ""]), objects);
    assert_eq!(
        keys(&matched),
        [Some("img-1_system_snap-0.raw"), Some("img-1_data_snap-1.raw"), Some("img-1_data_snap-2.raw")]
    );
    let devices: Vec<_> = matched.iter().flatten().map(|artifact| artifact.device.as_str()).collect();
    assert_eq!(devices, ["xvda", "xvdb", "xvdc"]);
}

#[test]
fn a_disk_without_an_object_keeps_its_place_empty() {
    let objects = ["m-1_data_xvdc.raw.tar.gz", "m-1_system.raw.tar.gz"].map(object).to_vec();
    let matched = artifacts(&spec(Cloud::Alibaba, ImageFormat::Raw), &disks(["xvda", "xvdb", "xvdc"]), objects);
    assert_eq!(keys(&matched), [Some("m-1_system.raw.tar.gz"), None, Some("m-1_data_xvdc.raw.tar.gz")]);
}

#[test]
fn names_that_tell_no_disk_go_to_the_disks_that_are_left_and_second_copies_to_none() {
    let objects =
        ["img-1_a.raw", "img-1_b.raw", "img-1_system_snap-0.raw", "img-1_system_other.raw", "img-1_c.raw"].map(object);
    let matched = artifacts(&spec(Cloud::Tencent, ImageFormat::Raw), &disks(["", "", ""]), objects.to_vec());
    assert_eq!(keys(&matched), [Some("img-1_system_snap-0.raw"), Some("img-1_a.raw"), Some("img-1_b.raw")]);
}

#[test]
fn an_archive_says_how_it_is_unpacked() {
    let spec = spec(Cloud::Alibaba, ImageFormat::Raw);
    let objects = vec![object("m-1_system.raw.tar.gz")];
    let found = artifacts(&spec, &disks(["xvda", "xvdb", "xvdc"])[..1], objects);
    let artifact = found[0].clone().unwrap();
    assert_eq!(artifact.packing, Packing::TarGzip);
    assert_eq!(artifact.unpack_command, "tar --extract --sparse --gzip --file m-1_system.raw.tar.gz");
    assert_eq!(artifact.storage_class, "Standard");
    let result = build(&spec, vec![artifact]);
    assert!(result.fstab_reminder.is_empty(), "one disk has nothing to remind of");
    assert!(result.notes.iter().any(|note| note.contains("GNU tar")));
}

#[test]
fn a_plain_file_needs_no_unpacking_and_data_disks_call_for_fstab() {
    let spec = spec(Cloud::Tencent, ImageFormat::Raw);
    let objects = ["img-1_system_snap-0.raw", "img-1_data_snap-1.raw", "img-1_data_snap-2.raw"].map(object).to_vec();
    let found: Vec<_> = artifacts(&spec, &disks(["", "", ""]), objects).into_iter().flatten().collect();
    assert!(found.iter().all(|artifact| artifact.packing == Packing::None && artifact.unpack_command.is_empty()));
    let result = build(&spec, found);
    assert!(result.fstab_reminder.contains("(xvdb, xvdc)"), "{}", result.fstab_reminder);
    assert!(!result.notes.iter().any(|note| note.contains("GNU tar")));
}

#[test]
fn a_format_that_the_cloud_chose_by_itself_is_told() {
    let spec = spec(Cloud::Alibaba, ImageFormat::Vhd);
    let found = artifacts(&spec, &disks(["xvda", "xvdb", "xvdc"])[..1], vec![object("m-1_system.raw.tar.gz")]);
    let artifact = found[0].clone().unwrap();
    assert_eq!(artifact.format, ImageFormat::Raw);
    assert!(
        build(&spec, vec![artifact]).notes.iter().any(|note| note.starts_with("the cloud wrote raw instead of vhd"))
    );
}
