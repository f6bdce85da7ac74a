//! The vectors of the vendor's own signer, with its clock at 1700000000.

use super::*;

const HOST: &str = "my-bucket-1250000000.cos.ap-guangzhou.myqcloud.com";
const TIMES: Times = Times { start: 1_699_999_940, end: 1_700_010_000 };

fn credential() -> Credential {
    Credential {
        secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".to_owned(),
        secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".to_owned(),
        ..Credential::default()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn authorization(method: Method, path: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> String {
    let headers = [&[("host", HOST)], headers].concat();
    let signable = Signable { method: &method, path, query: &pairs(query), headers: &pairs(&headers) };
    signable.authorization(&credential(), TIMES)
}

#[test]
fn looking_a_bucket_up() {
    assert_eq!(
        authorization(Method::HEAD, "/", &[], &[]),
        "q-sign-algorithm=sha1&q-ak=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&q-sign-time=1699999940;1700010000\
         &q-key-time=1699999940;1700010000&q-header-list=host&q-url-param-list=\
         &q-signature=faa719efc2f5ac962a9100eeab96ffba245ed55e"
    );
}

#[test]
fn listing_signs_every_parameter_empty_ones_too() {
    let query =
        [("prefix", "nightly_"), ("delimiter", ""), ("marker", ""), ("max-keys", "100"), ("encoding-type", "url")];
    let text = authorization(Method::GET, "/", &query, &[]);
    assert!(text.contains("q-url-param-list=delimiter;encoding-type;marker;max-keys;prefix&"), "{text}");
    assert!(text.ends_with("q-signature=bcc881f1ee35c6589d6f54cd72148b2baeca7a73"), "{text}");
}

#[test]
fn a_ranged_read() {
    let text = authorization(Method::GET, "/nightly_xvda.raw", &[], &[("range", "bytes=0-1048575")]);
    assert!(text.contains("q-header-list=host;range&"), "{text}");
    assert!(text.ends_with("q-signature=807c5c46c1428a3307f0f4ee202815c783eddf8e"), "{text}");
}

#[test]
fn a_hard_key_is_signed_decoded_and_the_token_is_signed_with_it() {
    let text = authorization(Method::GET, "/a%20b/%E9%95%9C.raw", &[], &[("x-cos-security-token", "TKN/+=")]);
    assert!(text.ends_with("q-signature=d7010ad625392256d138434dd72d9f89feeaac49"), "{text}");
}

#[test]
fn a_write_signs_length_and_storage_class() {
    let headers = [("content-length", "5"), ("x-cos-storage-class", "STANDARD_IA")];
    let text = authorization(Method::PUT, "/k", &[], &headers);
    assert!(text.ends_with("q-signature=3e805d097467f5098e11a1a1af2e54432d8d6c4e"), "{text}");
}

#[test]
fn an_address_that_works_by_itself() {
    let headers = pairs(&[("host", HOST)]);
    let signable = Signable { method: &Method::GET, path: "/nightly_xvda.raw", query: &[], headers: &headers };
    assert_eq!(
        signable.query(&credential(), Times::of_address(1_700_000_000, 3600)),
        "q-sign-algorithm=sha1&q-ak=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&q-sign-time=1699999940%3B1700003600\
         &q-key-time=1699999940%3B1700003600&q-header-list=host&q-url-param-list=\
         &q-signature=1b6e6eda036841e570be8b9eae1981960d830bf4"
    );
}

#[test]
fn an_address_signs_the_token_and_what_it_asks_for() {
    let query = pairs(&[("response-content-type", "application/octet-stream"), ("x-cos-security-token", "TKN/+=")]);
    let headers = pairs(&[("host", HOST)]);
    let signable = Signable { method: &Method::GET, path: "/k", query: &query, headers: &headers };
    let text = signable.query(&credential(), Times::of_address(1_700_000_000, 3600));
    assert!(text.contains("q-url-param-list=response-content-type%3Bx-cos-security-token&"), "{text}");
    assert!(text.ends_with("q-signature=eccb6d5396b24bafd57ad0c4532215ba2d48dccd"), "{text}");
}

#[test]
fn only_the_headers_of_the_list_are_signed() {
    let mut headers = HeaderMap::new();
    for name in ["host", "range", "x-cos-meta-a", "user-agent", "accept"] {
        headers.insert(name, "v".parse().unwrap());
    }
    let mut names: Vec<_> = present(&headers).into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["host", "range", "x-cos-meta-a"]);
}
