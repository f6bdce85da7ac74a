//! Copies: what both ports say of what the simulated clouds do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use sampan_cloud::CallClass::{self, Busy, Caller, Quota, UnknownOutcome};
use sampan_cloud::copy::{CopiedImage, CopyCall, CopyState, CreateImageCall, DiskFromSnapshot, SnapshotCopyCall};
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::{CallError, Clients, CopyCloud};
use sampan_core::{Cloud, ImageId, Reason, Region};
use sampan_simulator::world::{FaultKind, Limits};
use sampan_tests_clouds::{COPY_SECONDS, Clouds};

const UBUNTU: &str = "m-bp1sampanubuntu00001";
const HUGE: &str = "m-bp1sampanhugeone0001";

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn image(id: &str) -> ImageId {
    id.parse().unwrap()
}

fn copy(cloud: Cloud, id: &str, destinations: &[&str], name: &str) -> CopyCall {
    let source = if cloud == Cloud::Tencent { "ap-guangzhou" } else { "cn-hangzhou" };
    CopyCall {
        source: region(source),
        image: image(id),
        destinations: destinations.iter().map(|name| region(name)).collect(),
        name: Some(name.to_owned()),
        description: None,
        encryption: None,
        resource_group_id: None,
        tags: BTreeMap::new(),
        token: None,
    }
}

fn told(error: &CallError) -> (CallClass, Reason) {
    (error.class, error.reason)
}

async fn one(copies: &dyn CopyCloud, at: &str, id: &ImageId) -> Option<CopiedImage> {
    copies.copied_images(&region(at), std::slice::from_ref(id)).await.unwrap().remove(0)
}

async fn state(copies: &dyn CopyCloud, at: &str, id: &ImageId) -> Option<(CopyState, Option<u8>)> {
    one(copies, at, id).await.map(|copied| (copied.state, copied.percent))
}

#[tokio::test]
async fn tencent_copies_to_three_regions_by_one_call_and_tells_the_percent_of_each() {
    let clouds = Clouds::start().await;
    let Clients { copies, .. } = clouds.first(Cloud::Tencent);
    let far = ["ap-shanghai", "ap-beijing", "ap-hongkong"];
    let call = copy(Cloud::Tencent, "img-ubuntu01", &far, "golden");
    copies.check_copy(&call).await.unwrap();
    let before = copies.count_images(&region("ap-shanghai")).await.unwrap();
    let started = copies.start_copy(&call).await.unwrap();
    assert_eq!(started.images.len(), 3);
    assert_eq!(copies.count_images(&region("ap-shanghai")).await.unwrap(), before + 1);

    clouds.pass(COPY_SECONDS / 4);
    for at in far {
        let id = &started.images[&region(at)];
        assert_eq!(state(&*copies, at, id).await, Some((CopyState::Copying, Some(25))));
        let named = copies.images_named(&region(at), "golden").await.unwrap();
        assert_eq!(named.iter().map(|copied| &copied.image.id).collect::<Vec<_>>(), [id]);
    }
    clouds.pass(COPY_SECONDS);
    let id = &started.images[&region("ap-beijing")];
    assert_eq!(state(&*copies, "ap-beijing", id).await, Some((CopyState::Ready, None)));
    copies.delete_image(&region("ap-beijing"), id, true).await.unwrap();
    assert_eq!(state(&*copies, "ap-beijing", id).await, None);
    copies.delete_image(&region("ap-beijing"), id, true).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_has_an_unknown_outcome_and_its_image_is_found_by_name() {
    let clouds = Clouds::start().await;
    for (cloud, action, id, at) in [
        (Cloud::Tencent, "SyncImages", "img-ubuntu01", "ap-shanghai"),
        (Cloud::Alibaba, "CopyImage", UBUNTU, "cn-shanghai"),
    ] {
        let Clients { copies, .. } = clouds.first(cloud);
        clouds.spoil(action, FaultKind::AnswerLost);
        let error = copies.start_copy(&copy(cloud, id, &[at], "golden")).await.unwrap_err();
        assert_eq!((error.class, error.attempts), (UnknownOutcome, 1));
        let named = copies.images_named(&region(at), "golden").await.unwrap();
        assert_eq!((named.len(), named[0].state), (1, CopyState::Copying));
    }
}

#[tokio::test]
async fn a_copy_that_fails_is_seen_to_have_failed() {
    let clouds = Clouds::start().await;
    for (cloud, action, id, at) in [
        (Cloud::Tencent, "SyncImages", "img-ubuntu01", "ap-shanghai"),
        (Cloud::Alibaba, "CopyImage", UBUNTU, "cn-shanghai"),
    ] {
        let Clients { copies, .. } = clouds.first(cloud);
        clouds.spoil(action, FaultKind::FailTask);
        let started = copies.start_copy(&copy(cloud, id, &[at], "golden")).await.unwrap();
        clouds.pass(COPY_SECONDS);
        let (state, _) = state(&*copies, at, &started.images[&region(at)]).await.unwrap();
        assert_eq!(state, CopyState::Failed, "{cloud}");
    }
}

#[tokio::test]
async fn tencents_refusals_name_their_rule_and_a_full_destination_is_no_spent_day() {
    let clouds = Clouds::start().await;
    let Clients { copies, .. } = clouds.first(Cloud::Tencent);
    let try_to =
        async |id, at: &str, name| told(&copies.start_copy(&copy(Cloud::Tencent, id, &[at], name)).await.unwrap_err());
    assert_eq!(try_to("img-ubuntu01", "na-siliconvalley", "n").await, (Caller, Reason::RegionPairUnsupported));
    assert_eq!(try_to("img-ubuntu01", "ap-shanghai", "web-golden-abroad").await, (Caller, Reason::ImageNameTaken));
    assert_eq!(try_to("img-creatng1", "ap-shanghai", "n").await, (Caller, Reason::ImageNotReady));
    assert_eq!(try_to("img-nothere1", "ap-shanghai", "n").await.1, Reason::ImageNotFound);

    let account = clouds.account(Cloud::Tencent, 0).id;
    let limits = Limits { images_per_region: 1, ..Limits::of(Cloud::Tencent) };
    clouds.world().set_limits(Cloud::Tencent, &account, limits).unwrap();
    assert_eq!(try_to("img-ubuntu01", "ap-shanghai", "n").await, (Caller, Reason::DestinationFull));
    clouds.world().spend_in_console(Cloud::Tencent, &account, "ap-guangzhou", 5);
    assert_eq!(try_to("img-ubuntu01", "ap-beijing", "n").await, (Quota, Reason::CloudQuotaSpent));
}

#[tokio::test]
async fn tencent_removes_no_image_that_is_still_being_copied() {
    let clouds = Clouds::start().await;
    let Clients { copies, .. } = clouds.first(Cloud::Tencent);
    let started = copies.start_copy(&copy(Cloud::Tencent, "img-ubuntu01", &["ap-beijing"], "golden")).await.unwrap();
    let (at, id) = started.images.first_key_value().unwrap();
    let error = copies.delete_image(at, id, true).await.unwrap_err();
    assert_eq!(error.class, Busy, "{error}");
    assert_eq!(copies.cancel_copy(at, id).await.unwrap(), CancelAnswer::Impossible);
}

#[tokio::test]
async fn alibaba_copies_one_image_at_a_time_and_lists_what_is_unfinished() {
    let clouds = Clouds::start().await;
    let Clients { copies, .. } = clouds.first(Cloud::Alibaba);
    let call = copy(Cloud::Alibaba, UBUNTU, &["cn-shanghai"], "golden");
    copies.check_copy(&call).await.unwrap();
    let started = copies.start_copy(&call).await.unwrap();
    let id = &started.images[&region("cn-shanghai")];
    clouds.pass(COPY_SECONDS / 4);
    assert_eq!(state(&*copies, "cn-shanghai", id).await, Some((CopyState::Copying, Some(25))));
    let error = copies.start_copy(&copy(Cloud::Alibaba, UBUNTU, &["cn-beijing"], "golden")).await.unwrap_err();
    assert_eq!(told(&error), (Busy, Reason::CopyAlreadyRunning));
    clouds.pass(COPY_SECONDS);
    let made = one(&*copies, "cn-shanghai", id).await.unwrap();
    assert_eq!((made.state, made.is_copy), (CopyState::Ready, Some(true)));
    assert!(made.image.boot_mode.is_some() && made.image.disks.iter().all(|disk| disk.snapshot_id.is_some()));
    let error = copies.start_copy(&call).await.unwrap_err();
    assert_eq!(told(&error), (Caller, Reason::ImageNameTaken));
}

#[tokio::test]
async fn a_token_makes_a_copy_once_and_a_trial_run_does_not_use_it_up() {
    let clouds = Clouds::start().await;
    let Clients { copies, .. } = clouds.first(Cloud::Alibaba);
    let call = CopyCall { token: Some("t-1".to_owned()), ..copy(Cloud::Alibaba, UBUNTU, &["cn-shanghai"], "golden") };
    copies.check_copy(&call).await.unwrap();
    let first = copies.start_copy(&call).await.unwrap();
    let again = copies.start_copy(&call).await.unwrap();
    assert_eq!(first.images, again.images);
    assert_eq!(copies.images_named(&region("cn-shanghai"), "golden").await.unwrap().len(), 1);
}

#[tokio::test]
async fn alibaba_cancels_a_running_copy_and_says_when_it_cannot() {
    let clouds = Clouds::start().await;
    let Clients { copies, .. } = clouds.first(Cloud::Alibaba);
    let at = region("cn-shanghai");
    let running = copies.start_copy(&copy(Cloud::Alibaba, UBUNTU, &["cn-shanghai"], "golden")).await.unwrap();
    let id = &running.images[&at];
    assert_eq!(copies.cancel_copy(&at, id).await.unwrap(), CancelAnswer::Accepted);
    assert_eq!(state(&*copies, "cn-shanghai", id).await, None);
    assert_eq!(copies.cancel_copy(&at, id).await.unwrap(), CancelAnswer::AlreadyEnded, "it is gone");

    let done = copies.start_copy(&copy(Cloud::Alibaba, UBUNTU, &["cn-shanghai"], "golden")).await.unwrap();
    clouds.pass(COPY_SECONDS);
    assert_eq!(copies.cancel_copy(&at, &done.images[&at]).await.unwrap(), CancelAnswer::AlreadyEnded);
    let original = copies.cancel_copy(&region("cn-hangzhou"), &image(UBUNTU)).await.unwrap();
    assert_eq!(original, CancelAnswer::Impossible);
}

#[tokio::test]
async fn an_image_that_is_too_large_goes_over_its_snapshots() {
    let clouds = Clouds::start().await;
    let Clients { copies, images, .. } = clouds.first(Cloud::Alibaba);
    let (from, to) = (region("cn-hangzhou"), region("cn-shanghai"));
    let error = copies.start_copy(&copy(Cloud::Alibaba, HUGE, &["cn-shanghai"], "archive")).await.unwrap_err();
    assert_eq!(told(&error), (Caller, Reason::ImageTooLargeToCopy));

    let source = images.describe_image(&from, &image(HUGE)).await.unwrap().unwrap();
    let mut made = Vec::new();
    for (index, disk) in source.disks.iter().enumerate() {
        let call = SnapshotCopyCall {
            source: from.clone(),
            snapshot_id: disk.snapshot_id.clone().unwrap(),
            destination: to.clone(),
            name: format!("archive-{index}"),
            description: "copied by a test".to_owned(),
            encryption: None,
            resource_group_id: None,
            tags: BTreeMap::new(),
            token: Some(format!("t-{index}")),
        };
        made.push(copies.copy_snapshot(&call).await.unwrap());
    }
    let states = |found: Vec<Option<sampan_cloud::copy::Snapshot>>| -> Vec<_> {
        found.into_iter().map(|one| one.unwrap().state).collect()
    };
    assert_eq!(states(copies.snapshots(&to, &made).await.unwrap()), [CopyState::Copying; 2]);
    assert_eq!(copies.snapshots_named(&to, "archive-1").await.unwrap()[0].id, made[1]);
    let mapped = source.disks.iter().zip(&made).enumerate().map(|(index, (disk, snapshot_id))| DiskFromSnapshot {
        device: if index == 0 { None } else { disk.device.clone() },
        snapshot_id: snapshot_id.clone(),
        size_gib: disk.size_gib,
    });
    let create = CreateImageCall {
        region: to.clone(),
        name: "archive".to_owned(),
        description: None,
        platform: source.platform.clone(),
        architecture: source.architecture.clone(),
        boot_mode: source.boot_mode.clone(),
        disks: mapped.collect(),
        resource_group_id: None,
        tags: BTreeMap::new(),
        token: Some("t-image".to_owned()),
    };
    let early = copies.create_image(&create).await.unwrap_err();
    assert_eq!(told(&early), (Busy, Reason::SnapshotNotReady));
    clouds.pass(COPY_SECONDS);
    assert_eq!(states(copies.snapshots(&to, &made).await.unwrap()), [CopyState::Ready; 2]);

    let id = copies.create_image(&CreateImageCall { token: Some("t-2".to_owned()), ..create }).await.unwrap();
    clouds.pass(COPY_SECONDS);
    let image = one(&*copies, "cn-shanghai", &id).await.unwrap();
    assert_eq!(image.state, CopyState::Ready);
    let sizes = |disks: &[sampan_cloud::image::Disk]| disks.iter().map(|disk| disk.size_gib).collect::<Vec<_>>();
    assert_eq!(sizes(&image.image.disks), sizes(&source.disks));
    let needed = copies.delete_snapshot(&to, &made[0]).await.unwrap_err();
    assert_eq!(told(&needed), (Caller, Reason::SnapshotInUse));
    copies.delete_image(&to, &id, false).await.unwrap();
    for snapshot in &made {
        copies.delete_snapshot(&to, snapshot).await.unwrap();
        copies.delete_snapshot(&to, snapshot).await.unwrap();
    }
    assert_eq!(copies.snapshots(&to, &made).await.unwrap(), [None, None]);
}

#[tokio::test]
async fn alibaba_tells_its_regions() {
    let clouds = Clouds::start().await;
    let regions = clouds.first(Cloud::Alibaba).copies.regions().await.unwrap().unwrap();
    assert!(regions.contains(&region("cn-hangzhou")) && regions.contains(&region("ap-southeast-1")));
}
