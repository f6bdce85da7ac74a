//! What the simulated clouds make of snapshots: copies in other regions, and images.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[expect(dead_code, reason = "shared with the tests of copies and shares")]
mod images;

use images::{ALIBABA, Clouds, alibaba_image, clouds};
use sampan_core::{Cloud, DiskRole};
use sampan_simulator::world::{
    CopySnapshotRequest, CreateRequest, DiskOfSnapshot, FaultKind, ImageRefusal, ImageState, SnapshotState,
};

const FAR: &str = "cn-shanghai";

fn copy(snapshot: &str) -> CopySnapshotRequest {
    CopySnapshotRequest {
        account: ALIBABA.0.to_owned(),
        region: ALIBABA.1.to_owned(),
        snapshot_id: snapshot.to_owned(),
        destination: FAR.to_owned(),
        name: "copied".to_owned(),
        description: "by hand".to_owned(),
        retention_days: None,
        encryption: None,
        tags: Vec::new(),
        token: None,
    }
}

fn make(region: &str, disks: &[(&str, Option<DiskRole>)]) -> CreateRequest {
    let disk = |&(id, role): &(&str, Option<DiskRole>)| DiskOfSnapshot {
        snapshot_id: id.to_owned(),
        role,
        device: None,
        size_gib: None,
    };
    CreateRequest {
        cloud: Cloud::Alibaba,
        account: ALIBABA.0.to_owned(),
        region: region.to_owned(),
        disks: disks.iter().map(disk).collect(),
        name: Some("rebuilt".to_owned()),
        description: String::new(),
        platform: Some("Ubuntu".to_owned()),
        tells_system: true,
        boot_mode: Some("UEFI".to_owned()),
        resource_group: None,
        tags: Vec::new(),
        token: None,
        dry_run: false,
    }
}

fn snapshots_of(clouds: &Clouds, word: &str) -> Vec<String> {
    clouds.find(&alibaba_image(word)).unwrap().disks.into_iter().map(|disk| disk.snapshot_id).collect()
}

#[test]
fn a_large_image_arises_from_copies_of_its_snapshots_with_the_same_bytes() {
    let clouds = clouds();
    let source = clouds.find(&alibaba_image("hugeone")).unwrap();
    assert_eq!(source.total_gib(), 2140);
    let ids: Vec<String> =
        source.disks.iter().map(|disk| clouds.world.copy_snapshot(&copy(&disk.snapshot_id)).unwrap()).collect();
    let request = make(FAR, &[(&ids[0], Some(DiskRole::System)), (&ids[1], Some(DiskRole::Data))]);
    let early = clouds.world.create(&request);
    assert!(matches!(early, Err(ImageRefusal::SnapshotNotReady { .. })), "{early:?}");
    clouds.pass(100);
    let made = clouds.world.create(&request).unwrap().unwrap();
    assert_eq!(clouds.find(&made).unwrap().state, ImageState::Creating);
    clouds.pass(100);
    let image = clouds.find(&made).unwrap();
    assert_eq!((image.state, image.total_gib(), image.boot_mode.as_str()), (ImageState::Ready, 2140, "UEFI"));
    for (one, other) in image.disks.iter().zip(&source.disks) {
        assert_eq!(one.device, other.device);
        let last = one.content.len() - 4096;
        assert_eq!(one.content.read(last, 4096).unwrap(), other.content.read(last, 4096).unwrap());
    }
}

#[test]
fn a_copied_snapshot_is_not_known_as_a_system_disks() {
    let clouds = clouds();
    let id = clouds.world.copy_snapshot(&copy(&snapshots_of(&clouds, "ubuntu")[0])).unwrap();
    clouds.pass(100);
    let untold = CreateRequest { platform: None, tells_system: false, ..make(FAR, &[(&id, None)]) };
    assert!(matches!(clouds.world.create(&untold), Err(ImageRefusal::PlatformNeeded { .. })));
    let at_home = snapshots_of(&clouds, "debian");
    let known = CreateRequest { platform: None, tells_system: false, ..make(ALIBABA.1, &[(&at_home[0], None)]) };
    clouds.world.create(&known).unwrap();
}

#[test]
fn a_failed_copy_of_a_snapshot_makes_no_image_and_a_failed_image_leaves_its_snapshots() {
    let clouds = clouds();
    let source = snapshots_of(&clouds, "ubuntu").remove(0);
    clouds.spoil("CopySnapshot", FaultKind::FailTask, Some(FAR));
    let failed = clouds.world.copy_snapshot(&copy(&source)).unwrap();
    clouds.pass(50);
    let state = |id: &str| clouds.world.all_snapshots().into_iter().find(|known| known.id == id).unwrap().state;
    assert_eq!(state(&failed), SnapshotState::Failed);
    assert!(matches!(clouds.world.create(&make(FAR, &[(&failed, None)])), Err(ImageRefusal::SnapshotNotReady { .. })));
    let good = clouds.world.copy_snapshot(&copy(&source)).unwrap();
    clouds.pass(100);
    clouds.spoil("CreateImage", FaultKind::FailTask, None);
    let made = clouds.world.create(&make(FAR, &[(&good, None)])).unwrap().unwrap();
    clouds.pass(50);
    assert_eq!(clouds.find(&made).unwrap().state, ImageState::Failed);
    assert_eq!(state(&good), SnapshotState::Ready);
    let delete = || clouds.world.delete_snapshot(Cloud::Alibaba, ALIBABA.0, Some(FAR), &good);
    assert!(matches!(delete(), Err(ImageRefusal::SnapshotUsed { .. })));
    clouds.world.remove_image(Cloud::Alibaba, FAR, &made).unwrap();
    clouds.world.delete_snapshot(Cloud::Alibaba, ALIBABA.0, Some("cn-beijing"), &good).unwrap();
    assert_eq!(state(&good), SnapshotState::Ready, "another region's call does nothing here");
    delete().unwrap();
    assert!(!clouds.world.all_snapshots().iter().any(|known| known.id == good));
}

#[test]
fn a_snapshot_of_another_account_is_unknown() {
    let clouds = clouds();
    let source = snapshots_of(&clouds, "second").remove(0);
    assert!(matches!(clouds.world.copy_snapshot(&copy(&source)), Err(ImageRefusal::SnapshotNotFound { .. })));
    clouds.world.delete_snapshot(Cloud::Alibaba, ALIBABA.0, None, &source).unwrap();
    assert!(clouds.world.all_snapshots().iter().any(|known| known.id == source));
}
