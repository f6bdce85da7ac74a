//! The published vectors of q-sign, made by the vendor's Python SDK with a frozen clock.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Covered, Signature};

const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
const TIME: &str = "1699999940;1700010000";
const HOST: &str = "my-bucket-1250000000.cos.ap-guangzhou.myqcloud.com";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static(HOST));
    for (name, value) in pairs {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"));
    }
    headers
}

fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

struct Vector<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'static str, &'a str)],
    lists: (&'a str, &'a str),
    signature: &'a str,
}

impl Vector<'_> {
    fn check(&self) {
        let (header_list, param_list) = self.lists;
        let authorization = format!(
            "q-sign-algorithm=sha1&q-ak={SECRET_ID}&q-sign-time={TIME}&q-key-time={TIME}&q-header-list={header_list}&q-url-param-list={param_list}&q-signature={}",
            self.signature
        );
        let mut headers = headers(self.headers);
        headers.insert("authorization", HeaderValue::from_str(&authorization).expect("a header value"));
        let query = query(self.query);
        let covered = Covered { method: self.method, path: self.path, query: &query, headers: &headers };
        let signature = Signature::of(covered).expect("signed").expect("well formed");
        assert_eq!(signature.secret_id, SECRET_ID);
        assert_eq!(signature.valid, (1_699_999_940, 1_700_010_000));
        assert!(signature.matches(SECRET_KEY, covered), "{}", self.signature);
        assert!(!signature.matches("another key", covered));
        assert!(!signature.matches(SECRET_KEY, Covered { path: "/another", ..covered }));
    }
}

#[test]
fn a_bucket_head_verifies() {
    Vector {
        method: "HEAD",
        path: "/",
        query: &[],
        headers: &[],
        lists: ("host", ""),
        signature: "faa719efc2f5ac962a9100eeab96ffba245ed55e",
    }
    .check();
}

#[test]
fn a_listing_verifies_with_its_empty_parameters() {
    let query =
        [("prefix", "nightly_"), ("delimiter", ""), ("marker", ""), ("max-keys", "100"), ("encoding-type", "url")];
    Vector {
        method: "GET",
        path: "/",
        query: &query,
        headers: &[],
        lists: ("host", "delimiter;encoding-type;marker;max-keys;prefix"),
        signature: "bcc881f1ee35c6589d6f54cd72148b2baeca7a73",
    }
    .check();
}

#[test]
fn a_ranged_get_verifies() {
    Vector {
        method: "GET",
        path: "/nightly_xvda.raw",
        query: &[],
        headers: &[("range", "bytes=0-1048575")],
        lists: ("host;range", ""),
        signature: "807c5c46c1428a3307f0f4ee202815c783eddf8e",
    }
    .check();
}

#[test]
fn a_key_beyond_ascii_and_a_token_verify() {
    Vector {
        method: "GET",
        path: "/a b/镜.raw",
        query: &[],
        headers: &[("x-cos-security-token", "TKN/+=")],
        lists: ("host;x-cos-security-token", ""),
        signature: "d7010ad625392256d138434dd72d9f89feeaac49",
    }
    .check();
}

#[test]
fn an_upload_verifies() {
    Vector {
        method: "PUT",
        path: "/k",
        query: &[],
        headers: &[("content-length", "5"), ("x-cos-storage-class", "STANDARD_IA")],
        lists: ("content-length;host;x-cos-storage-class", ""),
        signature: "3e805d097467f5098e11a1a1af2e54432d8d6c4e",
    }
    .check();
}

fn presigned(time: &str, params: &str, signature: &str) -> Vec<(String, String)> {
    query(&[
        ("q-sign-algorithm", "sha1"),
        ("q-ak", SECRET_ID),
        ("q-sign-time", time),
        ("q-key-time", time),
        ("q-header-list", "host"),
        ("q-url-param-list", params),
        ("q-signature", signature),
    ])
}

#[test]
fn a_presigned_url_verifies() {
    let query = presigned("1699999940;1700003600", "", "1b6e6eda036841e570be8b9eae1981960d830bf4");
    let headers = headers(&[]);
    let covered = Covered { method: "GET", path: "/nightly_xvda.raw", query: &query, headers: &headers };
    let signature = Signature::of(covered).expect("signed").expect("well formed");
    assert!(signature.matches(SECRET_KEY, covered));
    assert!(!signature.matches(SECRET_KEY, Covered { method: "PUT", ..covered }));
}

#[test]
fn a_presigned_url_with_signed_parameters_verifies() {
    let params = "response-content-type;x-cos-security-token";
    let mut pairs = presigned("1699999940;1700003600", params, "eccb6d5396b24bafd57ad0c4532215ba2d48dccd");
    pairs.extend(query(&[("response-content-type", "application/octet-stream"), ("x-cos-security-token", "TKN/+=")]));
    let headers = headers(&[]);
    let covered = Covered { method: "GET", path: "/k", query: &pairs, headers: &headers };
    let signature = Signature::of(covered).expect("signed").expect("well formed");
    assert!(signature.matches(SECRET_KEY, covered));
}

#[test]
fn the_port_of_the_host_may_be_left_out_of_the_signature() {
    let query = presigned("1699999940;1700003600", "", "1b6e6eda036841e570be8b9eae1981960d830bf4");
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_str(&format!("{HOST}:7402")).expect("a header value"));
    let covered = Covered { method: "GET", path: "/nightly_xvda.raw", query: &query, headers: &headers };
    assert!(Signature::of(covered).expect("signed").expect("well formed").matches(SECRET_KEY, covered));
}

#[test]
fn an_unsigned_request_and_a_broken_signature_are_told_apart() {
    let (none, some) = (headers(&[]), headers(&[("authorization", "q-sign-algorithm=sha1&q-ak=x")]));
    let covered = Covered { method: "GET", path: "/", query: &[], headers: &none };
    assert_eq!(Signature::of(covered), None);
    assert_eq!(Signature::of(Covered { headers: &some, ..covered }), Some(Err(())));
}
