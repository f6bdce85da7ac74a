//! Facts about the route over snapshots, against answers in the vendor's form.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod replay;

use std::collections::BTreeMap;

use replay::{Replay, Seen, json, refusal};
use sampan_cloud::CallClass;
use sampan_cloud::copy::{CopyState, CreateImageCall, DiskFromSnapshot, SnapshotCopyCall};
use sampan_core::{ImageId, Reason, Region};
use serde_json::json as value;

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn snapshot_copy() -> SnapshotCopyCall {
    SnapshotCopyCall {
        source: region("cn-hangzhou"),
        snapshot_id: "s-1".to_owned(),
        destination: region("cn-shanghai"),
        name: "web-system".to_owned(),
        description: "copied".to_owned(),
        encryption: None,
        resource_group_id: None,
        tags: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        token: Some("tok".to_owned()),
    }
}

fn disk(device: Option<&str>, snapshot: &str, size_gib: u64) -> DiskFromSnapshot {
    DiskFromSnapshot { device: device.map(ToOwned::to_owned), snapshot_id: snapshot.to_owned(), size_gib }
}

fn create() -> CreateImageCall {
    CreateImageCall {
        region: region("cn-shanghai"),
        name: "n".to_owned(),
        description: None,
        platform: "CentOS".to_owned(),
        architecture: "x86_64".to_owned(),
        boot_mode: Some("UEFI".to_owned()),
        disks: vec![disk(None, "s-1", 40), disk(Some("xvdb"), "s-2", 4096)],
        resource_group_id: Some("rg-1".to_owned()),
        tags: BTreeMap::new(),
        token: Some("tok".to_owned()),
    }
}

fn sent(seen: &Seen) -> Vec<String> {
    seen.query.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[tokio::test]
async fn a_snapshot_is_copied_from_its_own_region_with_name_and_description() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R", "SnapshotId": "s-9"}))).await;
    assert_eq!(server.clients().copies.copy_snapshot(&snapshot_copy()).await.unwrap(), "s-9");
    let seen = &server.seen()[0];
    assert_eq!(seen.action(), "CopySnapshot");
    assert_eq!(
        sent(seen),
        [
            "ClientToken=tok",
            "DestinationRegionId=cn-shanghai",
            "DestinationSnapshotDescription=copied",
            "DestinationSnapshotName=web-system",
            "RegionId=cn-hangzhou",
            "SnapshotId=s-1",
            "Tag.1.Key=a",
            "Tag.1.Value=b",
        ]
    );
}

#[tokio::test]
async fn an_image_is_made_of_its_system_disk_first_with_what_is_on_it() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R", "ImageId": "m-9"}))).await;
    let made = server.clients().copies.create_image(&create()).await.unwrap();
    assert_eq!(made, "m-9".parse::<ImageId>().unwrap());
    let seen = &server.seen()[0];
    assert_eq!(seen.action(), "CreateImage");
    assert_eq!(
        sent(seen),
        [
            "Architecture=x86_64",
            "BootMode=UEFI",
            "ClientToken=tok",
            "DiskDeviceMapping.1.DiskType=system",
            "DiskDeviceMapping.1.Size=40",
            "DiskDeviceMapping.1.SnapshotId=s-1",
            "DiskDeviceMapping.2.Device=/dev/xvdb",
            "DiskDeviceMapping.2.DiskType=data",
            "DiskDeviceMapping.2.Size=4096",
            "DiskDeviceMapping.2.SnapshotId=s-2",
            "ImageName=n",
            "Platform=CentOS",
            "RegionId=cn-shanghai",
            "ResourceGroupId=rg-1",
        ]
    );
}

#[tokio::test]
async fn changes_whose_answer_is_lost_are_never_repeated() {
    let server = Replay::start(|_| refusal(500, "InternalError")).await;
    let copies = server.clients().copies;
    let lost = [
        copies.copy_snapshot(&snapshot_copy()).await.unwrap_err(),
        copies.create_image(&create()).await.unwrap_err(),
        copies.delete_snapshot(&region("cn-shanghai"), "s-9").await.unwrap_err(),
        copies.delete_image(&region("cn-shanghai"), &"m-9".parse().unwrap(), true).await.unwrap_err(),
    ];
    assert!(lost.iter().all(|error| error.class == CallClass::UnknownOutcome && error.attempts == 1));
    assert_eq!(server.actions(), ["CopySnapshot", "CreateImage", "DeleteSnapshot", "DeleteImage"]);
}

#[tokio::test]
async fn an_acceptance_without_the_new_id_has_an_unknown_outcome() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R"}))).await;
    let copies = server.clients().copies;
    assert_eq!(copies.copy_snapshot(&snapshot_copy()).await.unwrap_err().class, CallClass::UnknownOutcome);
    assert_eq!(copies.create_image(&create()).await.unwrap_err().class, CallClass::UnknownOutcome);
}

#[tokio::test]
async fn another_copy_from_the_same_disk_is_waited_for() {
    let server = Replay::start(|_| refusal(403, "InvalidOperation.UnfinishedCrossRegionCopy")).await;
    let error = server.clients().copies.copy_snapshot(&snapshot_copy()).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Busy, Reason::CopyAlreadyRunning));
}

#[tokio::test]
async fn snapshots_are_described_in_the_order_that_was_asked_for() {
    let server = Replay::start(|_| {
        json(
            200,
            value!({"RequestId": "R", "Snapshots": {"Snapshot": [
            {"SnapshotId": "s-2", "Status": "accomplished", "Progress": "100%", "SourceDiskSize": "4096"},
            {"SnapshotId": "s-1", "Status": "progressing", "Progress": "12%", "SourceDiskSize": 40, "Encrypted": true}]}}),
        )
    })
    .await;
    let ids = ["s-1", "s-gone", "s-2"].map(ToOwned::to_owned);
    let found = server.clients().copies.snapshots(&region("cn-shanghai"), &ids).await.unwrap();
    let shown: Vec<_> =
        found.iter().map(|one| one.as_ref().map(|one| (one.state, one.percent, one.size_gib))).collect();
    assert_eq!(shown, [Some((CopyState::Copying, Some(12), 40)), None, Some((CopyState::Ready, Some(100), 4096))]);
    assert_eq!(found[0].as_ref().unwrap().encrypted, Some(true));
    assert_eq!(server.seen()[0].parameter("SnapshotIds"), r#"["s-1","s-gone","s-2"]"#);
}

#[tokio::test]
async fn more_snapshots_than_a_call_takes_are_asked_for_in_turns() {
    let server = Replay::start(|seen| {
        let ids: Vec<String> = serde_json::from_str(seen.parameter("SnapshotIds")).unwrap();
        let rows: Vec<_> = ids.iter().map(|id| value!({"SnapshotId": id, "Status": "accomplished"})).collect();
        assert!(rows.len() <= 100);
        json(200, value!({"Snapshots": {"Snapshot": rows}}))
    })
    .await;
    let ids: Vec<_> = (0..130).map(|n| format!("s-{n}")).collect();
    let found = server.clients().copies.snapshots(&region("cn-shanghai"), &ids).await.unwrap();
    assert_eq!((found.iter().flatten().count(), server.seen().len()), (130, 2));
}

#[tokio::test]
async fn snapshots_of_a_name_are_found_on_every_page_exactly_and_oldest_first() {
    let server = Replay::start(|seen| {
        let row = |id: &str, name: &str, created: &str| {
            value!({"SnapshotId": id, "SnapshotName": name, "Status": "progressing", "CreationTime": created})
        };
        match seen.parameter("NextToken") {
            "" => json(
                200,
                value!({"NextToken": "t-2", "Snapshots": {"Snapshot": [
                row("s-new", "web", "2026-11-20T10:00:00Z"), row("s-other", "web-2", "2026-11-18T10:00:00Z")]}}),
            ),
            _ => json(
                200,
                value!({"NextToken": "", "Snapshots": {"Snapshot": [row("s-old", "web", "2026-11-19T10:00:00Z")]}}),
            ),
        }
    })
    .await;
    let found = server.clients().copies.snapshots_named(&region("cn-shanghai"), "web").await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["s-old", "s-new"]);
    assert_eq!(server.seen()[1].parameter("NextToken"), "t-2");
}

#[tokio::test]
async fn a_snapshot_that_is_gone_is_removed_and_one_that_is_needed_is_not() {
    for answer in [json(200, value!({"RequestId": "R"})), refusal(404, "InvalidSnapshotId.NotFound")] {
        let server = Replay::start(move |_| answer.clone()).await;
        server.clients().copies.delete_snapshot(&region("cn-shanghai"), "s-9").await.unwrap();
        assert_eq!(sent(&server.seen()[0]), ["RegionId=cn-shanghai", "SnapshotId=s-9"]);
    }
    let server = Replay::start(|_| refusal(403, "SnapshotCreatedImage")).await;
    let error = server.clients().copies.delete_snapshot(&region("cn-shanghai"), "s-9").await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Caller, Reason::SnapshotInUse));
}
