//! Facts about the share port, against answers in the vendor's form.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod replay;

use replay::{Answer, Replay, json, refusal};
use sampan_cloud::CallClass;
use sampan_cloud::share::ShareCall;
use sampan_core::{ImageId, Reason, Region};
use serde_json::json as value;

fn region() -> Region {
    "cn-hangzhou".parse().unwrap()
}

fn image() -> ImageId {
    "m-1".parse().unwrap()
}

fn call(add: &[&str], remove: &[&str]) -> ShareCall {
    let owned = |accounts: &[&str]| accounts.iter().map(|account| (*account).to_owned()).collect();
    ShareCall { add: owned(add), remove: owned(remove) }
}

#[tokio::test]
async fn a_change_adds_and_removes_as_the_vendors_client_asks() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R-9"}))).await;
    let changed = server.clients().shares.change_shares(&region(), &image(), &call(&["111", "222"], &["333"])).await;
    assert_eq!(changed.unwrap(), "R-9");
    let seen = &server.seen()[0];
    assert_eq!(seen.action(), "ModifyImageSharePermission");
    let sent: Vec<_> = seen.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // The line that was captured of it.
    let captured = "AddAccount.1=111&AddAccount.2=222&ImageId=m-1&RegionId=cn-hangzhou&RemoveAccount.1=333";
    assert_eq!(sent, captured.split('&').collect::<Vec<_>>());
}

#[tokio::test]
async fn accounts_that_the_vendor_would_silently_forget_are_refused_unsent() {
    let server = Replay::start(|_| json(200, value!({"RequestId": "R"}))).await;
    let shares = server.clients().shares;
    let ten = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    let eleven = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
    for refused in [call(&eleven, &[]), call(&[], &eleven), call(&[], &[])] {
        let error = shares.change_shares(&region(), &image(), &refused).await.unwrap_err();
        assert_eq!((error.class, error.attempts), (CallClass::Caller, 0));
    }
    shares.change_shares(&region(), &image(), &call(&ten, &ten)).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    assert_eq!(shares_traits(&server), (Some(10), true));
}

fn shares_traits(server: &Replay) -> (Option<usize>, bool) {
    let traits = server.clients().shares.share_traits();
    (traits.accounts_per_call, traits.adds_and_removes_at_once)
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_never_repeated() {
    for lost in [Answer::Cut, refusal(500, "InternalError")] {
        let server = Replay::start(move |_| lost.clone()).await;
        let error = server.clients().shares.change_shares(&region(), &image(), &call(&["111"], &[])).await.unwrap_err();
        assert_eq!((error.class, server.seen().len()), (CallClass::UnknownOutcome, 1));
    }
}

#[tokio::test]
async fn refusals_of_a_share_say_what_is_wrong_with_whom() {
    for (status, code, class, reason) in [
        (404, "InvalidAccount.NotFound", CallClass::NotFound, Reason::ShareAccountNotFound),
        (404, "InvalidAccount.Forbbiden", CallClass::Caller, Reason::ShareWithOwnAccount),
        (403, "QuotaExceed.ShareImageUser", CallClass::Caller, Reason::ShareQuotaSpent),
        (403, "InvalidOperation.ServiceKeyEncryptedImageUnsupported", CallClass::Caller, Reason::ImageNotShareable),
    ] {
        let server = Replay::start(move |_| refusal(status, code)).await;
        let error = server.clients().shares.change_shares(&region(), &image(), &call(&["111"], &[])).await.unwrap_err();
        assert_eq!((error.class, error.reason, error.code.as_deref()), (class, reason, Some(code)));
    }
}

/// Shows `all` accounts, at most `largest` a page whatever was asked for.
async fn sharing(all: u64, largest: u64, told: bool) -> Replay {
    Replay::start(move |seen| {
        let number = |name: &str| seen.parameter(name).parse::<u64>().unwrap();
        let size = number("PageSize").min(largest);
        let first = (number("PageNumber") - 1) * size;
        let page = (first..all.min(first + size))
            .map(|n| value!({"AliyunId": 1_000_000 + n, "SharedTime": "2026-11-20T10:00:00Z"}));
        let mut answer = value!({"RequestId": "R", "Accounts": {"Account": page.collect::<Vec<_>>()},
            "ShareGroups": {"ShareGroup": []}});
        if told {
            answer["TotalCount"] = value!(all);
        }
        json(200, answer)
    })
    .await
}

#[tokio::test]
async fn every_page_of_shares_is_read_however_large_the_vendor_makes_it() {
    for (largest, told, calls) in [(100, true, 3), (10, true, 12), (50, false, 4)] {
        let server = sharing(120, largest, told).await;
        let shares = server.clients().shares.shares(&region(), &image()).await.unwrap();
        assert_eq!((shares.len(), server.seen().len()), (120, calls), "{largest} {told}");
        assert_eq!((shares[0].account_id.as_str(), shares[119].account_id.as_str()), ("1000000", "1000119"));
        assert!(shares[0].since.is_some());
    }
}

#[tokio::test]
async fn an_image_without_shares_costs_one_call_and_a_missing_one_is_an_error() {
    let server = sharing(0, 100, true).await;
    assert_eq!(server.clients().shares.shares(&region(), &image()).await.unwrap(), []);
    assert_eq!(server.seen().len(), 1);
    let server = Replay::start(|_| refusal(404, "InvalidImageId.NotFound")).await;
    let error = server.clients().shares.shares(&region(), &image()).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::NotFound, Reason::ImageNotFound));
}
