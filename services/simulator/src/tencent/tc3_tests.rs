//! The published vectors of TC3 (key pair `…EXAMPLE`, 2023-11-14) and two requests captured from the SDK and
//! from tccli, whose signatures their own code made.

use http::{HeaderMap, HeaderValue};

use super::{Authorization, Covered, canonical_request, sha256_hex, signing_key};

const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
const TIMESTAMP: &str = "1700000000";
const JSON: &str = "application/json";
const COMPACT: &str = r#"{"BucketName":"my-bucket-1250000000","ImageIds":["img-72n9mi0y"],"ExportFormat":"RAW","FileNamePrefixList":["nightly"],"DryRun":false}"#;
const SPACED: &str = r#"{"BucketName": "my-bucket-1250000000", "ImageIds": ["img-72n9mi0y"], "ExportFormat": "RAW", "FileNamePrefixList": ["nightly"], "DryRun": false}"#;

struct Vector {
    method: &'static str,
    query: &'static str,
    content_type: &'static str,
    host: &'static str,
    body: &'static str,
    extra: Option<(&'static str, &'static str)>,
    signed: &'static str,
    canonical: &'static str,
    signature: &'static str,
}

impl Default for Vector {
    fn default() -> Self {
        Self {
            method: "POST",
            query: "",
            content_type: JSON,
            host: "cvm.tencentcloudapi.com",
            body: "{}",
            extra: None,
            signed: "content-type;host",
            canonical: "",
            signature: "",
        }
    }
}

impl Vector {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(self.content_type));
        headers.insert("host", HeaderValue::from_static(self.host));
        if let Some((name, value)) = self.extra {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn authorization(&self) -> Authorization {
        let header = format!(
            "TC3-HMAC-SHA256 Credential={SECRET_ID}/2023-11-14/cvm/tc3_request, SignedHeaders={}, Signature={}",
            self.signed, self.signature
        );
        Authorization::parse(&header).expect("well formed")
    }

    fn check(&self) {
        let headers = self.headers();
        let covered = Covered { method: self.method, query: self.query, headers: &headers, body: self.body.as_bytes() };
        let authorization = self.authorization();
        let canonical = canonical_request(&authorization.signed_headers, covered).expect("all headers present");
        assert_eq!(sha256_hex(&canonical), self.canonical, "canonical request");
        assert!(authorization.matches(SECRET_KEY, TIMESTAMP, covered), "signature {}", self.signature);
        assert!(!authorization.matches("another key", TIMESTAMP, covered));
        assert!(!authorization.matches(SECRET_KEY, "1700000001", covered));
    }
}

#[test]
fn the_signing_key_is_the_published_one() {
    let key = signing_key(SECRET_KEY, "2023-11-14", "cvm");
    assert_eq!(hex::encode(key), "ccd0b3184f12b1f5b0384f27ec2857fcd01320d87e7e525005c345883331ab99");
}

#[test]
fn a_compact_export_body_verifies() {
    Vector {
        body: COMPACT,
        canonical: "f27d744997708cd0a70d26a7b24711df430e6e7910284f8238c93cabaf11389b",
        signature: "e7679f0818fdc13a5b9b78ab2716342682045b88be3fe5f15002f3e1a81993f6",
        ..Vector::default()
    }
    .check();
}

#[test]
fn a_body_with_spaces_verifies_as_sent() {
    Vector {
        body: SPACED,
        canonical: "2d450c142da178032c26f07ab308db20bbdb0c2cab81ee4cddc4e0847fc5083a",
        signature: "6497934380ef938dc5988860148ce2d86a5b16d5ad0e6617168607c300549be2",
        ..Vector::default()
    }
    .check();
}

#[test]
fn an_empty_object_verifies() {
    Vector {
        canonical: "b7511c2a57e10458e52fe57af7b28c25796fc538db71eef3b256d94528d8834d",
        signature: "c59084571626f953c54b1cb4d22392e56a9b23378f868f6ab9ccc63da5c4dc8a",
        ..Vector::default()
    }
    .check();
}

#[test]
fn a_get_with_a_query_verifies() {
    Vector {
        method: "GET",
        query: "Filters.0.Name=image-type&Filters.0.Values.0=PRIVATE_IMAGE&Limit=1&Offset=0",
        content_type: "application/x-www-form-urlencoded",
        body: "",
        canonical: "be5825776449ddedb3629680a3b7e88fb492d72ab583b8d2578072585f20af2f",
        signature: "c4d42886fa064c508e44733ae7922c5a2f1c45d11e31dafd01fc2d2001e80b00",
        ..Vector::default()
    }
    .check();
}

#[test]
fn an_unsigned_payload_verifies() {
    Vector {
        extra: Some(("x-tc-content-sha256", "UNSIGNED-PAYLOAD")),
        canonical: "08ca61ccea5c4f36a3d4ba244ffe6984977e068524eacd007c466f121f299ad6",
        signature: "a8e36d0b1df454dc226727011e1221aba29426d32be01122e0083f728f787e96",
        ..Vector::default()
    }
    .check();
}

#[test]
fn a_loopback_host_with_port_verifies() {
    Vector {
        host: "127.0.0.1:18081",
        canonical: "580cf8a4ac52f6a2d85ae4271d65cec10fe40350d52b6e2a5e1d86c8cdeec624",
        signature: "f6aa6d718f883f4c1b24a0993ae10ce1b68150767d2ebe47042af75b77ff0ff5",
        ..Vector::default()
    }
    .check();
}

#[test]
fn a_signed_action_is_compared_in_lower_case() {
    Vector {
        content_type: "application/json; charset=utf-8",
        extra: Some(("x-tc-action", "ExportImages")),
        signed: "content-type;host;x-tc-action",
        canonical: "357fe719d687da55c8f3f79b383b06f7a6e45b49755b3a5727eccba59f2f4044",
        signature: "924ea4fe26d598a2bdc298f73be6dbc1fae303e14d7fa4a2daecdf0e0bf180f1",
        ..Vector::default()
    }
    .check();
}

fn captured(host: &'static str, body: &str, timestamp: &str, signature: &str) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(JSON));
    headers.insert("host", HeaderValue::from_static(host));
    let header = format!(
        "TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2026-11-21/cvm/tc3_request, SignedHeaders=content-type;host, Signature={signature}"
    );
    let covered = Covered { method: "POST", query: "", headers: &headers, body: body.as_bytes() };
    Authorization::parse(&header).expect("well formed").matches("SECRETEXAMPLE", timestamp, covered)
}

#[test]
fn a_request_captured_from_the_python_sdk_verifies() {
    let body = r#"{"BucketName": "b-1250000000", "ImageIds": ["img-72n9mi0y"], "ExportFormat": "QCOW2", "FileNamePrefixList": ["\u9884p"], "OnlyExportRootDisk": false, "DryRun": true}"#;
    let signature = "3c1f24eca72abc6d8ecbee2e25fe882e8133f1cfcc702a41516f8c70147695d5";
    assert!(captured("127.0.0.1:18081", body, "1795264489", signature));
}

#[test]
fn a_request_captured_from_tccli_verifies_with_its_scheme_in_the_host() {
    let body = r#"{"ImageIds": ["img-o3ycss2p"], "DestinationRegions": ["ap-guangzhou", "ap-beijing"], "ImageSetRequired": true}"#;
    let signature = "ea0bab7ab714fe8f0bd7528d94c901abaf925ff2f76f0f4338e3c226e762cba3";
    assert!(captured("http://127.0.0.1:18081", body, "1795264899", signature));
    assert!(!captured("127.0.0.1:18081", body, "1795264899", signature));
}

#[test]
fn a_list_without_host_or_content_type_never_matches() {
    let vector = Vector { signed: "content-type", ..Vector::default() };
    let headers = vector.headers();
    let covered = Covered { method: "POST", query: "", headers: &headers, body: b"{}" };
    let mut authorization = vector.authorization();
    authorization.signature = authorization.signature_with(SECRET_KEY, TIMESTAMP, covered).expect("headers present");
    assert!(!authorization.matches(SECRET_KEY, TIMESTAMP, covered));
}

#[test]
fn headers_of_another_form_are_not_read() {
    let refused = [
        "",
        "SKIP",
        "TC3-HMAC-SHA256",
        "TC3-HMAC-SHA256 Credential=a/2023-11-14/cvm/tc3_request, SignedHeaders=host",
        "TC3-HMAC-SHA256 Credential=a/2023-11-14/cvm, SignedHeaders=host, Signature=0",
        "TC3-HMAC-SHA256 Credential=/2023-11-14/cvm/tc3_request, SignedHeaders=host, Signature=0",
        "TC3-HMAC-SHA256 Credential=a/d/cvm/tc3_request, Signature=0, Signature=1, SignedHeaders=host",
        "TC3-HMAC-SHA1 Credential=a/2023-11-14/cvm/tc3_request, SignedHeaders=host, Signature=0",
    ];
    for header in refused {
        assert_eq!(Authorization::parse(header), None, "{header}");
    }
}
