//! Facts about the copy port, against answers in the vendor's form.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod replay;

use std::collections::BTreeMap;

use replay::{Answer, Replay, Seen, json, plain, refusal};
use sampan_cloud::copy::{CopiedImage, CopyCall, CopyState, Encryption};
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::{CallClass, CallError, Clients};
use sampan_cloud_alibaba::AlibabaCloud;
use sampan_core::{ImageId, Reason, Region};
use serde_json::{Value, json as value};

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn image(id: &str) -> ImageId {
    id.parse().unwrap()
}

fn copy() -> CopyCall {
    CopyCall {
        source: region("cn-hangzhou"),
        image: image("m-1"),
        destinations: vec![region("cn-shanghai")],
        name: Some("n".to_owned()),
        description: None,
        encryption: Some(Encryption { kms_key_id: Some("k".to_owned()) }),
        resource_group_id: None,
        tags: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        token: Some("tok".to_owned()),
    }
}

fn sent(seen: &Seen) -> Vec<String> {
    seen.query.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn with_trial_runs(server: &Replay) -> Clients {
    let mut config = server.config();
    config.trial_runs = true;
    AlibabaCloud::open(config).unwrap()
}

fn images(rows: &[Value]) -> Answer {
    json(200, value!({"RequestId": "R", "TotalCount": rows.len(), "Images": {"Image": rows}}))
}

#[tokio::test]
async fn a_copy_is_asked_for_at_its_source_as_the_vendors_client_asks() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R-9", "ImageId": "m-2"}))).await;
    let started = server.clients().copies.start_copy(&copy()).await.unwrap();
    assert_eq!(started.images, BTreeMap::from([(region("cn-shanghai"), image("m-2"))]));
    assert_eq!(started.request_id, "R-9");
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.action()), ("POST", "CopyImage"));
    // The line that was captured of it, but for the case of the flag.
    let captured = "ClientToken=tok&DestinationImageName=n&DestinationRegionId=cn-shanghai&Encrypted=true&ImageId=m-1\
                    &KMSKeyId=k&RegionId=cn-hangzhou&Tag.1.Key=a&Tag.1.Value=b";
    assert_eq!(sent(seen), captured.split('&').collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_not_chosen_is_left_to_the_vendor() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R", "ImageId": ""}))).await;
    let call = CopyCall { name: None, encryption: None, tags: BTreeMap::new(), token: None, ..copy() };
    let started = server.clients().copies.start_copy(&call).await.unwrap();
    assert!(started.images.is_empty(), "an image without an id is found by its name");
    assert_eq!(sent(&server.seen()[0]), ["DestinationRegionId=cn-shanghai", "ImageId=m-1", "RegionId=cn-hangzhou"]);
}

#[tokio::test]
async fn a_copy_to_several_destinations_is_refused_unsent() {
    let server = Replay::start(|_| refusal(500, "InternalError")).await;
    let copies = server.clients().copies;
    for destinations in [vec![], vec![region("cn-shanghai"), region("cn-beijing")]] {
        let error = copies.start_copy(&CopyCall { destinations, ..copy() }).await.unwrap_err();
        assert_eq!((error.class, error.attempts), (CallClass::Caller, 0));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_copy_whose_answer_is_lost_is_never_repeated_even_with_a_token() {
    for lost in [
        Answer::Cut,
        refusal(500, "InternalError"),
        refusal(503, "ServiceUnavailable"),
        plain(502, &[], "<html>Bad Gateway</html>"),
        plain(200, &[], "not json"),
    ] {
        let server = Replay::start({
            let lost = lost.clone();
            move |_| lost.clone()
        })
        .await;
        let error = server.clients().copies.start_copy(&copy()).await.unwrap_err();
        assert_eq!((error.class, server.seen().len()), (CallClass::UnknownOutcome, 1), "{lost:?}");
    }
}

#[tokio::test]
async fn a_throttled_copy_is_repeated_with_the_same_token() {
    let mut calls = 0;
    let server = Replay::start(move |_| {
        calls += 1;
        if calls == 1 { refusal(400, "Throttling.User") } else { json(200, value!({"ImageId": "m-2"})) }
    })
    .await;
    server.clients().copies.start_copy(&copy()).await.unwrap();
    let tokens: Vec<_> = server.seen().iter().map(|seen| seen.parameter("ClientToken").to_owned()).collect();
    assert_eq!(tokens, ["tok", "tok"]);
}

async fn refused_copy(status: u16, code: &'static str) -> CallError {
    let server = Replay::start(move |_| refusal(status, code)).await;
    let error = server.clients().copies.start_copy(&copy()).await.unwrap_err();
    assert_eq!(server.seen().len(), 1, "{code}");
    error
}

#[tokio::test]
async fn another_copy_of_the_image_is_waited_for_and_a_full_destination_is_not() {
    let conflict = refused_copy(400, "OperationDenied.ImageCopyConflict").await;
    assert_eq!((conflict.class, conflict.reason), (CallClass::Busy, Reason::CopyAlreadyRunning));
    let full = refused_copy(403, "QuotaExceed.Image").await;
    assert_eq!((full.class, full.reason), (CallClass::Caller, Reason::DestinationFull));
    let large = refused_copy(403, "SizeExceed.Image").await;
    assert_eq!((large.class, large.reason), (CallClass::Caller, Reason::ImageTooLargeToCopy));
}

#[tokio::test]
async fn a_check_makes_no_call_unless_trial_runs_are_on_and_never_uses_the_token_up() {
    let server = Replay::start(|_| refusal(400, "DryRunOperation")).await;
    server.clients().copies.check_copy(&copy()).await.unwrap();
    assert!(server.seen().is_empty());
    with_trial_runs(&server).copies.check_copy(&copy()).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.parameter("DryRun"), seen.parameter("ClientToken")), ("true", ""));

    let server = Replay::start(|_| refusal(403, "RegionNotSupportCopy")).await;
    let error = with_trial_runs(&server).copies.check_copy(&copy()).await.unwrap_err();
    assert_eq!(error.reason, Reason::RegionPairUnsupported);
}

#[tokio::test]
async fn a_copy_that_a_trial_run_started_is_cancelled_in_its_destination() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R", "ImageId": "m-2"}))).await;
    let error = with_trial_runs(&server).copies.check_copy(&copy()).await.unwrap_err();
    assert_eq!(error.class, CallClass::UnknownOutcome);
    assert_eq!(server.actions(), ["CopyImage", "CancelCopyImage"]);
    assert_eq!(sent(&server.seen()[1]), ["ImageId=m-2", "RegionId=cn-shanghai"]);
}

#[tokio::test]
async fn unfinished_copies_are_seen_and_their_looks_share_a_call() {
    let server = Replay::start(|_| {
        images(&[
            value!({"ImageId": "m-2", "Status": "Creating", "Progress": "37%", "IsCopied": true}),
            value!({"ImageId": "m-3", "Status": "Waiting", "Progress": "0%"}),
            value!({"ImageId": "m-4", "Status": "Available", "Progress": "100%"}),
        ])
    })
    .await;
    let (copies, here) = (server.clients().copies, region("cn-shanghai"));
    let ids = ["m-4", "m-2", "m-3"].map(image);
    let looks = ids.iter().map(|id| copies.copied_images(&here, std::slice::from_ref(id)));
    let found: Vec<_> = futures::future::try_join_all(looks).await.unwrap().into_iter().flatten().flatten().collect();
    let shown: Vec<_> = found.iter().map(|copied| (copied.image.id.as_str(), copied.state, copied.percent)).collect();
    assert_eq!(
        shown,
        [
            ("m-4", CopyState::Ready, Some(100)),
            ("m-2", CopyState::Copying, Some(37)),
            ("m-3", CopyState::Queued, Some(0)),
        ]
    );
    assert_eq!(found[1].is_copy, Some(true));
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].parameter("ImageId")), (1, "m-4,m-2,m-3"));
    assert_eq!(seen[0].parameter("Status"), "Waiting,Creating,Available,UnAvailable,CreateFailed,Deprecated");
    assert_eq!(seen[0].parameter("RegionId"), "cn-shanghai");
}

fn here(found: &[Option<CopiedImage>]) -> Vec<Option<&str>> {
    found.iter().map(|copied| copied.as_ref().map(|copied| copied.image.id.as_str())).collect()
}

#[tokio::test]
async fn an_image_that_is_gone_is_none_after_it_was_asked_for_alone() {
    let server = Replay::start(|seen| match seen.parameter("ImageId") {
        "m-2,m-3" => images(&[value!({"ImageId": "m-2", "Status": "Creating"})]),
        _ => images(&[]),
    })
    .await;
    let ids = ["m-2", "m-3"].map(image);
    let found = server.clients().copies.copied_images(&region("cn-shanghai"), &ids).await.unwrap();
    assert_eq!(here(&found), [Some("m-2"), None]);
    let asked: Vec<_> = server.seen().iter().map(|seen| seen.parameter("ImageId").to_owned()).collect();
    assert_eq!(asked, ["m-2,m-3", "m-3"]);
}

#[tokio::test]
async fn a_backend_that_takes_one_id_a_call_is_asked_for_each() {
    for several in [images(&[]), refusal(404, "InvalidImageId.NotFound"), refusal(400, "InvalidParameter")] {
        let server = Replay::start(move |seen| match seen.parameter("ImageId") {
            id if id.contains(',') => several.clone(),
            id => images(&[value!({"ImageId": id, "Status": "Creating"})]),
        })
        .await;
        let ids = ["m-2", "m-3"].map(image);
        let found = server.clients().copies.copied_images(&region("cn-shanghai"), &ids).await.unwrap();
        assert_eq!((here(&found), server.seen().len()), (vec![Some("m-2"), Some("m-3")], 3));
    }
}

#[tokio::test]
async fn a_look_that_fails_is_an_error_and_never_an_absent_image() {
    let server = Replay::start(|_| refusal(500, "InternalError")).await;
    let copies = server.clients().copies;
    for ids in [vec![image("m-2")], vec![image("m-2"), image("m-3")]] {
        let error = copies.copied_images(&region("cn-shanghai"), &ids).await.unwrap_err();
        assert_eq!((error.class, error.attempts), (CallClass::Transient, 3));
    }
}

#[tokio::test]
async fn images_of_a_name_are_found_on_every_page_exactly_and_oldest_first() {
    let server = Replay::start(|seen| {
        let row = |id: &str, name: &str, created: &str| {
            value!({"ImageId": id, "ImageName": name, "ImageOwnerAlias": "self", "Status": "Creating",
                "CreationTime": created})
        };
        let rows = match seen.parameter("PageNumber") {
            "1" => {
                let mut rows = vec![row("m-new", "web", "2026-11-20T10:00:00Z")];
                rows.extend((0..99).map(|n| row(&format!("m-o{n}"), "web-old", "2026-11-01T10:00:00Z")));
                rows
            }
            _ => vec![row("m-making", "web", ""), row("m-old", "web", "2026-11-19T10:00:00Z")],
        };
        json(200, value!({"RequestId": "R", "TotalCount": 102, "Images": {"Image": rows}}))
    })
    .await;
    let found = server.clients().copies.images_named(&region("cn-shanghai"), "web").await.unwrap();
    let ids: Vec<_> = found.iter().map(|copied| copied.image.id.as_str()).collect();
    assert_eq!(ids, ["m-old", "m-new", "m-making"]);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].parameter("ImageName"), seen[0].parameter("ImageOwnerAlias")), ("web", "self"));
    assert!(seen[0].parameter("Status").starts_with("Waiting,Creating,"));
}

#[tokio::test]
async fn own_images_are_counted_in_every_state_and_one_by_one_where_no_total_is_told() {
    let server = Replay::start(|_| json(200, value!({"TotalCount": "137", "Images": {"Image": []}}))).await;
    assert_eq!(server.clients().copies.count_images(&region("cn-shanghai")).await.unwrap(), 137);
    let seen = &server.seen()[0];
    assert_eq!(seen.parameter("ImageOwnerAlias"), "self");
    assert!(seen.parameter("Status").contains("Creating"));

    let server = Replay::start(|seen| {
        let rows = match seen.parameter("PageNumber") {
            "1" => 100,
            "2" => 7,
            _ => 0,
        };
        json(200, value!({"Images": {"Image": (0..rows).map(|n| value!({"ImageId": n})).collect::<Vec<_>>()}}))
    })
    .await;
    assert_eq!(server.clients().copies.count_images(&region("cn-shanghai")).await.unwrap(), 107);
}

#[tokio::test]
async fn regions_are_those_that_the_vendor_lists_sold_out_ones_too() {
    let server = Replay::start(|_| {
        json(
            200,
            value!({"RequestId": "R", "Regions": {"Region": [
            {"RegionId": "cn-hangzhou", "Status": "available", "LocalName": "x"},
            {"RegionId": "cn-qingdao", "Status": "soldOut"}, {"LocalName": "nameless"}]}}),
        )
    })
    .await;
    let regions = server.clients().copies.regions().await.unwrap();
    assert_eq!(regions, Some(vec![region("cn-hangzhou"), region("cn-qingdao")]));
    assert_eq!(server.actions(), ["DescribeRegions"]);
}

#[tokio::test]
async fn a_cancel_tells_accepted_ended_and_impossible_apart_and_is_sent_once() {
    for (answer, told) in [
        (json(200, value!({"RequestId": "R"})), CancelAnswer::Accepted),
        (refusal(400, "IncorrectImageStatus"), CancelAnswer::AlreadyEnded),
        (refusal(404, "InvalidImageId.NotFound"), CancelAnswer::AlreadyEnded),
        (refusal(400, "ImageCreatedNotFromCopy"), CancelAnswer::Impossible),
        (refusal(400, "CancelNotSupported"), CancelAnswer::Impossible),
    ] {
        let server = Replay::start(move |_| answer.clone()).await;
        let cancelled = server.clients().copies.cancel_copy(&region("cn-shanghai"), &image("m-2")).await;
        assert_eq!(cancelled.unwrap(), told);
        assert_eq!(sent(&server.seen()[0]), ["ImageId=m-2", "RegionId=cn-shanghai"]);
    }
    let server = Replay::start(|_| refusal(500, "InternalError")).await;
    let error = server.clients().copies.cancel_copy(&region("cn-shanghai"), &image("m-2")).await.unwrap_err();
    assert_eq!((error.class, server.seen().len()), (CallClass::UnknownOutcome, 1));
}

#[tokio::test]
async fn an_image_is_removed_unforced_and_one_that_is_gone_is_removed() {
    for answer in [json(200, value!({"RequestId": "R"})), refusal(404, "InvalidImageId.NotFound")] {
        let server = Replay::start(move |_| answer.clone()).await;
        server.clients().copies.delete_image(&region("cn-shanghai"), &image("m-2"), true).await.unwrap();
        assert_eq!(server.actions(), ["DeleteImage"]);
        assert_eq!(sent(&server.seen()[0]), ["ImageId=m-2", "RegionId=cn-shanghai"]);
    }
    for (code, class, reason) in [
        ("OperationDenied.ImageCopying", CallClass::Busy, Reason::CopyAlreadyRunning),
        ("ImageUseShared", CallClass::Caller, Reason::ImageStillShared),
        ("ImageUsingByInstance", CallClass::Caller, Reason::ImageInUse),
    ] {
        let server = Replay::start(move |_| refusal(403, code)).await;
        let removed = server.clients().copies.delete_image(&region("cn-shanghai"), &image("m-2"), false).await;
        let error = removed.unwrap_err();
        assert_eq!((error.class, error.reason), (class, reason), "{code}");
    }
}
