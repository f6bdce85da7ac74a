//! Facts about the bucket calls, against answers in the vendor's form.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod replay;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use replay::{Answer, Replay, now, plain};
use sampan_cloud::CallClass;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud_alibaba::AlibabaCloud;
use sampan_core::Reason;

const KEY: &str = "EcsExport_m-bp67acfmxazb4p0001_system.raw.tar.gz";

fn bucket() -> BucketRef {
    BucketRef { name: "example-bucket".into(), region: "cn-hangzhou".parse().unwrap() }
}

fn error_xml(code: &str, more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>{code}</Code>\n  <Message>no</Message>\n  \
         <RequestId>65A1</RequestId>\n  <HostId>h</HostId>\n  {more}<EC>0003-00000001</EC>\n</Error>\n"
    )
}

/// An error of a HEAD: no body, the document in a header.
fn head_error(status: u16, code: &str) -> Answer {
    plain(status, &[("x-oss-request-id", "65A2"), ("x-oss-err", &STANDARD.encode(error_xml(code, "")))], "")
}

fn bucket_info(rule: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BucketInfo>\n  <Bucket>\n    \
         <CreationDate>2013-07-31T10:56:21.000Z</CreationDate>\n    <ExtranetEndpoint>e</ExtranetEndpoint>\n    \
         <Location>oss-cn-hangzhou</Location>\n    <StorageClass>Standard</StorageClass>\n    <Name>b</Name>\n    \
         <Owner><DisplayName>o</DisplayName><ID>1</ID></Owner>\n    \
         <AccessControlList><Grant>private</Grant></AccessControlList>\n    {rule}\n  </Bucket>\n</BucketInfo>"
    );
    plain(200, &[("date", "Tue, 02 Jan 2024 03:04:07 GMT"), ("x-oss-request-id", "65A0")], &body)
}

#[tokio::test]
async fn a_bucket_tells_its_region_class_and_encryption() {
    for (rule, encrypted) in [
        ("<ServerSideEncryptionRule><SSEAlgorithm>None</SSEAlgorithm></ServerSideEncryptionRule>", Some(false)),
        ("<ServerSideEncryptionRule><SSEAlgorithm>KMS</SSEAlgorithm></ServerSideEncryptionRule>", Some(true)),
        ("", None),
    ] {
        let server = Replay::start(move |_| bucket_info(rule)).await;
        let found = server.clients().buckets.head_bucket(&bucket()).await.unwrap().unwrap();
        assert_eq!((found.region.as_deref(), found.storage_class.as_deref()), (Some("cn-hangzhou"), Some("Standard")));
        assert_eq!(found.encrypted, encrypted);
        assert_eq!(found.server_time, Some("2024-01-02T03:04:07Z".parse().unwrap()));
        let seen = &server.seen()[0];
        assert_eq!((seen.path.as_str(), seen.query.contains_key("bucketInfo")), ("/example-bucket/", true));
    }
}

#[tokio::test]
async fn an_absent_bucket_is_none_and_one_elsewhere_tells_its_region() {
    let server = Replay::start(|_| plain(404, &[], &error_xml("NoSuchBucket", ""))).await;
    assert_eq!(server.clients().buckets.head_bucket(&bucket()).await.unwrap(), None);

    let other = error_xml("AccessDenied", "<Endpoint>oss-cn-shanghai.aliyuncs.com</Endpoint>\n");
    let server = Replay::start(move |_| plain(403, &[], &other)).await;
    let found = server.clients().buckets.head_bucket(&bucket()).await.unwrap().unwrap();
    assert_eq!((found.region.as_deref(), found.encrypted), (Some("cn-shanghai"), None));
}

#[tokio::test]
async fn a_bucket_that_may_not_be_read_is_a_matter_of_permission() {
    let server = Replay::start(|_| plain(403, &[("x-oss-request-id", "65A1")], &error_xml("AccessDenied", ""))).await;
    let error = server.clients().buckets.head_bucket(&bucket()).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::Permission, Reason::BucketNotAccessible));
    assert_eq!((error.code.as_deref(), error.request_id.as_deref()), (Some("AccessDenied"), Some("65A1")));
}

#[tokio::test]
async fn an_object_tells_size_tag_time_and_checksum() {
    let headers = [
        ("etag", "\"5B3C1A2E053D763E1B002CC607C5A0FE\""),
        ("last-modified", "Tue, 02 Jan 2024 03:00:00 GMT"),
        ("x-oss-hash-crc64ecma", "11051210869376104954"),
        ("x-oss-storage-class", "Standard"),
    ];
    let server = Replay::start(move |_| plain(200, &headers, "123456789")).await;
    let found = server.clients().buckets.head_object(&bucket(), "dir/a b.raw").await.unwrap().unwrap();
    assert_eq!((found.key.as_str(), found.size_bytes), ("dir/a b.raw", 9));
    assert_eq!(
        (found.etag.as_str(), found.crc64),
        ("5B3C1A2E053D763E1B002CC607C5A0FE", Some(11_051_210_869_376_104_954))
    );
    assert_eq!(found.last_modified, Some("2024-01-02T03:00:00Z".parse().unwrap()));
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("HEAD", "/example-bucket/dir/a%20b.raw"));
}

#[tokio::test]
async fn a_missing_object_is_none_and_a_missing_bucket_is_not() {
    for absent in [head_error(404, "NoSuchKey"), plain(404, &[], "")] {
        let server = Replay::start(move |_| absent.clone()).await;
        assert_eq!(server.clients().buckets.head_object(&bucket(), KEY).await.unwrap(), None);
    }
    let server = Replay::start(|_| head_error(404, "NoSuchBucket")).await;
    let error = server.clients().buckets.head_object(&bucket(), KEY).await.unwrap_err();
    assert_eq!((error.reason, error.request_id.as_deref()), (Reason::BucketNotFound, Some("65A2")));
}

#[tokio::test]
async fn a_read_of_a_bucket_survives_a_fault_of_the_vendor() {
    let mut calls = 0;
    let server = Replay::start(move |_| {
        calls += 1;
        match calls {
            1 => plain(503, &[], &error_xml("ServiceUnavailable", "")),
            2 => Answer::Cut,
            _ => plain(200, &[], "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
        }
    })
    .await;
    server.clients().buckets.list_objects(&bucket(), "Ecs", None).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_listing_decodes_its_keys_and_goes_on_where_it_ended() {
    let page = |truncated: bool| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>b</Name><Prefix>Ecs</Prefix>\
             <MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>{}\
             <KeyCount>2</KeyCount>\
             <Contents><Key>Ecs%20a%2Fb%2B.raw</Key><LastModified>2024-01-02T03:00:00.000Z</LastModified>\
             <ETag>\"E1\"</ETag><Type>Normal</Type><Size>7</Size><StorageClass>Standard</StorageClass></Contents>\
             <Contents><Key>Ecs2</Key><LastModified>2024-01-02T03:00:01.000Z</LastModified><ETag>\"E2\"</ETag>\
             <Size>8</Size></Contents></ListBucketResult>",
            if truncated { "<NextContinuationToken>CgJiYw--</NextContinuationToken>" } else { "" }
        )
    };
    let server =
        Replay::start(move |seen| plain(200, &[], &page(seen.parameter("continuation-token").is_empty()))).await;
    let buckets = server.clients().buckets;
    let first = buckets.list_objects(&bucket(), "Ecs", None).await.unwrap();
    assert_eq!(first.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["Ecs a/b+.raw", "Ecs2"]);
    assert_eq!((first.objects[0].size_bytes, first.objects[0].etag.as_str()), (7, "E1"));
    assert_eq!(first.objects[1].last_modified, Some("2024-01-02T03:00:01Z".parse().unwrap()));
    let last = buckets.list_objects(&bucket(), "Ecs", first.next.as_deref()).await.unwrap();
    assert_eq!(last.next, None);
    let seen = server.seen();
    assert_eq!((seen[0].parameter("list-type"), seen[0].parameter("prefix")), ("2", "Ecs"));
    assert_eq!(seen[1].parameter("continuation-token"), "CgJiYw--");
}

#[tokio::test]
async fn an_empty_listing_has_no_objects() {
    let body =
        "<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>";
    let server = Replay::start(move |_| plain(200, &[], body)).await;
    let page = server.clients().buckets.list_objects(&bucket(), "none", None).await.unwrap();
    assert!(page.objects.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn a_removal_is_done_whether_or_not_there_was_an_object() {
    for answer in [plain(204, &[], ""), plain(404, &[], &error_xml("NoSuchKey", ""))] {
        let server = Replay::start(move |_| answer.clone()).await;
        server.clients().buckets.delete_object(&bucket(), KEY).await.unwrap();
        assert_eq!(server.seen()[0].method, http::Method::DELETE);
    }
}

#[tokio::test]
async fn a_signed_url_is_made_without_a_call_and_hides_its_signature() {
    let server = Replay::start(|_| plain(500, &[], "")).await;
    let url = server.clients().buckets.presign_get(&bucket(), KEY, Duration::from_secs(600)).await.unwrap();
    assert!(url.url.starts_with(&format!("http://127.0.0.1:{}/example-bucket/{KEY}?", server.port)), "{}", url.url);
    assert!(url.url.contains("x-oss-credential=LTAItestid%2F20240102%2Fcn-hangzhou%2Foss%2Faliyun_v4_request"));
    assert!(url.url.ends_with("x-oss-signature=c6823c93521fd761065b91834ea0fa7b7a11879e96ca62ead0050ecadae35038"));
    assert_eq!(url.expires.as_second(), now().as_second() + 600);
    assert!(!format!("{url:?}").contains("x-oss-signature"));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_bucket_in_the_host_is_called_and_signed_there() {
    let server = Replay::start(|_| plain(200, &[("etag", "\"E\"")], "x")).await;
    let mut config = server.config();
    config.endpoints.oss = Some(format!("http://{{bucket}}.oss.localhost:{}", server.port));
    let buckets = AlibabaCloud::open(config).unwrap().buckets;
    assert!(buckets.head_object(&bucket(), KEY).await.unwrap().is_some());
    let seen = &server.seen()[0];
    assert_eq!(seen.path, format!("/{KEY}"));
    assert_eq!(seen.header("host"), format!("example-bucket.oss.localhost:{}", server.port));
}
