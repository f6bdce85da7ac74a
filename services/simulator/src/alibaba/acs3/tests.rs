//! Published and captured ACS3 signatures, recomputed.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::alibaba::percent::decode_query;

const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a header name");
            (name, HeaderValue::from_str(value).expect("a header value"))
        })
        .collect()
}

struct Vector {
    query: &'static str,
    body: &'static str,
    headers: HeaderMap,
    signed: &'static str,
    secret: &'static str,
}

impl Vector {
    fn hash_and_signature(&self) -> (String, String) {
        let query = decode_query(self.query);
        let signed: Vec<&str> = self.signed.split(';').collect();
        let signable = Signable {
            method: "POST",
            query: &query,
            headers: &self.headers,
            signed_headers: &signed,
            body: self.body.as_bytes(),
        };
        let text = signable.string_to_sign();
        let hash = text.rsplit('\n').next().unwrap_or_default().to_owned();
        (hash, signature(self.secret, &text))
    }
}

fn export_image() -> Vector {
    Vector {
        query: "ImageFormat=qcow2&ImageId=m-bp67acfmxazb4p0001&OSSBucket=example-bucket&OSSPrefix=EcsExport&RegionId=cn-hangzhou",
        body: "",
        headers: headers(&[
            ("host", "ecs.cn-hangzhou.aliyuncs.com"),
            ("x-acs-action", "ExportImage"),
            ("x-acs-content-sha256", EMPTY_HASH),
            ("x-acs-date", "2024-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"),
            ("x-acs-version", "2014-05-26"),
        ]),
        signed: "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
        secret: "testsecret",
    }
}

#[test]
fn the_example_of_the_vendors_signature_page_matches() {
    let vector = Vector {
        query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
        body: "",
        headers: headers(&[
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", EMPTY_HASH),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ]),
        signed: "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
        secret: "YourAccessKeySecret",
    };
    let (hash, signature) = vector.hash_and_signature();
    assert_eq!(hash, "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
    assert_eq!(signature, "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
}

#[test]
fn an_export_matches() {
    let (hash, signature) = export_image().hash_and_signature();
    assert_eq!(hash, "00cf0ef514450552eb1479f9faa25cfff6a724761d6751de1802657aa691dd93");
    assert_eq!(signature, "8009e360cef2ad0e6a7a87fcba6e2cb6f1a092884176338475b96db05ce9472d");
}

#[test]
fn the_order_on_the_wire_of_query_and_signed_headers_does_not_matter() {
    let mut vector = export_image();
    vector.query = "RegionId=cn-hangzhou&OSSPrefix=EcsExport&OSSBucket=example-bucket&ImageId=m-bp67acfmxazb4p0001&ImageFormat=qcow2";
    vector.signed = "x-acs-version;x-acs-signature-nonce;x-acs-date;x-acs-content-sha256;x-acs-action;host";
    let (_, signature) = vector.hash_and_signature();
    assert_eq!(signature, "8009e360cef2ad0e6a7a87fcba6e2cb6f1a092884176338475b96db05ce9472d");
}

#[test]
fn another_secret_gives_another_signature() {
    let mut vector = export_image();
    vector.secret = "testsecreT";
    assert_ne!(vector.hash_and_signature().1, export_image().hash_and_signature().1);
}

#[test]
fn a_copy_with_a_token_and_hard_characters_matches() {
    let vector = Vector {
        query: "ClientToken=123e4567-e89b-12d3-a456-426655440000&DestinationImageName=Copy+of+a%2Ab~c+%E4%B8%AD&DestinationRegionId=cn-shanghai&ImageId=m-bp67acfmxazb4p0001&RegionId=cn-hangzhou&Tag.1.Key=k%2F1&Tag.1.Value=",
        body: "",
        headers: headers(&[
            ("host", "ecs.cn-hangzhou.aliyuncs.com"),
            ("accept", "application/json"),
            ("x-acs-accesskey-id", "STS.testid"),
            ("x-acs-security-token", "STStoken"),
            ("x-acs-action", "CopyImage"),
            ("x-acs-content-sha256", EMPTY_HASH),
            ("x-acs-date", "2024-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "fedcba9876543210fedcba9876543210"),
            ("x-acs-version", "2014-05-26"),
        ]),
        signed: "accept;host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version",
        secret: "testsecret",
    };
    let (hash, signature) = vector.hash_and_signature();
    assert_eq!(hash, "76744b161a1d82c56f94ece1172cc1817bdd3caff8e1ed3585f4e6b649276d31");
    assert_eq!(signature, "148566f175ff14e9fd054d662c74ae0f014da714849196db342a3717d63a0e69");
}

#[test]
fn a_form_body_is_signed_by_its_hash_and_not_as_query() {
    let mut vector = export_image();
    vector.query = "";
    vector.body = "RegionId=cn-hangzhou&TaskId=t-bp198jigq7l0h5ac0001";
    vector.headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    vector.headers.insert("x-acs-action", HeaderValue::from_static("DescribeTaskAttribute"));
    vector.headers.insert(
        "x-acs-content-sha256",
        HeaderValue::from_static("dcc3529838920a1ec626f272caed8c3d707c7173c06996ee4c9f47e1898b22da"),
    );
    vector.signed =
        "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
    let (hash, signature) = vector.hash_and_signature();
    assert_eq!(sha256_hex(vector.body.as_bytes()), "dcc3529838920a1ec626f272caed8c3d707c7173c06996ee4c9f47e1898b22da");
    assert_eq!(hash, "be531a61d875bf3799772a8457d2f87c66034365b45a758016dbd518978d9d22");
    assert_eq!(signature, "3f545f01e24dfdecfe826cc08a17ae81f225cd347e4618f6906dbee9098e6f35");
}

#[test]
fn a_line_captured_from_the_official_client_matches_with_its_port_and_extra_headers() {
    let vector = Vector {
        query: "DryRun=False&ImageFormat=qcow2&ImageId=m-1&OSSBucket=examplebucket&OSSPrefix=Ecs+Exp~ort%2A&RegionId=cn-hangzhou&RoleName=AliyunECSImageExportDefaultRole",
        body: "",
        headers: headers(&[
            ("host", "127.0.0.1:18099"),
            ("x-acs-version", "2014-05-26"),
            ("x-acs-action", "ExportImage"),
            ("user-agent", "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2"),
            ("x-acs-date", "2026-11-21T12:33:37Z"),
            ("x-acs-signature-nonce", "ebdb612dadda0b5e5e55d7fee773cb3d"),
            ("accept", "application/json"),
            ("x-acs-content-sha256", EMPTY_HASH),
            ("x-acs-credentials-provider", "static_ak"),
        ]),
        signed: "accept;host;user-agent;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version",
        secret: "testsecret",
    };
    let (_, signature) = vector.hash_and_signature();
    assert_eq!(signature, "75a74a08b3b2cbec0a68bf6a21f27d84d6c496ff6860a6717740b77cf7c13b19");
}

#[test]
fn an_authorization_is_read_with_and_without_spaces_and_refused_when_a_part_is_missing() {
    let tight = Authorization::parse("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;x-acs-date,Signature=ff");
    let loose = Authorization::parse("ACS3-HMAC-SHA256 Credential=a, SignedHeaders=host;x-acs-date, Signature=ff");
    assert!(tight.is_some());
    assert_eq!(tight, loose);
    assert_eq!(Authorization::parse("ACS3-HMAC-SHA256 Credential=a,Signature=ff"), None);
    assert_eq!(Authorization::parse("OSS a:b"), None);
}
