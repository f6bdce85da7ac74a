//! Signs ECS requests: ACS3-HMAC-SHA256.
//!
//! The date and the nonce come from the caller, so that every attempt of a call carries fresh ones. OSS has a
//! signature of its own, in `oss4`.

use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use jiff::Timestamp;
use reqsign_aliyun_oss::Credential;

use crate::digest::{hmac_sha256, sha256_hex};
use crate::percent;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-acs-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-acs-date");
const NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
const ACCESS_KEY_ID: HeaderName = HeaderName::from_static("x-acs-accesskey-id");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-acs-security-token");

/// A text that cannot be a header, such as a key with a line break in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the credentials or the address hold characters that no header can carry")]
pub struct Unsignable;

/// Signs `parts` with the body `body`: sets the host, date, nonce, digest, token and authorization headers.
///
/// - `at`: the date that the vendor compares with its own clock, 15 minutes at most apart.
/// - `nonce`: unique per attempt; the vendor refuses a second use.
///
/// # Errors
/// [`Unsignable`] when a credential holds characters that a header cannot carry; `parts` is unusable then.
pub fn sign(parts: &mut Parts, body: &[u8], keys: &Credential, at: Timestamp, nonce: &str) -> Result<(), Unsignable> {
    let digest = sha256_hex(body);
    let headers = &mut parts.headers;
    headers.insert(HOST, header(&authority(&parts.uri))?);
    headers.insert(CONTENT_SHA256, header(&digest)?);
    headers.insert(DATE, header(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())?);
    headers.insert(NONCE, header(nonce)?);
    if let Some(token) = keys.security_token.as_deref().filter(|token| !token.is_empty()) {
        headers.insert(ACCESS_KEY_ID, header(&keys.access_key_id)?);
        headers.insert(SECURITY_TOKEN, secret_header(token)?);
    }
    let names = signed_names(headers);
    let authorization = authorization(parts, &digest, &names, keys);
    parts.headers.insert(AUTHORIZATION, secret_header(&authorization)?);
    Ok(())
}

/// Names of the headers that are signed: those that the rule demands and the accepted format, sorted. Headers that
/// proxies or tracing may add or change stay out.
fn signed_names(headers: &HeaderMap) -> Vec<&'static str> {
    const OURS: [&str; 10] = [
        "accept",
        "content-type",
        "host",
        "x-acs-accesskey-id",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-security-token",
        "x-acs-signature-nonce",
        "x-acs-version",
    ];
    OURS.into_iter().filter(|name| headers.contains_key(*name)).collect()
}

fn authorization(parts: &Parts, digest: &str, names: &[&str], keys: &Credential) -> String {
    let canonical = canonical_request(parts, digest, names);
    let text = format!("{ALGORITHM}\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hex::encode(hmac_sha256(keys.access_key_secret.as_bytes(), text.as_bytes()));
    format!("{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}", keys.access_key_id, names.join(";"))
}

fn canonical_request(parts: &Parts, digest: &str, names: &[&str]) -> String {
    let mut query = percent::decode_query(parts.uri.query().unwrap_or_default());
    query.sort();
    let query = percent::encode_query(query.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut headers = String::new();
    for name in names {
        let value = parts.headers.get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        headers.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let path = parts.uri.path();
    format!("{}\n{path}\n{query}\n{headers}\n{}\n{digest}", parts.method, names.join(";"))
}

/// Host as it travels: with the port, unless it is the scheme's own.
pub(crate) fn authority(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    match (uri.scheme_str(), uri.port_u16()) {
        (Some("https"), Some(443)) | (Some("http"), Some(80)) | (_, None) => host.to_owned(),
        (_, Some(port)) => format!("{host}:{port}"),
    }
}

pub(crate) fn header(text: &str) -> Result<HeaderValue, Unsignable> {
    HeaderValue::from_str(text).map_err(|_| Unsignable)
}

pub(crate) fn secret_header(text: &str) -> Result<HeaderValue, Unsignable> {
    let mut value = header(text)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn keys(id: &str, secret: &str, token: Option<&str>) -> Credential {
        Credential {
            access_key_id: id.into(),
            access_key_secret: secret.into(),
            security_token: token.map(Into::into),
            expires_in: None,
        }
    }

    fn request(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let builder = http::Request::post(uri);
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        builder.header("x-acs-version", "2014-05-26").body(()).unwrap().into_parts().0
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Returns the hash of the canonical request and the signature that `sign` made.
    fn signed(mut parts: Parts, body: &str, keys: &Credential, at: &str, nonce: &str) -> (String, String) {
        sign(&mut parts, body.as_bytes(), keys, instant(at), nonce).unwrap();
        let text = parts.headers[AUTHORIZATION].to_str().unwrap().to_owned();
        let names: Vec<_> =
            text.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap().split(';').collect();
        let digest = parts.headers[&CONTENT_SHA256].to_str().unwrap();
        let canonical = sha256_hex(canonical_request(&parts, digest, &names).as_bytes());
        (canonical, text.rsplit("Signature=").next().unwrap().to_owned())
    }

    #[test]
    fn the_vendors_own_example_comes_out() {
        let uri = "https://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd\
                   &RegionId=cn-shanghai";
        let parts = request(uri, &[("x-acs-action", "RunInstances")]);
        let keys = keys("YourAccessKeyId", "YourAccessKeySecret", None);
        let (canonical, signature) =
            signed(parts, "", &keys, "2023-10-26T10:22:32Z", "3156853299f313e23d1673dc12e1703d");
        assert_eq!(canonical, "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
        assert_eq!(signature, "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
    }

    #[test]
    fn an_export_call_is_signed_as_the_sdk_does() {
        let uri = "https://ecs.cn-hangzhou.aliyuncs.com/?RegionId=cn-hangzhou&ImageFormat=qcow2\
                   &ImageId=m-bp67acfmxazb4p0001&OSSBucket=example-bucket&OSSPrefix=EcsExport";
        let parts = request(uri, &[("x-acs-action", "ExportImage")]);
        let keys = keys("LTAItestid", "testsecret", None);
        let (canonical, signature) =
            signed(parts, "", &keys, "2024-01-02T03:04:05Z", "0123456789abcdef0123456789abcdef");
        assert_eq!(canonical, "00cf0ef514450552eb1479f9faa25cfff6a724761d6751de1802657aa691dd93");
        assert_eq!(signature, "8009e360cef2ad0e6a7a87fcba6e2cb6f1a092884176338475b96db05ce9472d");
    }

    #[test]
    fn a_security_token_and_hard_characters_are_signed() {
        let query = percent::encode_query([
            ("ClientToken", "123e4567-e89b-12d3-a456-426655440000"),
            ("DestinationImageName", "Copy of a*b~c 中"),
            ("DestinationRegionId", "cn-shanghai"),
            ("ImageId", "m-bp67acfmxazb4p0001"),
            ("RegionId", "cn-hangzhou"),
            ("Tag.1.Key", "k/1"),
            ("Tag.1.Value", ""),
        ]);
        let uri = format!("https://ecs.cn-hangzhou.aliyuncs.com/?{query}");
        let parts = request(&uri, &[("x-acs-action", "CopyImage"), ("accept", "application/json")]);
        let keys = keys("STS.testid", "testsecret", Some("STStoken"));
        let (canonical, signature) =
            signed(parts, "", &keys, "2024-01-02T03:04:05Z", "fedcba9876543210fedcba9876543210");
        assert_eq!(canonical, "76744b161a1d82c56f94ece1172cc1817bdd3caff8e1ed3585f4e6b649276d31");
        assert_eq!(signature, "148566f175ff14e9fd054d662c74ae0f014da714849196db342a3717d63a0e69");
    }

    #[test]
    fn a_form_body_is_signed_by_its_digest() {
        let parts = request(
            "https://ecs.cn-hangzhou.aliyuncs.com/",
            &[("x-acs-action", "DescribeTaskAttribute"), ("content-type", "application/x-www-form-urlencoded")],
        );
        let keys = keys("LTAItestid", "testsecret", None);
        let body = "RegionId=cn-hangzhou&TaskId=t-bp198jigq7l0h5ac0001";
        let (canonical, signature) =
            signed(parts, body, &keys, "2024-01-02T03:04:05Z", "0123456789abcdef0123456789abcdef");
        assert_eq!(canonical, "be531a61d875bf3799772a8457d2f87c66034365b45a758016dbd518978d9d22");
        assert_eq!(signature, "3f545f01e24dfdecfe826cc08a17ae81f225cd347e4618f6906dbee9098e6f35");
    }

    #[test]
    fn a_line_captured_from_the_official_client_verifies() {
        let names = [
            ("accept", "application/json"),
            ("host", "127.0.0.1:18099"),
            ("user-agent", "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2"),
            ("x-acs-action", "ExportImage"),
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-credentials-provider", "static_ak"),
            ("x-acs-date", "2026-11-21T12:33:37Z"),
            ("x-acs-signature-nonce", "ebdb612dadda0b5e5e55d7fee773cb3d"),
        ];
        let query = percent::encode_query([
            ("DryRun", "False"),
            ("ImageFormat", "qcow2"),
            ("ImageId", "m-1"),
            ("OSSBucket", "examplebucket"),
            ("OSSPrefix", "Ecs Exp~ort*"),
            ("RegionId", "cn-hangzhou"),
            ("RoleName", "AliyunECSImageExportDefaultRole"),
        ]);
        let parts = request(&format!("http://127.0.0.1:18099/?{query}"), &names);
        let mut signed: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        signed.push("x-acs-version");
        let text = authorization(&parts, EMPTY, &signed, &keys("LTAItestid", "testsecret", None));
        assert!(text.ends_with("Signature=75a74a08b3b2cbec0a68bf6a21f27d84d6c496ff6860a6717740b77cf7c13b19"), "{text}");
    }

    #[test]
    fn the_host_carries_a_port_only_where_it_is_not_the_schemes_own() {
        assert_eq!(authority(&"https://ecs.example:443/".parse().unwrap()), "ecs.example");
        assert_eq!(authority(&"http://127.0.0.1:7403/".parse().unwrap()), "127.0.0.1:7403");
    }

    #[test]
    fn secrets_are_marked_so_that_no_log_shows_them() {
        let mut parts = request("https://ecs.example/", &[]);
        sign(&mut parts, b"", &keys("id", "secret", Some("token")), instant("2024-01-02T03:04:05Z"), "n").unwrap();
        assert!(parts.headers[AUTHORIZATION].is_sensitive() && parts.headers[&SECURITY_TOKEN].is_sensitive());
        let bad = keys("id\nx", "secret", None);
        assert_eq!(sign(&mut parts, b"", &bad, instant("2024-01-02T03:04:05Z"), "n"), Err(Unsignable));
    }
}
