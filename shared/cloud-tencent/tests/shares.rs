//! The share port over the wire: what is asked, and what the vendor's answers become.
#![allow(clippy::unwrap_used, reason = "tests")]

mod replay;

use sampan_cloud::CallClass;
use sampan_cloud::share::ShareCall;
use sampan_core::{ImageId, Reason, Region};
use serde_json::json;

use replay::{Replay, api, api_error, status};

fn region() -> Region {
    "ap-guangzhou".parse().unwrap()
}

fn image() -> ImageId {
    "img-72n9mi0y".parse().unwrap()
}

fn numbers(count: u64) -> Vec<String> {
    (0..count).map(|index| (100_000_000_001 + index).to_string()).collect()
}

fn adding(count: u64) -> ShareCall {
    ShareCall { add: numbers(count), remove: Vec::new() }
}

#[tokio::test]
async fn one_call_shares_with_every_account_and_one_ends_every_share() {
    let replay = Replay::start(|_| api(json!({}))).await;
    let shares = replay.open().shares;
    assert_eq!(shares.change_shares(&region(), &image(), &adding(50)).await.unwrap(), "r-1");
    let ending = ShareCall { add: Vec::new(), remove: numbers(2) };
    shares.change_shares(&region(), &image(), &ending).await.unwrap();

    let seen = replay.seen();
    assert_eq!(replay.actions(), ["ModifyImageSharePermission"; 2]);
    assert_eq!(seen[0].json(), json!({ "ImageId": "img-72n9mi0y", "AccountIds": numbers(50), "Permission": "SHARE" }));
    assert_eq!(
        seen[1].json(),
        json!({ "ImageId": "img-72n9mi0y", "AccountIds": ["100000000001", "100000000002"], "Permission": "CANCEL" })
    );
}

#[tokio::test]
async fn a_share_that_is_there_already_is_done_for_one_account_and_told_for_several() {
    let replay = Replay::start(|_| api_error("FailedOperation.AccountAlreadyExists")).await;
    let shares = replay.open().shares;
    assert_eq!(shares.change_shares(&region(), &image(), &adding(1)).await.unwrap(), "r-1");
    let error = shares.change_shares(&region(), &image(), &adding(2)).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Caller, Reason::AlreadyShared));
}

#[tokio::test]
async fn a_share_whose_fate_is_unclear_is_sent_once() {
    for answer in [api_error("InternalError"), status(502)] {
        let replay = Replay::start(move |_| answer.clone()).await;
        let error = replay.open().shares.change_shares(&region(), &image(), &adding(3)).await.unwrap_err();
        assert_eq!((error.class, replay.seen().len()), (CallClass::UnknownOutcome, 1));
    }
}

#[tokio::test]
async fn refusals_of_a_share_say_what_is_wrong_with_whom() {
    for (code, class, reason) in [
        ("InvalidAccountId.NotFound", CallClass::NotFound, Reason::ShareAccountNotFound),
        ("FailedOperation.NotMasterAccount", CallClass::Caller, Reason::ShareAccountNotRoot),
        ("FailedOperation.AccountIsYourSelf", CallClass::Caller, Reason::ShareWithOwnAccount),
        ("OverQuota", CallClass::Caller, Reason::ShareQuotaSpent),
        ("LimitExceeded", CallClass::Quota, Reason::CloudQuotaSpent),
    ] {
        let replay = Replay::start(move |_| api_error(code)).await;
        let error = replay.open().shares.change_shares(&region(), &image(), &adding(1)).await.unwrap_err();
        assert_eq!((error.class, error.reason, replay.seen().len()), (class, reason, 1), "{code}");
    }
}

#[tokio::test]
async fn the_list_of_shares_is_read_in_one_call_and_again_when_it_fails() {
    let replay = Replay::start(|_| {
        api(json!({ "SharePermissionSet": [
            { "CreatedTime": "2026-11-20T10:00:00+00:00", "AccountId": "100000000002" }, { "AccountId": "900" },
        ]}))
    })
    .await;
    let shares = replay.open().shares.shares(&region(), &image()).await.unwrap();
    assert_eq!(shares.iter().map(|share| share.account_id.as_str()).collect::<Vec<_>>(), ["900", "100000000002"]);
    assert_eq!(shares[1].since, Some("2026-11-20T10:00:00Z".parse().unwrap()));
    assert_eq!(replay.seen()[0].json(), json!({ "ImageId": "img-72n9mi0y" }));

    let replay = Replay::start(|_| api_error("InternalError")).await;
    let error = replay.open().shares.shares(&region(), &image()).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Transient, 3));
}
