//! What the simulated clouds accept, refuse, spend and make when an image is copied.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[expect(dead_code, reason = "shared with the tests of shares")]
mod images;

use images::{ALIBABA, TENCENT, alibaba_image, clouds, copy, sync};
use sampan_core::Cloud;
use sampan_simulator::world::{
    ClientToken, CopyRequest, CopySource, DeleteRequest, Encryption, Fault, FaultKind, ImageChange, ImageRefusal,
    ImageState, Limits, Origin, SnapshotState,
};

const FAR: [&str; 3] = ["ap-shanghai", "ap-beijing", "ap-hongkong"];

#[test]
fn one_call_copies_to_many_regions_for_one_operation_of_the_sources_region() {
    let clouds = clouds();
    let placed = clouds.copy(&sync("img-ubuntu01", &FAR)).unwrap();
    assert_eq!(placed.iter().map(|one| one.region.as_str()).collect::<Vec<_>>(), FAR);
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, TENCENT.1), 1);
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, "ap-shanghai"), 0);
    clouds.pass(25);
    for one in &placed {
        let made = clouds.find(&one.image_id).unwrap();
        assert_eq!((made.state, made.progress, made.name.as_str()), (ImageState::Copying, 25, "web-golden"));
        let from = CopySource { region: TENCENT.1.to_owned(), id: "img-ubuntu01".to_owned() };
        assert_eq!(made.copied_from, Some(from));
    }
    clouds.pass(74);
    assert_eq!(clouds.find(&placed[0].image_id).unwrap().state, ImageState::Copying);
    clouds.pass(1);
    let source = clouds.find("img-ubuntu01").unwrap();
    for one in &placed {
        let made = clouds.find(&one.image_id).unwrap();
        assert_eq!((made.state, made.progress), (ImageState::Ready, 100));
        assert_ne!(made.disks[0].snapshot_id, source.disks[0].snapshot_id);
        let bytes = |image: &sampan_simulator::world::Image| image.disks[0].content.read(0, 1 << 16).unwrap();
        assert!(bytes(&made) == bytes(&source));
    }
}

#[test]
fn a_refusal_for_one_destination_starts_and_spends_nothing_in_any() {
    let clouds = clouds();
    let images = clouds.world.all_images().len();
    for destinations in [["ap-shanghai", "na-ashburn"], ["ap-shanghai", "ap-guangzhou"]] {
        clouds.copy(&sync("img-ubuntu01", &destinations)).unwrap_err();
    }
    let named = CopyRequest { name: Some("web-golden-abroad".to_owned()), ..sync("img-ubuntu01", &FAR) };
    assert!(matches!(clouds.copy(&named), Err(ImageRefusal::NameTaken { region, .. }) if region == "ap-shanghai"));
    let dry_run = CopyRequest { dry_run: true, ..sync("img-ubuntu01", &FAR) };
    assert_eq!(clouds.world.copy(&dry_run), Ok(None));
    assert_eq!(clouds.world.all_images().len(), images);
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, TENCENT.1), 0);
}

#[test]
fn the_documented_four_regions_give_way_to_the_newer_groups_when_lifted() {
    let clouds = clouds();
    let to = |region| clouds.copy(&sync("img-ubuntu01", &[region]));
    assert!(matches!(to("ap-nanjing"), Err(ImageRefusal::RegionUnavailable { .. })));
    assert!(matches!(to("na-siliconvalley"), Err(ImageRefusal::RegionUnavailable { .. })));
    let limits = Limits { copy_regions: None, ..Limits::of(Cloud::Tencent) };
    clouds.world.set_limits(Cloud::Tencent, TENCENT.0, limits).unwrap();
    for refused in ["ap-hongkong", "na-siliconvalley", "ap-shanghai-fsi", "ap-taipei"] {
        assert!(matches!(to(refused), Err(ImageRefusal::RegionPair { .. })), "{refused}");
    }
    to("ap-nanjing").unwrap();
}

#[test]
fn images_in_the_making_and_failed_ones_hold_their_place_and_their_name() {
    let clouds = clouds();
    let limits = Limits { images_per_region: 1, ..Limits::of(Cloud::Tencent) };
    clouds.world.set_limits(Cloud::Tencent, TENCENT.0, limits).unwrap();
    clouds.spoil("SyncImages", FaultKind::FailTask, Some("ap-beijing"));
    let placed = clouds.copy(&sync("img-ubuntu01", &["ap-beijing"])).unwrap();
    let again =
        || clouds.copy(&CopyRequest { name: Some("other".to_owned()), ..sync("img-debian01", &["ap-beijing"]) });
    assert!(matches!(again(), Err(ImageRefusal::ImageQuota { limit: 1, .. })));
    clouds.pass(50);
    let failed = clouds.find(&placed[0].image_id).unwrap();
    assert_eq!(failed.state, ImageState::Failed);
    assert!(failed.progress < 100);
    assert!(matches!(again(), Err(ImageRefusal::ImageQuota { .. })));
    let same = clouds.copy(&sync("img-ubuntu01", &["ap-beijing"]));
    assert!(matches!(same, Err(ImageRefusal::NameTaken { .. })), "{same:?}");
}

#[test]
fn a_destination_that_fills_up_while_copying_fails_the_copy() {
    let clouds = clouds();
    let placed = clouds.copy(&sync("img-ubuntu01", &["ap-shanghai", "ap-beijing"])).unwrap();
    // One image is there, and nine come by another way.
    clouds.pass(10);
    let limits = Limits { images_per_region: 1, ..Limits::of(Cloud::Tencent) };
    clouds.world.set_limits(Cloud::Tencent, TENCENT.0, limits).unwrap();
    clouds.pass(100);
    assert_eq!(clouds.find(&placed[0].image_id).unwrap().state, ImageState::Failed, "two images where one may be");
    assert_eq!(clouds.find(&placed[1].image_id).unwrap().state, ImageState::Ready);
}

#[test]
fn faults_of_a_region_hit_the_copy_to_it_alone() {
    let clouds = clouds();
    clouds.spoil("SyncImages", FaultKind::FailTask, Some("ap-beijing"));
    clouds.spoil("SyncImages", FaultKind::StallTask, Some("ap-hongkong"));
    let placed = clouds.copy(&sync("img-ubuntu01", &FAR)).unwrap();
    clouds.pass(86_400);
    let states: Vec<_> = placed.iter().map(|one| clouds.find(&one.image_id).unwrap()).collect();
    assert_eq!(states[0].state, ImageState::Ready);
    assert_eq!((states[1].state, states[1].progress), (ImageState::Failed, 0));
    assert_eq!((states[2].state, states[2].progress), (ImageState::Copying, 50));
}

#[test]
fn a_vanished_copy_leaves_neither_image_nor_snapshot() {
    let clouds = clouds();
    let snapshots = clouds.world.all_snapshots().len();
    clouds.spoil("CopyImage", FaultKind::VanishTask, None);
    let made = clouds.copy(&copy("ubuntu", "cn-shanghai")).unwrap().remove(0).image_id;
    clouds.pass(49);
    assert!(clouds.find(&made).is_some());
    clouds.pass(1);
    assert!(clouds.find(&made).is_none());
    assert_eq!(clouds.world.all_snapshots().len(), snapshots);
}

#[test]
fn a_late_copy_is_there_but_not_listed_for_a_while() {
    let clouds = clouds();
    clouds.world.order_fault(Fault {
        cloud: None,
        action: "SyncImages".to_owned(),
        region: None,
        kind: FaultKind::LateTask,
        times: 1,
        delay: std::time::Duration::from_secs(30),
    });
    let made = clouds.copy(&sync("img-ubuntu01", &["ap-beijing"])).unwrap().remove(0).image_id;
    let listed = || clouds.world.images(Cloud::Tencent, TENCENT.0, "ap-beijing").iter().any(|image| image.id == made);
    clouds.pass(29);
    assert!(!listed());
    let again =
        clouds.copy(&CopyRequest { name: Some("web-golden".to_owned()), ..sync("img-debian01", &["ap-beijing"]) });
    assert!(matches!(again, Err(ImageRefusal::NameTaken { .. })), "{again:?}");
    clouds.pass(1);
    assert!(listed());
    clouds.pass(70);
    assert_eq!(clouds.find(&made).unwrap().state, ImageState::Ready);
}

#[test]
fn one_image_is_copied_once_at_a_time() {
    let clouds = clouds();
    clouds.copy(&copy("ubuntu", "cn-shanghai")).unwrap();
    let again = clouds.copy(&copy("ubuntu", "cn-beijing"));
    assert!(matches!(again, Err(ImageRefusal::BeingCopied { .. })), "{again:?}");
    clouds.copy(&copy("debian", "cn-beijing")).unwrap();
    clouds.copy(&sync("img-ubuntu01", &["ap-shanghai"])).unwrap();
    let again = clouds.copy(&sync("img-ubuntu01", &["ap-beijing"]));
    assert!(matches!(again, Err(ImageRefusal::BeingCopied { .. })), "{again:?}");
    clouds.pass(100);
    clouds.copy(&copy("ubuntu", "cn-beijing")).unwrap();
    clouds.copy(&sync("img-ubuntu01", &["ap-beijing"])).unwrap();
}

#[test]
fn copies_to_one_region_beyond_the_fifth_wait_and_start_when_one_ends() {
    let clouds = clouds();
    let words = ["ubuntu", "debian", "windows", "market", "sixdata", "redhat", "biggest"];
    let made: Vec<String> = words
        .iter()
        .map(|word| {
            clouds.pass(1);
            clouds.copy(&copy(word, "cn-shanghai")).unwrap().remove(0).image_id
        })
        .collect();
    let state = |index: usize| clouds.find(&made[index]).unwrap().state;
    assert_eq!((state(4), state(5), state(6)), (ImageState::Copying, ImageState::Waiting, ImageState::Waiting));
    // Elsewhere there is room.
    let elsewhere = clouds.copy(&copy("crypted", "cn-beijing"));
    assert!(matches!(elsewhere, Err(ImageRefusal::Encrypted { .. })), "{elsewhere:?}");
    // The first ends at 100 s after its start, six seconds ago; the sixth begins then and not at the look.
    clouds.pass(94 + 50);
    assert_eq!((state(0), state(4), state(5)), (ImageState::Ready, ImageState::Ready, ImageState::Copying));
    assert_eq!(clouds.find(&made[5]).unwrap().progress, 50);
    assert_eq!(clouds.find(&made[6]).unwrap().progress, 49);
    clouds.pass(51);
    assert_eq!(state(6), ImageState::Ready);
}

#[test]
fn a_cancelled_copy_is_gone_and_makes_room_for_one_that_waits() {
    let clouds = clouds();
    let limits = Limits { running_copies: 1, ..Limits::of(Cloud::Alibaba) };
    clouds.world.set_limits(Cloud::Alibaba, ALIBABA.0, limits).unwrap();
    let first = clouds.copy(&copy("ubuntu", "cn-shanghai")).unwrap().remove(0).image_id;
    let second = clouds.copy(&copy("debian", "cn-shanghai")).unwrap().remove(0).image_id;
    assert_eq!(clouds.find(&second).unwrap().state, ImageState::Waiting);
    let cancel = |id: &str| clouds.world.cancel_copy(Cloud::Alibaba, ALIBABA.0, "cn-shanghai", id);
    cancel(&first).unwrap();
    assert!(clouds.find(&first).is_none());
    assert!(clouds.world.snapshots(Cloud::Alibaba, ALIBABA.0, "cn-shanghai").len() == 3, "those of the second stay");
    assert_eq!(clouds.find(&second).unwrap().state, ImageState::Copying);
    assert!(matches!(cancel(&first), Err(ImageRefusal::ImageNotFound { .. })));
    clouds.pass(100);
    assert!(matches!(cancel(&second), Err(ImageRefusal::CopyEnded { .. })));
    let cancel = clouds.world.cancel_copy(Cloud::Alibaba, ALIBABA.0, ALIBABA.1, &alibaba_image("ubuntu"));
    assert!(matches!(cancel, Err(ImageRefusal::NotACopy { .. })));
    // The first copy's image is free again.
    clouds.copy(&copy("ubuntu", "cn-shanghai")).unwrap();
}

#[test]
fn a_repeated_token_gives_the_first_copy_and_another_call_with_it_is_refused() {
    let clouds = clouds();
    let token = |fingerprint: &str| Some(ClientToken { text: "t".to_owned(), fingerprint: fingerprint.to_owned() });
    let request = CopyRequest { token: token("a"), ..copy("ubuntu", "cn-shanghai") };
    let first = clouds.copy(&request).unwrap();
    assert_eq!(clouds.copy(&request).unwrap(), first);
    clouds.pass(1000);
    assert_eq!(clouds.copy(&request).unwrap(), first);
    let other = CopyRequest { token: token("b"), ..request.clone() };
    assert_eq!(clouds.copy(&other), Err(ImageRefusal::TokenReused));
    // Another account has tokens of its own, and no such image.
    let stranger = CopyRequest { account: "1000000000000002".to_owned(), ..other };
    assert!(matches!(clouds.copy(&stranger), Err(ImageRefusal::ImageNotFound { .. })));
}

#[test]
fn a_refused_call_and_a_dry_run_use_up_no_token() {
    let clouds = clouds();
    let token = Some(ClientToken { text: "t".to_owned(), fingerprint: String::new() });
    let request = CopyRequest { token, ..copy("ubuntu", "cn-shanghai") };
    assert_eq!(clouds.world.copy(&CopyRequest { dry_run: true, ..request.clone() }), Ok(None));
    let limits = Limits { images_per_region: 0, ..Limits::of(Cloud::Alibaba) };
    clouds.world.set_limits(Cloud::Alibaba, ALIBABA.0, limits).unwrap();
    assert!(matches!(clouds.copy(&request), Err(ImageRefusal::ImageQuota { .. })));
    clouds.world.set_limits(Cloud::Alibaba, ALIBABA.0, Limits::of(Cloud::Alibaba)).unwrap();
    clouds.copy(&request).unwrap();
}

#[test]
fn encryption_is_changed_within_the_region_and_kept_across_regions() {
    let clouds = clouds();
    let encryption = Some(Encryption { kms_key: Some("c0ffee00-0000-4000-8000-000000000001".to_owned()) });
    let encrypting = |destination| CopyRequest { encryption: encryption.clone(), ..copy("ubuntu", destination) };
    let across = clouds.copy(&encrypting("cn-shanghai"));
    assert!(matches!(across, Err(ImageRefusal::EncryptionAcrossRegions { .. })), "{across:?}");
    let made = clouds.copy(&encrypting("cn-hangzhou")).unwrap().remove(0).image_id;
    clouds.pass(100);
    let encrypted = clouds.find(&made).unwrap();
    assert!(encrypted.encrypted && encrypted.kms_key.is_some());
    let to = |encryption| CopyRequest { image_id: made.clone(), encryption, ..copy("ubuntu", "cn-shanghai") };
    assert!(matches!(clouds.copy(&to(None)), Err(ImageRefusal::Encrypted { .. })));
    clouds.copy(&to(encryption.clone())).unwrap();
    let plain = clouds.copy(&copy("ubuntu", "cn-hangzhou"));
    assert!(matches!(plain, Err(ImageRefusal::SameRegion { .. })), "{plain:?}");
    for (key, enabled) in [("c0ffee00-0000-4000-8000-000000000002", true), ("nobody's", false)] {
        let encryption = Some(Encryption { kms_key: Some(key.to_owned()) });
        let refused = clouds.copy(&CopyRequest { encryption, ..copy("debian", "cn-hangzhou") }).unwrap_err();
        assert_eq!(matches!(refused, ImageRefusal::KeyDisabled { .. }), enabled, "{refused}");
        assert_eq!(matches!(refused, ImageRefusal::KeyUnknown { .. }), !enabled, "{refused}");
    }
}

#[test]
fn an_image_that_leaves_the_ready_state_is_not_copied_and_a_running_copy_goes_on() {
    let clouds = clouds();
    let made = clouds.copy(&copy("ubuntu", "cn-shanghai")).unwrap().remove(0).image_id;
    let change = ImageChange { state: Some(ImageState::Unavailable), ..ImageChange::default() };
    clouds.world.change_image(Cloud::Alibaba, ALIBABA.1, &alibaba_image("ubuntu"), &change).unwrap();
    clouds.pass(100);
    assert_eq!(clouds.find(&made).unwrap().state, ImageState::Ready);
    assert!(matches!(clouds.copy(&copy("ubuntu", "cn-beijing")), Err(ImageRefusal::NotReady { .. })));
}

#[test]
fn snapshots_stay_when_an_image_goes_unless_they_are_to_go_with_it() {
    let clouds = clouds();
    for (place, cloud, id, goes) in [
        (ALIBABA, Cloud::Alibaba, alibaba_image("debian"), false),
        (TENCENT, Cloud::Tencent, "img-debian01".to_owned(), false),
        (TENCENT, Cloud::Tencent, "img-sixdata1".to_owned(), true),
    ] {
        let image = clouds.find(&id).unwrap();
        let request = DeleteRequest {
            account: place.0.to_owned(),
            region: place.1.to_owned(),
            image_ids: vec![id.clone()],
            with_snapshots: goes,
            force: false,
            dry_run: false,
        };
        clouds.world.delete_images(cloud, &request).unwrap();
        assert!(clouds.find(&id).is_none());
        let left = clouds.world.snapshots(cloud, place.0, place.1);
        let kept = image.disks.iter().filter(|disk| left.iter().any(|known| known.id == disk.snapshot_id)).count();
        assert_eq!(kept, if goes { 0 } else { image.disks.len() }, "{id}");
    }
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, TENCENT.1), 2);
}

#[test]
fn a_copy_that_is_being_made_cannot_be_deleted_nor_can_its_source() {
    let clouds = clouds();
    let made = clouds.copy(&copy("ubuntu", "cn-shanghai")).unwrap().remove(0).image_id;
    let delete = |region: &str, id: &str| {
        let request = DeleteRequest {
            account: ALIBABA.0.to_owned(),
            region: region.to_owned(),
            image_ids: vec![id.to_owned()],
            with_snapshots: false,
            force: true,
            dry_run: false,
        };
        clouds.world.delete_images(Cloud::Alibaba, &request)
    };
    assert!(matches!(delete("cn-shanghai", &made), Err(ImageRefusal::BeingCopied { .. })));
    assert!(matches!(delete(ALIBABA.1, &alibaba_image("ubuntu")), Err(ImageRefusal::BeingCopied { .. })));
    clouds.pass(100);
    delete("cn-shanghai", &made).unwrap();
    delete(ALIBABA.1, &alibaba_image("ubuntu")).unwrap();
    let states: Vec<_> = clouds.world.snapshots(Cloud::Alibaba, ALIBABA.0, "cn-shanghai");
    assert_eq!(states.iter().map(|known| known.state).collect::<Vec<_>>(), [SnapshotState::Ready]);
}

#[test]
fn a_copy_of_a_marketplace_image_stays_one() {
    let clouds = clouds();
    let made = clouds.copy(&copy("market", "cn-shanghai")).unwrap().remove(0).image_id;
    assert_eq!(clouds.find(&made).unwrap().origin, Origin::Marketplace);
}
