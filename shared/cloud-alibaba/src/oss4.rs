//! Signs OSS requests and URLs: OSS4-HMAC-SHA256.
//!
//! Written here because the signer of `reqsign-aliyun-oss` takes the time from the machine instead of a clock that
//! can be held still, and finds the bucket by the host alone, which fails for endpoints under other names.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use jiff::Timestamp;
use reqsign_aliyun_oss::Credential;

use crate::acs3::{Unsignable, authority, header, secret_header};
use crate::digest::{hmac_sha256, sha256_hex};
use crate::percent;

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-oss-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-oss-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-oss-security-token");

/// What a request is about; its address on the wire may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The bucket.
    pub bucket: String,
    /// The object; empty for the bucket itself.
    pub key: String,
    /// Region word of the scope, such as `cn-hangzhou`.
    pub region: String,
}

impl Resource {
    fn canonical_uri(&self) -> String {
        format!("/{}/{}", self.bucket, percent::encode_path(&self.key))
    }

    fn scope(&self, at: Timestamp) -> String {
        format!("{}/{}/oss/aliyun_v4_request", at.strftime("%Y%m%d"), self.region)
    }
}

/// Signs `parts`: sets the host, date, digest, token and authorization headers.
///
/// # Errors
/// [`Unsignable`] when a credential holds characters that a header cannot carry; `parts` is unusable then.
pub fn sign(parts: &mut Parts, resource: &Resource, keys: &Credential, at: Timestamp) -> Result<(), Unsignable> {
    let date = iso(at);
    let headers = &mut parts.headers;
    headers.insert(HOST, header(&authority(&parts.uri))?);
    headers.insert(CONTENT_SHA256, header(UNSIGNED)?);
    headers.insert(DATE, header(&date)?);
    if let Some(token) = token(keys) {
        headers.insert(SECURITY_TOKEN, secret_header(token)?);
    }
    let query = percent::decode_query(parts.uri.query().unwrap_or_default());
    let canonical = canonical_request(&parts.method, resource, &query, &canonical_headers(&parts.headers));
    let authorization = format!(
        "{ALGORITHM} Credential={}/{},Signature={}",
        keys.access_key_id,
        resource.scope(at),
        signature(&canonical, resource, keys, at)
    );
    parts.headers.insert(AUTHORIZATION, secret_header(&authorization)?);
    Ok(())
}

/// Returns the query by which a URL carries `method` on `resource` without credentials, signature included.
///
/// - `valid_for`: whole seconds, at most 7 days.
pub fn presign(
    method: &Method,
    resource: &Resource,
    keys: &Credential,
    at: Timestamp,
    valid_for: Duration,
) -> Vec<(String, String)> {
    let mut query = vec![
        ("x-oss-credential".to_owned(), format!("{}/{}", keys.access_key_id, resource.scope(at))),
        ("x-oss-date".to_owned(), iso(at)),
        ("x-oss-expires".to_owned(), valid_for.as_secs().to_string()),
        ("x-oss-signature-version".to_owned(), ALGORITHM.to_owned()),
    ];
    if let Some(token) = token(keys) {
        query.push((SECURITY_TOKEN.to_string(), token.to_owned()));
    }
    let canonical = canonical_request(method, resource, &query, "");
    query.push(("x-oss-signature".to_owned(), signature(&canonical, resource, keys, at)));
    query
}

fn token(keys: &Credential) -> Option<&str> {
    keys.security_token.as_deref().filter(|token| !token.is_empty())
}

fn iso(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn canonical_headers(headers: &HeaderMap) -> String {
    let signed = |name: &HeaderName| {
        name == CONTENT_TYPE || name.as_str() == "content-md5" || name.as_str().starts_with("x-oss-")
    };
    let mut lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| signed(name))
        .map(|(name, value)| format!("{name}:{}\n", value.to_str().unwrap_or_default().trim()))
        .collect();
    lines.sort();
    lines.concat()
}

fn canonical_request(method: &Method, resource: &Resource, query: &[(String, String)], headers: &str) -> String {
    let mut pairs: Vec<_> = query.iter().map(|(name, value)| (percent::encode(name), percent::encode(value))).collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    format!("{method}\n{}\n{}\n{headers}\n\n{UNSIGNED}", resource.canonical_uri(), pairs.join("&"))
}

fn signature(canonical: &str, resource: &Resource, keys: &Credential, at: Timestamp) -> String {
    let hash = sha256_hex(canonical.as_bytes());
    let text = format!("{ALGORITHM}\n{}\n{}\n{hash}", iso(at), resource.scope(at));
    let secret = format!("aliyun_v4{}", keys.access_key_secret);
    let day = at.strftime("%Y%m%d").to_string();
    let key = [day.as_str(), resource.region.as_str(), "oss", "aliyun_v4_request"]
        .into_iter()
        .fold(secret.into_bytes(), |key, step| hmac_sha256(&key, step.as_bytes()));
    hex::encode(hmac_sha256(&key, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "EcsExport_m-bp67acfmxazb4p0001_system.raw.tar.gz";

    fn keys(id: &str, token: Option<&str>) -> Credential {
        Credential {
            access_key_id: id.into(),
            access_key_secret: "testsecret".into(),
            security_token: token.map(Into::into),
            expires_in: None,
        }
    }

    fn resource(key: &str) -> Resource {
        Resource { bucket: "example-bucket".into(), key: key.into(), region: "cn-hangzhou".into() }
    }

    fn at() -> Timestamp {
        "2024-01-02T03:04:05Z".parse().unwrap()
    }

    /// Returns the hash of the canonical request and the signature that `sign` made.
    fn signed(request: http::request::Builder, key: &str, keys: &Credential) -> (String, String) {
        let mut parts = request.body(()).unwrap().into_parts().0;
        sign(&mut parts, &resource(key), keys, at()).unwrap();
        let query = percent::decode_query(parts.uri.query().unwrap_or_default());
        let canonical = canonical_request(&parts.method, &resource(key), &query, &canonical_headers(&parts.headers));
        let text = parts.headers[AUTHORIZATION].to_str().unwrap();
        (sha256_hex(canonical.as_bytes()), text.rsplit("Signature=").next().unwrap().to_owned())
    }

    #[test]
    fn a_look_at_an_object_is_signed_the_same_at_every_address() {
        for host in ["https://example-bucket.oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:7404/example-bucket"] {
            let request = http::Request::head(format!("{host}/{KEY}"));
            let (canonical, signature) = signed(request, KEY, &keys("LTAItestid", None));
            assert_eq!(canonical, "e7d32608b43f960f0d9924c03b55fb2070920f8e2629ab9677ce20ca3f500453");
            assert_eq!(signature, "6de59c039ae92c13112848bb7bc5e84e17f6c58c6c1259aab7391d8a3cab553a");
        }
    }

    #[test]
    fn a_bare_parameter_is_signed_without_an_equals_sign() {
        for query in ["bucketInfo", "bucketInfo="] {
            let request = http::Request::get(format!("https://example-bucket.oss-cn-hangzhou.aliyuncs.com/?{query}"));
            let (canonical, signature) = signed(request, "", &keys("LTAItestid", None));
            assert_eq!(canonical, "1257fbdf904f114166e109ef0f398aea069b6a2eae67d249d21b194d4c5e20ca");
            assert_eq!(signature, "d2f715a363b3a7e8d7b118e7aa51118c136b1b1e2ab9572cafd77ae69dcc6b83");
        }
    }

    #[test]
    fn a_listing_with_a_security_token_is_signed() {
        let request = http::Request::get(
            "https://example-bucket.oss-cn-hangzhou.aliyuncs.com/?list-type=2&prefix=dir%2Fx&encoding-type=url",
        )
        .header("content-type", "application/octet-stream");
        let (canonical, signature) = signed(request, "", &keys("STS.testid", Some("STStoken")));
        assert_eq!(canonical, "fe883b34272f66320394f2b2cd133677b840f909f44510abce56944ba8ebbb7b");
        assert_eq!(signature, "dea1510090ef8858cf4d7313289d6542a4cc074fbde7fec85904bc70f0b3dc23");
    }

    #[test]
    fn a_url_for_ten_minutes_carries_the_vendors_signature() {
        let query = presign(&Method::GET, &resource(KEY), &keys("LTAItestid", None), at(), Duration::from_secs(600));
        let value = |name: &str| query.iter().find(|(other, _)| other == name).unwrap().1.clone();
        assert_eq!(value("x-oss-credential"), "LTAItestid/20240102/cn-hangzhou/oss/aliyun_v4_request");
        assert_eq!(value("x-oss-signature"), "c6823c93521fd761065b91834ea0fa7b7a11879e96ca62ead0050ecadae35038");
    }

    #[test]
    fn the_token_is_part_of_a_signed_url() {
        let plain = presign(&Method::GET, &resource(KEY), &keys("a", None), at(), Duration::from_secs(600));
        let session = presign(&Method::GET, &resource(KEY), &keys("a", Some("t")), at(), Duration::from_secs(600));
        assert!(session.contains(&("x-oss-security-token".into(), "t".into())));
        assert_ne!(plain.last(), session.last());
    }
}
