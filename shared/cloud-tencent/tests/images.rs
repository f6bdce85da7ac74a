//! The image port over the wire: what is asked, and what the vendor's answers become.
#![allow(clippy::unwrap_used, reason = "tests")]

mod replay;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqsign_tencent_cos::Credential;
use sampan_cloud::CallClass;
use sampan_cloud::image::{CancelAnswer, ExportCall, ExportSearch};
use sampan_cloud_tencent::tc3;
use sampan_core::{ImageFormat, ImageId, Reason, Region};
use serde_json::json;

use replay::{Replay, SECRET_ID, SECRET_KEY, api, api_error, now, status, text};

fn region() -> Region {
    "ap-guangzhou".parse().unwrap()
}

fn image() -> ImageId {
    "img-72n9mi0y".parse().unwrap()
}

fn export() -> ExportCall {
    ExportCall {
        region: region(),
        image: image(),
        bucket: "my-bucket-1250000000".to_owned(),
        prefix: Some("nightly".to_owned()),
        format: ImageFormat::Raw,
        root_disk_only: false,
        role_name: None,
    }
}

fn described() -> serde_json::Value {
    json!({ "TotalCount": 1, "ImageSet": [{
        "ImageId": "img-72n9mi0y", "ImageName": "web", "ImageType": "PRIVATE_IMAGE", "ImageState": "NORMAL",
        "SnapshotSet": [
            { "SnapshotId": "snap-s", "DiskUsage": "SYSTEM_DISK", "DiskSize": 50 },
            { "SnapshotId": "snap-d", "DiskUsage": "DATA_DISK", "DiskSize": 100 },
        ],
    }]})
}

#[tokio::test]
async fn an_export_is_signed_as_it_is_sent_and_its_promises_are_kept() {
    let replay = Replay::start(|_| api(json!({ "TaskId": 105591590, "CosPaths": ["/nightly_img.raw"] }))).await;
    let started = replay.open().images.start_export(&export()).await.unwrap();
    assert_eq!((started.objects, started.request_id.as_str()), (vec!["nightly_img.raw".to_owned()], "r-1"));

    let seen = replay.seen().remove(0);
    let named = |name| seen.header(name);
    assert_eq!(
        ["x-tc-action", "x-tc-version", "x-tc-region", "x-tc-language", "x-tc-timestamp"].map(named),
        ["ExportImages", "2017-03-12", "ap-guangzhou", "en-US", "1700000000"]
    );
    let mut again =
        http::Request::post("http://cvm/").header("host", seen.header("host")).body(seen.body.clone()).unwrap();
    again.headers_mut().insert(CONTENT_TYPE, seen.headers[CONTENT_TYPE].clone());
    let key = Credential { secret_id: SECRET_ID.into(), secret_key: SECRET_KEY.into(), ..Credential::default() };
    tc3::sign(&mut again, "cvm", &key, now()).unwrap();
    assert_eq!(again.headers()[AUTHORIZATION], seen.headers[AUTHORIZATION]);
}

#[tokio::test]
async fn an_export_whose_fate_is_unclear_is_sent_once() {
    for answer in [api_error("InternalError"), status(502), text(200, "{\"Respon"), api_error("Novelty.Kind")] {
        let replay = Replay::start(move |_| answer.clone()).await;
        let error = replay.open().images.start_export(&export()).await.unwrap_err();
        assert_eq!((error.class, replay.seen().len()), (CallClass::UnknownOutcome, 1), "{error}");
    }
}

#[tokio::test]
async fn a_throttled_export_is_sent_again_and_a_refused_one_is_not() {
    let replay = Replay::start(|_| api_error("RequestLimitExceeded")).await;
    let error = replay.open().images.start_export(&export()).await.unwrap_err();
    assert_eq!((error.class, error.attempts, replay.seen().len()), (CallClass::Throttled, 3, 3));

    let replay = Replay::start(|_| api_error("UnsupportedOperation.WindowsImageExportUnsupported")).await;
    let error = replay.open().images.start_export(&export()).await.unwrap_err();
    assert_eq!((error.class, error.reason, replay.seen().len()), (CallClass::Caller, Reason::ImageWindows, 1));
    assert!(error.is_without_effect());
}

#[tokio::test]
async fn a_check_is_a_dry_run_that_is_repeated_like_a_read() {
    let replay = Replay::start(|_| api_error("DryRunOperation")).await;
    replay.open().images.check_export(&export()).await.unwrap();
    assert_eq!(replay.seen()[0].json()["DryRun"], json!(true));

    let replay = Replay::start(|_| api_error("InternalError")).await;
    let error = replay.open().images.check_export(&export()).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Transient, 3));
}

#[tokio::test]
async fn a_lost_export_is_searched_by_asking_whether_its_image_is_held() {
    for (code, found) in [
        ("InvalidParameterValue.InvalidImageState", ExportSearch::Busy),
        ("FailedOperation.InvalidImageState", ExportSearch::Busy),
        ("MutexOperation.TaskRunning", ExportSearch::Busy),
        ("DryRunOperation", ExportSearch::Idle),
    ] {
        let replay = Replay::start(move |_| api_error(code)).await;
        assert_eq!(replay.open().images.find_export(&export(), now()).await.unwrap(), found, "{code}");
        assert_eq!(replay.seen()[0].json()["DryRun"], json!(true));
    }
}

#[tokio::test]
async fn a_full_task_list_does_not_tell_whether_the_image_is_held() {
    let replay = Replay::start(|_| api_error("LimitExceeded.ExportImageTaskLimitExceeded")).await;
    let error = replay.open().images.find_export(&export(), now()).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Busy, Reason::ExportTasksFull));
}

#[tokio::test]
async fn an_image_is_described_with_the_encryption_of_its_snapshots() {
    let replay = Replay::start(|seen| match seen.action() {
        "DescribeImages" => api(described()),
        _ => api(json!({ "SnapshotSet": [
            { "SnapshotId": "snap-d", "Encrypt": true },
            { "SnapshotId": "snap-s", "Encrypt": false },
        ]})),
    })
    .await;
    let found = replay.open().images.describe_image(&region(), &image()).await.unwrap().unwrap();
    let encrypted: Vec<_> = found.disks.iter().map(|disk| disk.encrypted).collect();
    assert_eq!(encrypted, [Some(false), Some(true)]);
    assert_eq!(replay.seen()[1].json()["SnapshotIds"], json!(["snap-s", "snap-d"]));
    assert!(replay.seen()[1].header("authorization").contains("/cbs/tc3_request"));
}

#[tokio::test]
async fn encryption_stays_unknown_where_nobody_may_ask_for_it() {
    for code in ["UnauthorizedOperation", "UnsupportedRegion"] {
        let replay = Replay::start(move |seen| match seen.action() {
            "DescribeImages" => api(described()),
            _ => api_error(code),
        })
        .await;
        let found = replay.open().images.describe_image(&region(), &image()).await.unwrap().unwrap();
        assert_eq!(found.is_encrypted(), None, "{code}");
    }
}

#[tokio::test]
async fn a_cloud_that_fails_to_tell_encryption_fails_the_description() {
    let replay = Replay::start(|seen| match seen.action() {
        "DescribeImages" => api(described()),
        _ => api_error("InternalError"),
    })
    .await;
    let error = replay.open().images.describe_image(&region(), &image()).await.unwrap_err();
    assert_eq!((error.action, error.class), ("DescribeSnapshots", CallClass::Transient));
}

#[tokio::test]
async fn an_image_that_is_not_there_is_none_in_both_spellings() {
    for answer in [api(json!({ "TotalCount": 0, "ImageSet": [] })), api_error("InvalidImageId.NotFound")] {
        let replay = Replay::start(move |_| answer.clone()).await;
        assert_eq!(replay.open().images.describe_image(&region(), &image()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_ceiling_of_images_is_none_where_the_region_lacks_the_call() {
    let replay = Replay::start(|_| api(json!({ "ImageNumQuota": 20 }))).await;
    assert_eq!(replay.open().images.image_quota(&region()).await.unwrap(), Some(20));
    let replay = Replay::start(|_| api_error("UnsupportedOperation.InvalidZone")).await;
    assert_eq!(replay.open().images.image_quota(&region()).await.unwrap(), None);
    let replay = Replay::start(|_| api_error("UnauthorizedOperation")).await;
    let error = replay.open().images.image_quota(&region()).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Permission, Reason::CloudPermissionDenied));
}

#[tokio::test]
async fn tasks_are_unknown_and_cancels_impossible_without_a_call() {
    let replay = Replay::start(|_| status(500)).await;
    let cloud = replay.open().images;
    let tasks = cloud.export_tasks(&region(), &["1".to_owned(), "2".to_owned()]).await.unwrap();
    assert_eq!((tasks.len(), tasks.iter().flatten().count()), (2, 0));
    assert_eq!(cloud.cancel_export(&region(), "1").await.unwrap(), CancelAnswer::Impossible);
    assert!(replay.seen().is_empty());
}
