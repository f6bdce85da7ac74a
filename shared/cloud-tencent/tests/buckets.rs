//! The bucket port over the wire.
#![allow(clippy::unwrap_used, reason = "tests")]

mod replay;

use std::time::Duration;

use jiff::SignedDuration;
use sampan_cloud::CallClass;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud_tencent::TencentCloud;
use sampan_cloud_tencent::credentials::CredentialSource;
use sampan_core::Reason;

use replay::{Replay, now, status, text};

fn bucket() -> BucketRef {
    BucketRef { name: "my-bucket-1250000000".to_owned(), region: "ap-guangzhou".parse().unwrap() }
}

fn document(code: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='utf-8' ?><Error><Code>{code}</Code><Message>as the vendor says</Message>\
         <Resource>my-bucket</Resource><RequestId>q-1</RequestId><TraceId>t</TraceId></Error>"
    )
}

#[tokio::test]
async fn a_bucket_is_found_with_its_region_and_the_vendors_clock() {
    let replay = Replay::start(|_| {
        status(200).with("x-cos-bucket-region", "ap-guangzhou").with("date", "Tue, 14 Nov 2023 22:13:20 GMT")
    })
    .await;
    let found = replay.open().buckets.head_bucket(&bucket()).await.unwrap().unwrap();
    assert_eq!((found.region.as_deref(), found.server_time), (Some("ap-guangzhou"), Some(now())));
    assert_eq!(replay.lines(), ["HEAD /my-bucket-1250000000/"]);
}

#[tokio::test]
async fn a_bucket_of_another_region_names_it() {
    let replay = Replay::start(|_| status(301).with("x-cos-bucket-region", "ap-beijing")).await;
    let found = replay.open().buckets.head_bucket(&bucket()).await.unwrap().unwrap();
    assert_eq!(found.region.as_deref(), Some("ap-beijing"));
}

#[tokio::test]
async fn a_bucket_that_is_absent_is_none_and_a_closed_one_an_error() {
    let replay = Replay::start(|_| status(404)).await;
    assert_eq!(replay.open().buckets.head_bucket(&bucket()).await.unwrap(), None);
    let replay = Replay::start(|_| status(403)).await;
    let error = replay.open().buckets.head_bucket(&bucket()).await.unwrap_err();
    assert_eq!(
        (error.class, error.reason, error.http_status),
        (CallClass::Permission, Reason::BucketNotAccessible, Some(403))
    );
}

#[tokio::test]
async fn an_object_is_read_from_its_headers() {
    let replay = Replay::start(|_| {
        status(200)
            .with("content-length", "53687091200")
            .with("etag", "\"aa259a62513358f69e98e72e59856d88-3\"")
            .with("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")
            .with("x-cos-hash-crc64ecma", "11051210869376104954")
            .with("x-cos-storage-class", "STANDARD_IA")
    })
    .await;
    let object = replay.open().buckets.head_object(&bucket(), "a b/镜.raw").await.unwrap().unwrap();
    assert_eq!((object.size_bytes, object.crc64), (53_687_091_200, Some(11_051_210_869_376_104_954)));
    assert_eq!((object.etag.as_str(), object.last_modified), ("aa259a62513358f69e98e72e59856d88-3", Some(now())));
    assert_eq!(object.storage_class.as_deref(), Some("STANDARD_IA"));
    assert_eq!(replay.lines(), ["HEAD /my-bucket-1250000000/a%20b/%E9%95%9C.raw"]);
}

#[tokio::test]
async fn an_object_that_kept_its_leading_slash_is_found_under_it() {
    let replay = Replay::start(|seen| match seen.target.ends_with("//img.raw") {
        true => status(200).with("content-length", "7"),
        false => status(404),
    })
    .await;
    let buckets = replay.open().buckets;
    assert_eq!(buckets.head_object(&bucket(), "img.raw").await.unwrap().unwrap().key, "/img.raw");
    assert_eq!(replay.lines(), ["HEAD /my-bucket-1250000000/img.raw", "HEAD /my-bucket-1250000000//img.raw"]);
    assert_eq!(buckets.head_object(&bucket(), "other.raw").await.unwrap(), None);
}

#[tokio::test]
async fn a_listing_goes_on_where_it_ended() {
    let replay = Replay::start(|_| {
        text(
            200,
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
             <NextMarker>p%20b</NextMarker><Contents><Key>p%20a</Key><Size>1</Size></Contents></ListBucketResult>",
        )
    })
    .await;
    let buckets = replay.open().buckets;
    let page = buckets.list_objects(&bucket(), "p ", None).await.unwrap();
    assert_eq!((page.objects[0].key.as_str(), page.next.as_deref()), ("p a", Some("p b")));
    buckets.list_objects(&bucket(), "p ", page.next.as_deref()).await.unwrap();
    assert_eq!(
        replay.lines()[1],
        "GET /my-bucket-1250000000/?prefix=p%20&marker=p%20b&max-keys=1000&encoding-type=url"
    );
}

#[tokio::test]
async fn faults_of_the_vendor_are_repeated_and_refusals_are_not() {
    for (code, http, class, attempts) in [
        ("InternalError", 500, CallClass::Transient, 3),
        ("SlowDown", 503, CallClass::Throttled, 3),
        ("AccessDenied", 403, CallClass::Permission, 1),
        ("NoSuchBucket", 404, CallClass::NotFound, 1),
        ("SignatureDoesNotMatch", 403, CallClass::Credentials, 1),
    ] {
        let replay = Replay::start(move |_| text(http, document(code))).await;
        let error = replay.open().buckets.list_objects(&bucket(), "", None).await.unwrap_err();
        assert_eq!((error.class, error.attempts, error.code.as_deref()), (class, attempts, Some(code)));
        assert_eq!((error.message.as_str(), error.request_id.as_deref()), ("as the vendor says", Some("q-1")));
    }
}

#[tokio::test]
async fn removing_what_is_not_there_is_no_error_unless_the_bucket_is_not() {
    for (answer, fits) in
        [(status(204), true), (text(404, document("NoSuchKey")), true), (text(404, document("NoSuchBucket")), false)]
    {
        let replay = Replay::start(move |_| answer.clone()).await;
        assert_eq!(replay.open().buckets.delete_object(&bucket(), "k").await.is_ok(), fits);
        assert_eq!(replay.lines(), ["DELETE /my-bucket-1250000000/k"]);
    }
}

#[tokio::test]
async fn an_address_is_made_without_a_call_and_hides_its_signature() {
    let replay = Replay::start(|_| status(500)).await;
    let mut config = replay.config(replay::keys());
    config.endpoints.cos = None;
    let buckets = TencentCloud::open(config).buckets;
    let made = buckets.presign_get(&bucket(), "nightly_xvda.raw", Duration::from_secs(3600)).await.unwrap();
    assert_eq!(
        made.url,
        "https://my-bucket-1250000000.cos.ap-guangzhou.myqcloud.com/nightly_xvda.raw?q-sign-algorithm=sha1\
         &q-ak=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&q-sign-time=1699999940%3B1700003600\
         &q-key-time=1699999940%3B1700003600&q-header-list=host&q-url-param-list=\
         &q-signature=1b6e6eda036841e570be8b9eae1981960d830bf4"
    );
    assert_eq!(made.expires, now() + SignedDuration::from_secs(3600));
    assert!(!format!("{made:?}").contains("q-signature") && replay.seen().is_empty());
}

#[tokio::test]
async fn an_address_with_a_token_carries_and_signs_it() {
    let replay = Replay::start(|_| status(500)).await;
    let keys = CredentialSource::Static {
        secret_id: replay::SECRET_ID.into(),
        secret_key: replay::SECRET_KEY.into(),
        token: Some("TKN/+=".into()),
    };
    let buckets = TencentCloud::open(replay.config(keys)).buckets;
    let url = buckets.presign_get(&bucket(), "k", Duration::from_secs(60)).await.unwrap().url;
    assert!(url.contains("q-url-param-list=x-cos-security-token&"), "{url}");
    assert!(url.ends_with("&x-cos-security-token=TKN%2F%2B%3D"), "{url}");
}

#[tokio::test]
async fn an_address_of_no_time_or_of_more_than_a_week_is_refused() {
    let replay = Replay::start(|_| status(500)).await;
    let buckets = replay.open().buckets;
    for seconds in [0, 7 * 24 * 3600 + 1] {
        let error = buckets.presign_get(&bucket(), "k", Duration::from_secs(seconds)).await.unwrap_err();
        assert_eq!((error.class, error.reason), (CallClass::Caller, Reason::NumberOutOfRange));
    }
    assert!(buckets.presign_get(&bucket(), "k", Duration::from_secs(7 * 24 * 3600)).await.is_ok());
}
