//! Credentials from the vendor's metadata service and from STS, over the wire.
#![allow(clippy::unwrap_used, reason = "tests")]

mod replay;

use jiff::SignedDuration;
use sampan_cloud::{CallClass, Clients};
use sampan_cloud_tencent::credentials::{CredentialSource, Role};
use sampan_cloud_tencent::{TencentCloud, TencentConfig};
use sampan_core::{Reason, Region};
use serde_json::json;

use replay::{Answer, Replay, Seen, api, api_error, keys, now, status, text};

fn region() -> Region {
    "ap-guangzhou".parse().unwrap()
}

/// A cloud that answers every call of CVM, and hands out keys by `issue`.
async fn cloud(issue: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Replay {
    Replay::start(move |seen| match seen.action() {
        "DescribeImageQuota" => api(json!({ "ImageNumQuota": 20 })),
        _ => issue(seen),
    })
    .await
}

fn issued(seconds: i64) -> serde_json::Value {
    json!({
        "Code": "Success", "TmpSecretId": "AKIDtmp", "TmpSecretKey": "tmpkey", "Token": "tmptoken",
        "ExpiredTime": now().as_second() + seconds,
    })
}

#[tokio::test]
async fn the_role_of_an_instance_is_asked_for_and_its_keys_are_kept() {
    let replay = cloud(|seen| match seen.target.as_str() {
        "/latest/meta-data/cam/security-credentials/" => text(200, "exporter"),
        "/latest/meta-data/cam/security-credentials/exporter" => text(200, issued(3600).to_string()),
        _ => status(500),
    })
    .await;
    let Clients { images, .. } = TencentCloud::open(replay.config(CredentialSource::CvmRole { role: None }));
    images.image_quota(&region()).await.unwrap();
    images.image_quota(&region()).await.unwrap();
    let seen = replay.seen();
    assert_eq!(seen.len(), 4, "{:?}", replay.lines());
    assert_eq!(seen[3].header("x-tc-token"), "tmptoken");
    assert!(seen[3].header("authorization").contains("Credential=AKIDtmp/2023-11-14/cvm/tc3_request"));
}

#[tokio::test]
async fn an_instance_without_a_role_has_no_credentials_and_nothing_is_sent() {
    let replay = cloud(|_| status(404)).await;
    let Clients { images, .. } = TencentCloud::open(replay.config(CredentialSource::CvmRole { role: None }));
    let error = images.image_quota(&region()).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Credentials, Reason::CloudCredentialsRejected));
    assert!(replay.actions().iter().all(String::is_empty));
}

#[tokio::test]
async fn a_role_is_assumed_with_a_call_of_sts_that_is_signed_for_it() {
    let replay = cloud(|seen| {
        assert_eq!(seen.action(), "AssumeRole");
        api(json!({ "Credentials": issued(7200), "ExpiredTime": now().as_second() + 7200 }))
    })
    .await;
    let role = Role::new("qcs::cam::uin/100000000001:roleName/exporter");
    let source = CredentialSource::AssumeRole { base: Box::new(keys()), role };
    TencentCloud::open(replay.config(source)).images.image_quota(&region()).await.unwrap();
    let seen = replay.seen();
    assert!(seen[0].header("authorization").contains("/2023-11-14/sts/tc3_request, SignedHeaders=content-type;host"));
    assert_eq!(
        seen[0].json(),
        json!({
            "RoleArn": "qcs::cam::uin/100000000001:roleName/exporter", "RoleSessionName": "sampan",
            "DurationSeconds": 7200,
        })
    );
    assert_eq!(seen[1].header("x-tc-token"), "tmptoken");
}

#[tokio::test]
async fn a_role_that_is_refused_is_told_with_the_vendors_code() {
    let replay = cloud(|_| api_error("UnauthorizedOperation")).await;
    let source = CredentialSource::AssumeRole { base: Box::new(keys()), role: Role::new("qcs::x") };
    let error = TencentCloud::open(replay.config(source)).images.image_quota(&region()).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Credentials, 1));
    assert!(error.message.contains("UnauthorizedOperation"), "{error}");
}

#[tokio::test]
async fn a_source_of_credentials_that_fails_for_a_moment_is_asked_again() {
    let asked = std::sync::atomic::AtomicU32::new(0);
    let replay = cloud(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => status(503),
        _ => text(200, issued(3600).to_string()),
    })
    .await;
    let source = CredentialSource::CvmRole { role: Some("exporter".to_owned()) };
    assert_eq!(TencentCloud::open(replay.config(source)).images.image_quota(&region()).await.unwrap(), Some(20));

    let replay = cloud(|_| api_error("InternalError")).await;
    let source = CredentialSource::AssumeRole { base: Box::new(keys()), role: Role::new("qcs::x") };
    let error = TencentCloud::open(replay.config(source)).images.image_quota(&region()).await.unwrap_err();
    assert_eq!((error.class, error.reason, error.attempts), (CallClass::Transient, Reason::CloudUnavailable, 3));
}

#[tokio::test]
async fn an_address_ends_with_the_credentials_that_signed_it() {
    let replay = cloud(|_| text(200, issued(1800).to_string())).await;
    let source = CredentialSource::CvmRole { role: Some("exporter".to_owned()) };
    let Clients { buckets, .. } = TencentCloud::open(replay.config(source));
    let bucket = sampan_cloud::bucket::BucketRef { name: "b-1".to_owned(), region: region() };
    let made = buckets.presign_get(&bucket, "k", std::time::Duration::from_secs(7200)).await.unwrap();
    assert_eq!(made.expires, now() + SignedDuration::from_secs(1800));
    assert!(made.url.contains("q-sign-time=1699999940%3B1700001800"), "{}", made.url);
}

async fn with_file(source: CredentialSource) -> (Replay, Result<Option<u64>, sampan_cloud::CallError>) {
    let replay = cloud(|_| status(404)).await;
    let config: TencentConfig = replay.config(source);
    let answer = TencentCloud::open(config).images.image_quota(&region()).await;
    (replay, answer)
}

#[tokio::test]
async fn keys_are_read_from_a_section_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials");
    let content = "[default]\nsecret_id = AKIDdefault\nsecret_key = k1\n\n[ci]\nsecret_id=AKIDci\nsecret_key=k=2\n";
    std::fs::write(&path, content).unwrap();
    let source = CredentialSource::File { path: Some(path.clone()), profile: "ci".to_owned() };
    let (replay, answer) = with_file(source).await;
    assert_eq!(answer.unwrap(), Some(20));
    assert!(replay.seen()[0].header("authorization").contains("Credential=AKIDci/"));

    let source = CredentialSource::File { path: Some(path), profile: "nobody".to_owned() };
    let (replay, answer) = with_file(source).await;
    assert_eq!(answer.unwrap_err().class, CallClass::Credentials);
    assert!(replay.seen().is_empty());
}

#[tokio::test]
async fn keys_with_blanks_around_them_are_refused_before_they_are_used() {
    let source = CredentialSource::Static { secret_id: "AKIDblank ".into(), secret_key: "k".into(), token: None };
    assert!(!format!("{source:?}").contains("AKIDblank"));
    let (replay, answer) = with_file(source).await;
    let error = answer.unwrap_err();
    assert_eq!((error.class, replay.seen().len()), (CallClass::Credentials, 0));
    assert!(error.message.contains("blanks") && !error.message.contains("AKIDblank"), "{error}");
}

#[tokio::test]
async fn nothing_that_can_be_shown_of_an_account_shows_its_keys() {
    let replay = cloud(|_| status(404)).await;
    let config = replay.config(keys());
    let shown = format!("{config:?}");
    let Clients { images, buckets, .. } = TencentCloud::open(config);
    for text in [shown, format!("{images:?}"), format!("{buckets:?}")] {
        assert!(!text.contains("AKID") && !text.contains("Gu5"), "{text}");
    }
}
