use super::*;

fn spec(cloud: Cloud, prefix: Option<&str>, format: ImageFormat) -> ExportSpec {
    let (region, image) = match cloud {
        Cloud::Tencent => ("ap-guangzhou", "img-1"),
        Cloud::Alibaba => ("cn-hangzhou", "m-1"),
    };
    ExportSpec {
        cloud,
        account: "prod".parse().unwrap(),
        region: region.parse().unwrap(),
        image: image.parse().unwrap(),
        bucket: "images-1250000000".to_owned(),
        prefix: prefix.map(str::to_owned),
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

fn disk(role: DiskRole, device: Option<&str>, snapshot: Option<&str>) -> Disk {
    Disk {
        role,
        device: device.map(str::to_owned),
        size_gib: 50,
        snapshot_id: snapshot.map(str::to_owned),
        encrypted: None,
    }
}

fn tencent_disks() -> Vec<Disk> {
    vec![
        disk(DiskRole::System, None, Some("snap-1")),
        disk(DiskRole::Data, None, Some("snap-10")),
        disk(DiskRole::Data, None, Some("snap-2")),
    ]
}

fn alibaba_disks() -> Vec<Disk> {
    vec![
        disk(DiskRole::System, Some("xvda"), Some("s-1")),
        disk(DiskRole::Data, Some("xvdb"), Some("s-2")),
        disk(DiskRole::Data, Some("xvdba"), Some("s-3")),
    ]
}

#[test]
fn devices_count_from_xvda_where_the_cloud_tells_none() {
    let unnamed = disk(DiskRole::Data, None, None);
    let names: Vec<_> = [0, 1, 25, 26, 1000].map(|index| device(index, &unnamed)).into();
    assert_eq!(names, ["xvda", "xvdb", "xvdz", "disk26", "disk1000"]);
    assert_eq!(device(0, &disk(DiskRole::Data, Some("vdc"), None)), "vdc");
}

#[test]
fn patterns_are_the_documented_names() {
    let tencent = spec(Cloud::Tencent, Some("nightly"), ImageFormat::Qcow2);
    assert_eq!(pattern(&tencent, 0, &tencent_disks()[0]), "nightly_img-1_system_snap-1.qcow2");
    assert_eq!(pattern(&tencent, 1, &tencent_disks()[1]), "nightly_img-1_data_snap-10.qcow2");
    assert_eq!(pattern(&tencent, 1, &disk(DiskRole::Data, None, None)), "nightly_img-1_data_*.qcow2");
    let alibaba = spec(Cloud::Alibaba, None, ImageFormat::Raw);
    assert_eq!(pattern(&alibaba, 0, &alibaba_disks()[0]), "m-1_system.raw.tar.gz");
    assert_eq!(pattern(&alibaba, 1, &alibaba_disks()[1]), "m-1_data_xvdb.raw.tar.gz");
    let other = spec(Cloud::Alibaba, Some("Demo"), ImageFormat::Vhd);
    assert_eq!(pattern(&other, 0, &alibaba_disks()[0]), "Demo_m-1_system.vhd");
}

#[test]
fn only_names_without_an_unknown_part_are_predicted() {
    let tencent = spec(Cloud::Tencent, None, ImageFormat::Raw);
    let disks = [disk(DiskRole::System, None, Some("snap-1")), disk(DiskRole::Data, None, None)];
    assert_eq!(predicted(&tencent, &disks), ["img-1_system_snap-1.raw"]);
}

#[test]
fn a_documented_name_is_exact_up_to_an_id() {
    let tencent = spec(Cloud::Tencent, Some("n"), ImageFormat::Raw);
    let unknown = [disk(DiskRole::System, None, None)];
    assert!(is_documented(&tencent, &unknown, "n_img-1_system_snap-9.raw"));
    for key in [
        "n_img-1_system_.raw",
        "n_img-1_system_a/b.raw",
        "n_img-1_system_snap-9.raw.bak",
        "n_img-1_system_snap-9.old.raw",
        "n_img-1_data_snap-9.raw",
        "n_img-10_system_snap-9.raw",
        "x/n_img-1_system_snap-9.raw",
    ] {
        assert!(!is_documented(&tencent, &unknown, key), "{key}");
    }
    assert!(!is_documented(&tencent, &tencent_disks(), "n_img-1_system_snap-9.raw"), "the snapshot is known");
}

#[test]
fn a_likely_name_begins_and_ends_right_and_names_no_other_image() {
    let tencent = spec(Cloud::Tencent, Some("a_b"), ImageFormat::Raw);
    for key in ["a_b_img-1_system_snap-1.raw", "a_b_img-1_t-23ym6mvro.raw", "a_b_img-1_system_snap-1.raw.tar.gz"] {
        assert!(is_likely(&tencent, key), "{key}");
    }
    for key in [
        // Another image whose id begins alike.
        "a_b_img-10_system_snap-1.raw",
        // An image id as the end of a prefix: prefix `a_b_img-1`, image `img-2`.
        "a_b_img-1_img-2_system_snap-1.raw",
        "a_b_img-1_system_snap-1.qcow2",
        "a_b_img-1_notes.txt",
        "a_b_img-1_raw",
        "a_b_img-1_old/system_snap-1.raw",
        "b_img-1_system_snap-1.raw",
    ] {
        assert!(!is_likely(&tencent, key), "{key}");
    }
}

#[test]
fn alibaba_may_write_raw_whatever_was_asked_for() {
    let vhd = spec(Cloud::Alibaba, None, ImageFormat::Vhd);
    assert!(is_likely(&vhd, "m-1_system.vhd") && is_likely(&vhd, "m-1_system.raw.tar.gz"));
    assert!(!is_likely(&vhd, "m-1_system.qcow2"));
    assert!(!is_likely(&spec(Cloud::Tencent, None, ImageFormat::Vhd), "img-1_system_snap-1.raw"));
}

#[test]
fn the_ending_tells_the_format() {
    let told = ["a.raw", "a.raw.tar.gz", "a.vhd", "a.qcow2.gz", "a.tar.gz", "raw", "a.RAW"].map(format_of);
    let (raw, vhd, qcow2) = (Some(ImageFormat::Raw), Some(ImageFormat::Vhd), Some(ImageFormat::Qcow2));
    assert_eq!(told, [raw, raw, vhd, qcow2, None, None, None]);
}

#[test]
fn a_key_belongs_to_the_disk_of_its_snapshot_device_or_role() {
    let tencent = spec(Cloud::Tencent, None, ImageFormat::Raw);
    let of = |key: &str| disk_of(&tencent, key, &tencent_disks());
    assert_eq!(of("img-1_system_snap-1.raw"), Some(0));
    assert_eq!(of("img-1_data_snap-10.raw"), Some(1));
    assert_eq!(of("img-1_data_snap-2.raw"), Some(2));
    assert_eq!(of("img-1_data_snap-99.raw"), None);
    assert_eq!(of("img-1_system_snap-99.raw"), Some(0), "by its role");
    let alibaba = spec(Cloud::Alibaba, None, ImageFormat::Raw);
    let of = |key: &str| disk_of(&alibaba, key, &alibaba_disks());
    assert_eq!(of("m-1_data_xvdb.raw.tar.gz"), Some(1));
    assert_eq!(of("m-1_data_xvdba.raw.tar.gz"), Some(2));
    assert_eq!(of("m-1_system.raw.tar.gz"), Some(0));
}

#[test]
fn words_in_a_prefix_name_no_disk() {
    let tricky = spec(Cloud::Tencent, Some("my_system_data_xvdb._snap-2."), ImageFormat::Raw);
    let key = |rest: &str| format!("my_system_data_xvdb._snap-2._img-1_{rest}");
    assert_eq!(disk_of(&tricky, &key("data_snap-10.raw"), &tencent_disks()), Some(1));
    assert_eq!(disk_of(&tricky, &key("data_other.raw"), &tencent_disks()), None);
}

#[test]
fn the_only_disk_owns_every_name() {
    let only = [disk(DiskRole::System, None, Some("snap-1"))];
    assert_eq!(disk_of(&spec(Cloud::Tencent, None, ImageFormat::Raw), "whatever.raw", &only), Some(0));
}
