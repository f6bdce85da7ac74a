//! Published OSS signatures, recomputed.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::alibaba::acs3::sha256_hex;
use crate::alibaba::percent::decode_query;

const KEY: &str = "EcsExport_m-bp67acfmxazb4p0001_system.raw.tar.gz";
const DATE: &str = "Tue, 02 Jan 2024 03:04:05 GMT";
const TIMESTAMP: &str = "20240102T030405Z";
const SCOPE: &str = "LTAItestid/20240102/cn-hangzhou/oss/aliyun_v4_request";

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header name");
            (name, HeaderValue::from_str(value).expect("a header value"))
        })
        .collect()
}

fn v1(method: &str, key: &str, query: &str, lines: &[(&str, &str)], date: &str) -> String {
    let (query, headers) = (decode_query(query), headers(lines));
    let request = Signable { method, bucket: Some("example-bucket"), key, query: &query, headers: &headers };
    V1 { request, date }.signature("testsecret")
}

fn v4(method: &str, key: &str, query: &str, lines: &[(&str, &str)], credential: &str) -> (String, String) {
    let (query, headers) = (decode_query(query), headers(lines));
    let request = Signable { method, bucket: Some("example-bucket"), key, query: &query, headers: &headers };
    let credential = Credential::parse(credential).expect("a credential");
    let v4 = V4 { request, credential, timestamp: TIMESTAMP, additional_headers: &[] };
    (sha256_hex(v4.canonical_request().as_bytes()), v4.signature("testsecret"))
}

const V4_HEADERS: [(&str, &str); 2] = [("x-oss-content-sha256", "UNSIGNED-PAYLOAD"), ("x-oss-date", TIMESTAMP)];

#[test]
fn v1_head_of_an_object_matches() {
    assert_eq!(v1("HEAD", KEY, "", &[("date", DATE)], DATE), "IS1fkpnhSV7uaEL2TjKj1ldn1EI=");
}

#[test]
fn v1_bucket_info_matches_with_and_without_an_equals_sign() {
    assert_eq!(v1("GET", "", "bucketInfo", &[], DATE), "2rZWN0lsUMKW+RJBwoyVoKiQ5QQ=");
    assert_eq!(v1("GET", "", "bucketInfo=", &[], DATE), "2rZWN0lsUMKW+RJBwoyVoKiQ5QQ=");
}

#[test]
fn v1_signs_the_token_header() {
    let lines = [("x-oss-security-token", "STStoken")];
    assert_eq!(v1("HEAD", KEY, "", &lines, DATE), "ARjtk88aGcC3Ch3ySpJoXrCFPso=");
}

#[test]
fn v1_list_signs_the_empty_continuation_token_and_no_prefix() {
    let query = "list-type=2&prefix=Ecs&continuation-token=&delimiter=";
    assert_eq!(v1("GET", "", query, &[], DATE), "D4BK+CyaveJ6Ibd7ZtHb0MG9tmQ=");
}

#[test]
fn v1_presigned_url_has_its_expiry_in_the_place_of_the_date() {
    let query = "OSSAccessKeyId=LTAItestid&Expires=1704165245&Signature=ignored";
    assert_eq!(v1("GET", KEY, query, &[], "1704165245"), "p5tmNUImnrLklZMYdNhXWvGwvsY=");
}

#[test]
fn v4_head_of_an_object_matches() {
    let (hash, signature) = v4("HEAD", KEY, "", &V4_HEADERS, SCOPE);
    assert_eq!(hash, "e7d32608b43f960f0d9924c03b55fb2070920f8e2629ab9677ce20ca3f500453");
    assert_eq!(signature, "6de59c039ae92c13112848bb7bc5e84e17f6c58c6c1259aab7391d8a3cab553a");
}

#[test]
fn v4_bucket_info_matches_with_and_without_an_equals_sign() {
    for query in ["bucketInfo", "bucketInfo="] {
        let (hash, signature) = v4("GET", "", query, &V4_HEADERS, SCOPE);
        assert_eq!(hash, "1257fbdf904f114166e109ef0f398aea069b6a2eae67d249d21b194d4c5e20ca");
        assert_eq!(signature, "d2f715a363b3a7e8d7b118e7aa51118c136b1b1e2ab9572cafd77ae69dcc6b83");
    }
}

#[test]
fn v4_list_with_a_token_and_a_content_type_matches() {
    let mut lines = V4_HEADERS.to_vec();
    lines.extend([("content-type", "application/octet-stream"), ("x-oss-security-token", "STStoken")]);
    let scope = SCOPE.replace("LTAItestid", "STS.testid");
    let (hash, signature) = v4("GET", "", "list-type=2&prefix=dir%2Fx&encoding-type=url", &lines, &scope);
    assert_eq!(hash, "fe883b34272f66320394f2b2cd133677b840f909f44510abce56944ba8ebbb7b");
    assert_eq!(signature, "dea1510090ef8858cf4d7313289d6542a4cc074fbde7fec85904bc70f0b3dc23");
}

#[test]
fn v4_presigned_url_signs_its_query_and_no_headers() {
    let query = "x-oss-credential=LTAItestid%2F20240102%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&x-oss-date=20240102T030405Z&x-oss-expires=600&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=ignored";
    let (hash, signature) = v4("GET", KEY, query, &[], SCOPE);
    assert_eq!(hash, "10b595e29cc0aebc6ed0ee357cc237a7cd36f54bc3941b93447776d0b3b4bf5c");
    assert_eq!(signature, "c6823c93521fd761065b91834ea0fa7b7a11879e96ca62ead0050ecadae35038");
}

#[test]
fn v4_an_additional_header_changes_the_signature() {
    let headers = headers(&[("x-oss-date", TIMESTAMP), ("range", "bytes=0-3")]);
    let request = Signable { method: "GET", bucket: Some("example-bucket"), key: KEY, query: &[], headers: &headers };
    let credential = Credential::parse(SCOPE).expect("a credential");
    let range = ["range".to_owned()];
    let with = V4 { request, credential, timestamp: TIMESTAMP, additional_headers: &range };
    let without = V4 { request, credential, timestamp: TIMESTAMP, additional_headers: &[] };
    assert!(with.canonical_request().contains("\nrange:bytes=0-3\n"));
    assert!(!without.canonical_request().contains("range"));
    assert_ne!(with.signature("testsecret"), without.signature("testsecret"));
}

#[test]
fn a_credential_of_another_shape_is_refused() {
    for text in ["LTAItestid", "LTAItestid/20240102/cn-hangzhou/oss", "a/b/c/d/e", "a/b/c/oss/aliyun_v4_request/x"] {
        assert_eq!(Credential::parse(text), None, "{text}");
    }
}
