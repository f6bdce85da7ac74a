//! Facts about the image calls, against answers in the vendor's form.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod replay;

use jiff::Timestamp;
use replay::{Answer, Replay, json, plain, refusal};
use sampan_cloud::image::{CancelAnswer, ExportCall, ExportSearch, ExportTaskState, ImageOrigin, ImageState};
use sampan_cloud::{CallClass, CallError};
use sampan_cloud_alibaba::AlibabaCloud;
use sampan_core::{ImageFormat, ImageId, Reason, Region};
use serde_json::json as value;

fn region() -> Region {
    "cn-hangzhou".parse().unwrap()
}

fn image() -> ImageId {
    "m-bp67acfmxazb4p0001".parse().unwrap()
}

fn export() -> ExportCall {
    ExportCall {
        region: region(),
        image: image(),
        bucket: "example-bucket".into(),
        prefix: Some("EcsExport".into()),
        format: ImageFormat::Qcow2,
        root_disk_only: false,
        role_name: None,
    }
}

async fn failed_export(answer: Answer) -> (CallError, usize) {
    let server = Replay::start(move |_| answer.clone()).await;
    let error = server.clients().images.start_export(&export()).await.unwrap_err();
    (error, server.seen().len())
}

#[tokio::test]
async fn an_export_carries_its_parameters_in_the_query_and_returns_the_task() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R-9", "TaskId": "t-1", "RegionId": "x"}))).await;
    let started = server.clients().images.start_export(&export()).await.unwrap();
    assert_eq!((started.task_id.as_deref(), started.request_id.as_str()), (Some("t-1"), "R-9"));
    assert!(started.objects.is_empty());

    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.action()), ("POST", "/", "ExportImage"));
    assert_eq!((seen.header("x-acs-version"), seen.header("accept")), ("2014-05-26", "application/json"));
    let sent: Vec<_> = seen.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        sent,
        [
            "ImageFormat=qcow2",
            "ImageId=m-bp67acfmxazb4p0001",
            "OSSBucket=example-bucket",
            "OSSPrefix=EcsExport",
            "RegionId=cn-hangzhou"
        ]
    );
}

#[tokio::test]
async fn the_task_id_is_read_under_its_older_name_too() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R", "ExportTaskId": "tsk-1"}))).await;
    assert_eq!(server.clients().images.start_export(&export()).await.unwrap().task_id.as_deref(), Some("tsk-1"));
}

#[tokio::test]
async fn an_export_whose_answer_is_lost_is_never_repeated() {
    for lost in [
        Answer::Cut,
        refusal(500, "InternalError"),
        refusal(503, "ServiceUnavailable"),
        plain(502, &[("content-type", "text/html")], "<html>Bad Gateway</html>"),
        plain(200, &[], "not json"),
    ] {
        let (error, calls) = failed_export(lost.clone()).await;
        assert_eq!((error.class, calls), (CallClass::UnknownOutcome, 1), "{lost:?}");
    }
}

#[tokio::test]
async fn a_throttled_export_is_repeated_with_a_fresh_nonce() {
    let mut calls = 0;
    let server = Replay::start(move |_| {
        calls += 1;
        if calls == 1 { refusal(400, "Throttling.User") } else { json(200, value!({"TaskId": "t-1"})) }
    })
    .await;
    server.clients().images.start_export(&export()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].header("x-acs-signature-nonce"), seen[1].header("x-acs-signature-nonce"));
    assert_eq!(seen[0].query, seen[1].query);
}

#[tokio::test]
async fn refusals_of_an_export_keep_code_request_id_and_meaning() {
    let (error, calls) = failed_export(refusal(403, "ImageIsExporting")).await;
    assert_eq!((error.class, error.reason, calls), (CallClass::Busy, Reason::ExportAlreadyRunning, 1));
    assert_eq!((error.code.as_deref(), error.request_id.as_deref()), (Some("ImageIsExporting"), Some("R-1")));
    assert_eq!((error.http_status, error.action), (Some(403), "ExportImage"));

    let xml = "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>R-2</RequestId><HostId>h</HostId>\
               <Code>InvalidOSSPrefix.Malformed</Code><Message>m</Message></Error>";
    let (error, _) = failed_export(plain(400, &[], xml)).await;
    assert_eq!((error.reason, error.request_id.as_deref()), (Reason::PrefixMalformed, Some("R-2")));
}

#[tokio::test]
async fn a_refused_signature_shows_nothing_of_what_was_signed() {
    let message = "Specified signature is not matched with our calculation. server string to sign is:\
                   ACS3-HMAC-SHA256\nabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd LTAItestid9999";
    let body = value!({"RequestId": "R", "Code": "SignatureDoesNotMatch", "Message": message});
    let (error, _) = failed_export(json(400, body)).await;
    assert_eq!((error.class, error.reason), (CallClass::Credentials, Reason::CloudCredentialsRejected));
    assert!(!error.message.contains("abcdef") && !error.message.contains("LTAI"), "{}", error.message);
}

#[tokio::test]
async fn a_read_survives_a_throttle_and_a_broken_gateway() {
    let mut calls = 0;
    let server = Replay::start(move |_| {
        calls += 1;
        match calls {
            1 => refusal(400, "Throttling"),
            2 => plain(502, &[], "<html></html>"),
            _ => json(200, value!({"Images": {"Image": [{"ImageId": image(), "ImageOwnerAlias": "system"}]}})),
        }
    })
    .await;
    let found = server.clients().images.describe_image(&region(), &image()).await.unwrap().unwrap();
    assert_eq!((found.origin, server.seen().len()), (ImageOrigin::Public, 3));
}

fn own_image() -> serde_json::Value {
    value!({"RequestId": "R", "TotalCount": 1, "Images": {"Image": [{
        "ImageId": image(), "ImageName": "web", "ImageOwnerAlias": "self", "IsSelfShared": "", "ProductCode": "",
        "Status": "Creating", "Progress": "40%", "Size": 40, "OSType": "linux", "Platform": "CentOS",
        "Architecture": "x86_64", "CreationTime": "2026-11-20T10:00:00Z", "IsPublic": false,
        "DetectionOptions": {}, "DiskDeviceMappings": {"DiskDeviceMapping": [
            {"Type": "data", "Device": "/dev/xvdb", "Size": "100", "SnapshotId": "s-2", "Format": "", "Progress": ""},
            {"Type": "system", "Device": "/dev/xvda", "Size": "40", "SnapshotId": "s-1", "ImportOSSBucket": ""}]}}]}})
}

#[tokio::test]
async fn an_image_is_described_in_any_state_with_the_encryption_of_its_snapshots() {
    let server = Replay::start(|seen| match seen.action() {
        "DescribeImages" => json(200, own_image()),
        _ => json(
            200,
            value!({"Snapshots": {"Snapshot": [
            {"SnapshotId": "s-1", "Encrypted": false, "ProductCode": ""},
            {"SnapshotId": "s-2", "Encrypted": true, "KMSKeyId": "k"}]}}),
        ),
    })
    .await;
    let found = server.clients().images.describe_image(&region(), &image()).await.unwrap().unwrap();
    assert_eq!(
        (found.origin, found.state, found.raw_state.as_str()),
        (ImageOrigin::Custom, ImageState::Pending, "Creating")
    );
    assert_eq!((found.data_disks(), found.total_gib(), found.is_encrypted()), (1, 140, Some(true)));
    assert_eq!(found.disks[0].device.as_deref(), Some("xvda"));

    let seen = server.seen();
    assert_eq!(server.actions(), ["DescribeImages", "DescribeSnapshots"]);
    for state in ["Waiting", "Creating", "Available", "UnAvailable", "CreateFailed", "Deprecated"] {
        assert!(seen[0].parameter("Status").split(',').any(|asked| asked == state), "{state}");
    }
    let asked: Vec<String> = serde_json::from_str(seen[1].parameter("SnapshotIds")).unwrap();
    assert_eq!(asked, ["s-1", "s-2"]);
}

#[tokio::test]
async fn a_snapshot_of_the_marketplace_makes_the_image_one_of_the_marketplace() {
    let server = Replay::start(|seen| match seen.action() {
        "DescribeImages" => json(200, own_image()),
        _ => json(200, value!({"Snapshots": {"Snapshot": [{"SnapshotId": "s-1", "ProductCode": "cmjj01"}]}})),
    })
    .await;
    let found = server.clients().images.describe_image(&region(), &image()).await.unwrap().unwrap();
    assert_eq!(found.origin, ImageOrigin::Marketplace);
}

#[tokio::test]
async fn without_permission_for_snapshots_the_encryption_is_unknown() {
    let server = Replay::start(|seen| match seen.action() {
        "DescribeImages" => json(200, own_image()),
        _ => refusal(403, "Forbidden.RAM"),
    })
    .await;
    let found = server.clients().images.describe_image(&region(), &image()).await.unwrap().unwrap();
    assert_eq!(found.is_encrypted(), None);
}

#[tokio::test]
async fn an_image_that_nobody_owns_is_looked_for_in_the_marketplace_before_it_is_absent() {
    let empty = || json(200, value!({"RequestId": "R", "Images": {"Image": []}}));
    let server = Replay::start(move |_| empty()).await;
    assert_eq!(server.clients().images.describe_image(&region(), &image()).await.unwrap(), None);
    let owners: Vec<_> = server.seen().iter().map(|seen| seen.parameter("ImageOwnerAlias").to_owned()).collect();
    assert_eq!(owners, ["", "marketplace"]);
}

fn detail(task: &str, status: &str) -> Answer {
    json(
        200,
        value!({"TaskId": task, "TaskStatus": status, "TaskProcess": "37%", "SupportCancel": "true",
        "CreationTime": "2024-01-02T03:04Z", "FailedCount": 0, "OperationProgressSet": {"OperationProgress": [
            {"OperationStatus": "", "RelatedItemSet": {"RelatedItem": [
                {"Name": "OSSBucket", "Value": "example-bucket"},
                {"Name": "OSSObject", "Value": format!("{task}_system.raw.tar.gz")}]}}]}}),
    )
}

#[tokio::test]
async fn an_export_is_found_on_any_page_when_it_is_not_older_than_asked() {
    let row = |task: String, created: &str| {
        value!({"TaskId": task, "TaskAction": "ExportImage",
        "TaskStatus": "Finished", "SupportCancel": false, "ResourceId": image(), "CreationTime": created})
    };
    let server = Replay::start(move |seen| match (seen.action(), seen.parameter("PageNumber")) {
        ("DescribeTasks", "1") => {
            let old: Vec<_> = (0..100).map(|n| row(format!("t-old{n}"), "2024-01-02T03:03Z")).collect();
            json(200, value!({"TotalCount": 102, "TaskSet": {"Task": old}}))
        }
        ("DescribeTasks", _) => json(
            200,
            value!({"TotalCount": "102", "TaskSet": {"Task": [
            row("t-late".into(), "2024-01-02T03:09Z"), row("t-same-minute".into(), "2024-01-02T03:04Z")]}}),
        ),
        _ => detail(seen.parameter("TaskId"), "Finished"),
    })
    .await;
    let since: Timestamp = "2024-01-02T03:04:31Z".parse().unwrap();
    let found = server.clients().images.find_export(&export(), since).await.unwrap();
    let ExportSearch::Tasks(tasks) = found else { panic!("tasks are reported") };
    let ids: Vec<_> = tasks.iter().map(|task| task.task_id.as_str()).collect();
    assert_eq!(ids, ["t-same-minute", "t-late"]);
    assert_eq!(tasks[0].image, Some(image()));
    assert_eq!((tasks[0].bucket.as_deref(), tasks[0].objects.len()), (Some("example-bucket"), 1));

    let first = &server.seen()[0];
    assert_eq!((first.parameter("TaskAction"), first.parameter("TaskStatus")), ("ExportImage", ""));
    assert_eq!(first.parameter("ResourceIds.1"), image().as_str());
    assert_eq!(server.seen().len(), 4, "two pages and two details");
}

#[tokio::test]
async fn many_tasks_cost_one_list_and_details_of_those_that_have_begun() {
    let server = Replay::start(|seen| match seen.action() {
        "DescribeTasks" => {
            let row = |task: &str, status: &str| {
                value!({"TaskId": task, "TaskStatus": status, "SupportCancel": true,
                "ResourceId": image(), "CreationTime": "2024-01-02T03:04Z"})
            };
            json(
                200,
                value!({"TotalCount": 3, "TaskSet": {"Task": [
                row("t-running", "Processing"), row("t-gone", "Deleted"), row("t-waits", "Waiting")]}}),
            )
        }
        _ => detail(seen.parameter("TaskId"), "Processing"),
    })
    .await;
    let ids = ["t-waits", "t-running", "t-unheard", "t-gone"].map(ToOwned::to_owned);
    let tasks = server.clients().images.export_tasks(&region(), &ids).await.unwrap();
    let states: Vec<_> = tasks.iter().map(|task| task.as_ref().map(|task| task.state.clone())).collect();
    assert_eq!(
        states,
        [Some(ExportTaskState::Queued), Some(ExportTaskState::Running), None, Some(ExportTaskState::Cancelled)]
    );
    assert_eq!(tasks[1].as_ref().unwrap().percent, Some(37));
    assert_eq!(server.actions(), ["DescribeTasks", "DescribeTaskAttribute"]);
    assert_eq!(server.seen()[0].parameter("TaskIds").split(',').count(), 4);
}

#[tokio::test]
async fn concurrent_looks_at_single_tasks_share_one_list() {
    let server = Replay::start(|seen| match seen.action() {
        "DescribeTasks" => {
            let rows: Vec<_> = seen
                .parameter("TaskIds")
                .split(',')
                .map(|id| value!({"TaskId": id, "TaskStatus": "Waiting"}))
                .collect();
            json(200, value!({"TotalCount": rows.len(), "TaskSet": {"Task": rows}}))
        }
        _ => refusal(400, "InvalidTaskId.NotFound"),
    })
    .await;
    let images = server.clients().images;
    let here = region();
    let ids: Vec<_> = (0..20).map(|n| [format!("t-{n}")]).collect();
    let looks = ids.iter().map(|id| images.export_tasks(&here, id));
    let found = futures::future::try_join_all(looks).await.unwrap();
    assert!(found.iter().zip(&ids).all(|(task, id)| task[0].as_ref().unwrap().task_id == id[0]));
    assert_eq!(server.actions(), ["DescribeTasks"]);
}

#[tokio::test]
async fn one_task_costs_one_call_and_an_unknown_one_is_none() {
    let server = Replay::start(|seen| match seen.parameter("TaskId") {
        "t-1" => detail("t-1", "Processing"),
        _ => refusal(400, "InvalidTaskId.NotFound"),
    })
    .await;
    let images = server.clients().images;
    let known = images.export_tasks(&region(), &["t-1".into()]).await.unwrap();
    assert_eq!(known[0].as_ref().unwrap().state, ExportTaskState::Running);
    assert_eq!(images.export_tasks(&region(), &["t-2".into()]).await.unwrap(), [None]);
    assert_eq!(server.actions(), ["DescribeTaskAttribute"; 2]);
}

#[tokio::test]
async fn a_cancel_tells_accepted_ended_and_impossible_apart() {
    let server = Replay::start(|seen| match seen.parameter("TaskId") {
        "t-running" => json(200, value!({"RequestId": "R"})),
        "t-done" => refusal(403, "InvalidTaskId.IncorrectTaskStatus"),
        "t-other" => refusal(403, "InvalidTaskId.TaskActionNotSupport"),
        _ => refusal(400, "InvalidTaskId.NotFound"),
    })
    .await;
    let images = server.clients().images;
    let here = region();
    assert_eq!(images.cancel_export(&here, "t-running").await.unwrap(), CancelAnswer::Accepted);
    assert_eq!(images.cancel_export(&here, "t-done").await.unwrap(), CancelAnswer::AlreadyEnded);
    assert_eq!(images.cancel_export(&here, "t-other").await.unwrap(), CancelAnswer::Impossible);
    assert_eq!(images.cancel_export(&here, "t-unheard").await.unwrap_err().class, CallClass::NotFound);
}

#[tokio::test]
async fn a_check_makes_no_call_unless_trial_runs_are_on() {
    let server = Replay::start(|_| refusal(400, "DryRunOperation")).await;
    let mut config = server.config();
    AlibabaCloud::open(config.clone()).unwrap().images.check_export(&export()).await.unwrap();
    assert!(server.seen().is_empty());
    config.trial_runs = true;
    AlibabaCloud::open(config.clone()).unwrap().images.check_export(&export()).await.unwrap();
    assert_eq!(server.seen()[0].parameter("DryRun"), "true");
}

#[tokio::test]
async fn a_trial_run_tells_the_refusal_of_the_export() {
    let server = Replay::start(|_| refusal(403, "InvalidOSSBucket.EncryptUnsupported")).await;
    let mut config = server.config();
    config.trial_runs = true;
    let error = AlibabaCloud::open(config).unwrap().images.check_export(&export()).await.unwrap_err();
    assert_eq!(error.reason, Reason::BucketEncrypted);
}

#[tokio::test]
async fn an_export_that_a_trial_run_started_is_cancelled() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R", "TaskId": "t-1"}))).await;
    let mut config = server.config();
    config.trial_runs = true;
    let error = AlibabaCloud::open(config).unwrap().images.check_export(&export()).await.unwrap_err();
    assert_eq!(error.class, CallClass::UnknownOutcome);
    assert_eq!(server.actions(), ["ExportImage", "CancelTask"]);
    assert_eq!(server.seen()[1].parameter("TaskId"), "t-1");
}
