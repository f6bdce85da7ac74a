//! The copy port over the wire: what is asked, and what the vendor's answers become.
#![allow(clippy::unwrap_used, reason = "tests")]

mod replay;

use std::collections::BTreeMap;

use sampan_cloud::CallClass;
use sampan_cloud::copy::{CopyCall, CopyState, CreateImageCall, SnapshotCopyCall};
use sampan_cloud::image::{CancelAnswer, ImageOrigin};
use sampan_core::{ImageId, Reason, Region};
use serde_json::{Value, json};

use replay::{Replay, api, api_error, status, text};

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn image(id: &str) -> ImageId {
    id.parse().unwrap()
}

fn copy() -> CopyCall {
    CopyCall {
        source: region("ap-shanghai"),
        image: image("img-o3ycss2p"),
        destinations: vec![region("ap-guangzhou"), region("ap-beijing")],
        name: None,
        description: None,
        encryption: None,
        resource_group_id: None,
        tags: BTreeMap::new(),
        token: None,
    }
}

fn own(id: &str, name: &str, created: Value) -> Value {
    json!({ "ImageId": id, "ImageName": name, "ImageType": "PRIVATE_IMAGE", "ImageState": "NORMAL", "CreatedTime": created })
}

#[tokio::test]
async fn a_copy_serves_every_destination_by_one_call_at_its_source() {
    let replay = Replay::start(|_| {
        api(json!({ "ImageSet": [
            { "ImageId": "img-gz000001", "Region": "ap-guangzhou" }, { "ImageId": "img-bj000001", "Region": "ap-beijing" },
        ]}))
    })
    .await;
    let started = replay.open().copies.start_copy(&copy()).await.unwrap();
    let expected = [("ap-beijing", "img-bj000001"), ("ap-guangzhou", "img-gz000001")];
    assert_eq!(started.images, expected.map(|(at, id)| (region(at), image(id))).into());
    assert_eq!(started.request_id, "r-1");

    let seen = replay.seen().remove(0);
    assert_eq!(["x-tc-action", "x-tc-region"].map(|name| seen.header(name)), ["SyncImages", "ap-shanghai"]);
    // What the vendor's own client sends for the same, and that nothing is only tried out.
    let mut captured: Value = serde_json::from_str(
        r#"{"ImageIds": ["img-o3ycss2p"], "DestinationRegions": ["ap-guangzhou", "ap-beijing"], "ImageSetRequired": true}"#,
    )
    .unwrap();
    captured["DryRun"] = json!(false);
    assert_eq!(seen.json(), captured);
}

#[tokio::test]
async fn a_copy_whose_fate_is_unclear_is_sent_once() {
    for answer in [api_error("InternalError"), status(502), text(200, "{\"Respon"), api_error("Novelty.Kind")] {
        let replay = Replay::start(move |_| answer.clone()).await;
        let error = replay.open().copies.start_copy(&copy()).await.unwrap_err();
        assert_eq!((error.class, replay.seen().len()), (CallClass::UnknownOutcome, 1), "{error}");
    }
}

#[tokio::test]
async fn a_refused_copy_names_its_cause_and_a_throttled_one_is_sent_again() {
    let replay = Replay::start(|_| api_error("ImageQuotaLimitExceeded")).await;
    let error = replay.open().copies.start_copy(&copy()).await.unwrap_err();
    assert_eq!((error.class, error.reason, error.attempts), (CallClass::Caller, Reason::DestinationFull, 1));
    let replay = Replay::start(|_| api_error("RequestLimitExceeded")).await;
    let error = replay.open().copies.start_copy(&copy()).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Throttled, 3));
}

#[tokio::test]
async fn a_check_is_a_dry_run_that_is_repeated_like_a_read() {
    for answer in [api_error("DryRunOperation"), api(json!({ "ImageSet": [] }))] {
        let replay = Replay::start(move |_| answer.clone()).await;
        replay.open().copies.check_copy(&copy()).await.unwrap();
        assert_eq!(replay.seen()[0].json()["DryRun"], json!(true));
    }
    let replay = Replay::start(|_| api_error("InternalError")).await;
    let error = replay.open().copies.check_copy(&copy()).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Transient, 3));
    let replay = Replay::start(|_| api_error("InvalidRegion.Unavailable")).await;
    let error = replay.open().copies.check_copy(&copy()).await.unwrap_err();
    assert_eq!(error.reason, Reason::RegionPairUnsupported);
}

#[tokio::test]
async fn looks_at_the_copies_of_a_region_share_a_call_and_keep_their_order() {
    let replay = Replay::start(|_| {
        api(json!({ "TotalCount": 2, "ImageSet": [
            { "ImageId": "img-ready", "ImageState": "NORMAL", "SyncPercent": 20 },
            { "ImageId": "img-going", "ImageState": "SYNCING", "SyncPercent": 37 },
        ]}))
    })
    .await;
    let (here, copies) = (region("ap-beijing"), replay.open().copies);
    let (first, second) = ([image("img-going"), image("img-gone")], [image("img-ready")]);
    let (first, second) = tokio::join!(copies.copied_images(&here, &first), copies.copied_images(&here, &second));
    let shown = |copied: &Option<sampan_cloud::copy::CopiedImage>| copied.as_ref().map(|one| (one.state, one.percent));
    assert_eq!(first.unwrap().iter().map(shown).collect::<Vec<_>>(), [Some((CopyState::Copying, Some(37))), None]);
    assert_eq!(second.unwrap().iter().map(shown).collect::<Vec<_>>(), [Some((CopyState::Ready, None))]);
    assert_eq!(replay.seen().len(), 1);
    assert_eq!(replay.seen()[0].json()["ImageIds"].as_array().unwrap().len(), 3);
    assert_eq!(replay.seen()[0].header("x-tc-region"), "ap-beijing");
}

#[tokio::test]
async fn an_id_that_spoils_a_look_spoils_no_other() {
    let replay = Replay::start(|seen| match seen.json()["ImageIds"].as_array().unwrap().as_slice() {
        [only] if only == "img-here" => {
            api(json!({ "ImageSet": [{ "ImageId": "img-here", "ImageState": "SYNCING" }] }))
        }
        _ => api_error("InvalidImageId.NotFound"),
    })
    .await;
    let images = [image("img-gone"), image("img-here")];
    let found = replay.open().copies.copied_images(&region("ap-beijing"), &images).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    assert_eq!(replay.seen().len(), 3);
}

#[tokio::test]
async fn a_look_that_fails_is_an_error_and_never_an_absent_image() {
    let replay = Replay::start(|_| api_error("InternalError")).await;
    let error = replay.open().copies.copied_images(&region("ap-beijing"), &[image("img-a")]).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Transient, 3));
}

#[tokio::test]
async fn images_of_a_name_are_found_on_every_page_exactly_and_oldest_first() {
    let replay = Replay::start(|seen| {
        let page = match seen.json()["Offset"].as_u64().unwrap() {
            0 => {
                let mut page = vec![own("img-new", "web", json!("2026-11-20T10:00:00Z"))];
                page.extend((0..99).map(|n| own(&format!("img-o{n}"), "web-old", json!(null))));
                page
            }
            _ => vec![
                own("img-making", "web", json!(null)),
                own("img-old", "web", json!("2026-11-19T10:00:00+00:00")),
                own("img-case", "Web", json!("2026-11-18T10:00:00Z")),
            ],
        };
        api(json!({ "TotalCount": 103, "ImageSet": page }))
    })
    .await;
    let found = replay.open().copies.images_named(&region("ap-beijing"), "web").await.unwrap();
    let ids: Vec<_> = found.iter().map(|copied| copied.image.id.as_str()).collect();
    assert_eq!(ids, ["img-old", "img-new", "img-making"]);
    assert_eq!(found[0].image.origin, ImageOrigin::Custom);
    let seen = replay.seen();
    assert_eq!(seen.iter().map(|seen| seen.json()["Offset"].clone()).collect::<Vec<_>>(), [json!(0), json!(100)]);
    assert_eq!(
        seen[0].json()["Filters"],
        json!([
            { "Name": "image-type", "Values": ["PRIVATE_IMAGE"] }, { "Name": "image-name", "Values": ["web"] },
        ])
    );
}

#[tokio::test]
async fn own_images_are_counted_by_the_vendor() {
    let replay =
        Replay::start(|_| api(json!({ "TotalCount": 137, "ImageSet": [own("img-a", "a", json!(null))] }))).await;
    assert_eq!(replay.open().copies.count_images(&region("ap-beijing")).await.unwrap(), 137);
    assert_eq!(
        replay.seen()[0].json(),
        json!({ "Filters": [{ "Name": "image-type", "Values": ["PRIVATE_IMAGE"] }], "Limit": 1 })
    );
    let replay = Replay::start(|_| api(json!({ "ImageSet": [] }))).await;
    let error = replay.open().copies.count_images(&region("ap-beijing")).await.unwrap_err();
    assert_eq!(error.reason, Reason::CloudAnswerUnreadable, "no number is not zero");
}

#[tokio::test]
async fn an_image_is_removed_once_with_its_snapshots_where_that_is_wanted() {
    let replay = Replay::start(|_| api(json!({}))).await;
    let copies = replay.open().copies;
    for with_snapshots in [true, false] {
        copies.delete_image(&region("ap-beijing"), &image("img-a"), with_snapshots).await.unwrap();
    }
    let bodies: Vec<_> = replay.seen().iter().map(replay::Seen::json).collect();
    assert_eq!(bodies[0], json!({ "ImageIds": ["img-a"], "DeleteBindedSnap": true }));
    assert_eq!(bodies[1]["DeleteBindedSnap"], json!(false));

    let replay = Replay::start(|_| api_error("InternalError")).await;
    let error = replay.open().copies.delete_image(&region("ap-beijing"), &image("img-a"), true).await.unwrap_err();
    assert_eq!((error.class, replay.seen().len()), (CallClass::UnknownOutcome, 1));
}

#[tokio::test]
async fn an_image_that_is_gone_is_removed_and_one_that_is_being_copied_is_waited_for() {
    let replay = Replay::start(|_| api_error("InvalidImageId.NotFound")).await;
    replay.open().copies.delete_image(&region("ap-beijing"), &image("img-a"), true).await.unwrap();
    for (code, class, reason) in [
        ("InvalidImageId.IncorrectState", CallClass::Busy, Reason::ImageNotReady),
        ("MutexOperation.TaskRunning", CallClass::Busy, Reason::CloudBusy),
        ("InvalidImageId.InShared", CallClass::Caller, Reason::ImageStillShared),
    ] {
        let replay = Replay::start(move |_| api_error(code)).await;
        let error = replay.open().copies.delete_image(&region("ap-beijing"), &image("img-a"), true).await.unwrap_err();
        assert_eq!((error.class, error.reason), (class, reason), "{code}");
    }
}

#[tokio::test]
async fn what_the_cloud_does_not_offer_costs_no_call() {
    let replay = Replay::start(|_| status(500)).await;
    let (copies, here) = (replay.open().copies, region("ap-beijing"));
    assert_eq!(copies.cancel_copy(&here, &image("img-a")).await.unwrap(), CancelAnswer::Impossible);
    assert_eq!(copies.regions().await.unwrap(), None);
    assert_eq!(copies.snapshots_named(&here, "web").await.unwrap(), []);
    let snapshot = SnapshotCopyCall {
        source: here.clone(),
        snapshot_id: "snap-a".to_owned(),
        destination: region("ap-guangzhou"),
        name: "web".to_owned(),
        description: "web".to_owned(),
        encryption: None,
        resource_group_id: None,
        tags: BTreeMap::new(),
        token: None,
    };
    let create = CreateImageCall {
        region: here.clone(),
        name: "web".to_owned(),
        description: None,
        platform: String::new(),
        architecture: String::new(),
        boot_mode: None,
        disks: Vec::new(),
        resource_group_id: None,
        tags: BTreeMap::new(),
        token: None,
    };
    let refused = [
        copies.delete_snapshot(&here, "snap-a").await.unwrap_err(),
        copies.snapshots(&here, &["snap-a".to_owned()]).await.unwrap_err(),
        copies.copy_snapshot(&snapshot).await.unwrap_err(),
        copies.create_image(&create).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!((error.class, error.reason), (CallClass::Caller, Reason::SnapshotCopyUnsupported));
        assert!(error.is_without_effect() && error.attempts == 0);
    }
    assert!(replay.seen().is_empty());
}
