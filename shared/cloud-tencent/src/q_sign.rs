//! The q-sign signature of COS, in a header or in an address.
//!
//! Made here and not by `reqsign-tencent-cos`: its signer reads the machine's clock, which a test cannot hold
//! still, and writes the text that it signs to the log.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use reqsign_tencent_cos::Credential;
use sampan_cloud::stack::{ApiRequest, CredentialCache, SignError, Signer, encode};
use sampan_core::SharedClock;

use crate::digest::{hmac_sha1_hex, sha1_hex};

const TOKEN: HeaderName = HeaderName::from_static("x-cos-security-token");
/// Signatures begin this long before now, for clocks that run behind; the vendor's own clients do the same.
const SKEW_SECONDS: i64 = 60;
/// A signature of a request is good for this long; longer than any attempt.
const REQUEST_SECONDS: i64 = 900;
/// Headers that are signed when they are present, besides those that begin with `x-cos-` and `x-ci-`.
const SIGNED: [&str; 17] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-type",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "origin",
    "pic-operations",
    "range",
    "transfer-encoding",
];

/// Signs each attempt with the account's credentials and the clock's instant.
#[derive(Debug)]
pub(crate) struct CosSigner {
    pub(crate) credentials: Arc<CredentialCache<Credential>>,
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl Signer for CosSigner {
    async fn sign(&self, request: &ApiRequest, http: &mut http::Request<Bytes>) -> Result<(), SignError> {
        let credential = self.credentials.get().await?;
        if let Some(token) = credential.security_token.as_deref() {
            http.headers_mut().insert(TOKEN, secret(token)?);
        }
        let now = self.clock.now().as_second();
        let times = Times { start: now - SKEW_SECONDS, end: now + REQUEST_SECONDS };
        let signable = Signable {
            method: http.method(),
            path: http.uri().path(),
            query: &request.query,
            headers: &present(http.headers()),
        };
        let authorization = signable.authorization(&credential, times);
        http.headers_mut().insert(AUTHORIZATION, secret(&authorization)?);
        Ok(())
    }

    async fn renew(&self) -> bool {
        self.credentials.renew().await
    }
}

/// Unix seconds between which a signature is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Times {
    /// Returns the times of an address that works from `now` on for `seconds`.
    pub(crate) fn of_address(now: i64, seconds: i64) -> Self {
        Self { start: now - SKEW_SECONDS, end: now + seconds }
    }

    fn text(self) -> String {
        format!("{};{}", self.start, self.end)
    }
}

/// What a signature covers.
#[derive(Debug)]
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a Method,
    /// Path as on the wire, percent-encoded.
    pub(crate) path: &'a str,
    /// Query before percent-encoding.
    pub(crate) query: &'a [(String, String)],
    /// Headers, names in lower case.
    pub(crate) headers: &'a [(String, String)],
}

impl Signable<'_> {
    /// Returns the value of the `Authorization` header.
    pub(crate) fn authorization(&self, credential: &Credential, times: Times) -> String {
        let parts = self.parts(credential, times);
        parts.map(|(name, value)| format!("{name}={value}")).join("&")
    }

    /// Returns the query that makes an address work by itself, percent-encoded.
    pub(crate) fn query(&self, credential: &Credential, times: Times) -> String {
        let parts = self.parts(credential, times);
        parts.map(|(name, value)| format!("{name}={}", encode(&value))).join("&")
    }

    fn parts(&self, credential: &Credential, times: Times) -> [(&'static str, String); 7] {
        let times = times.text();
        let (headers, header_text) = list(self.headers);
        let (parameters, parameter_text) = list(self.query);
        let path = percent_decode_str(self.path).decode_utf8_lossy();
        let method = self.method.as_str().to_ascii_lowercase();
        let http_string = format!("{method}\n{path}\n{parameter_text}\n{header_text}\n");
        let string_to_sign = format!("sha1\n{times}\n{}\n", sha1_hex(http_string.as_bytes()));
        let key = hmac_sha1_hex(credential.secret_key.as_bytes(), times.as_bytes());
        [
            ("q-sign-algorithm", "sha1".to_owned()),
            ("q-ak", credential.secret_id.clone()),
            ("q-sign-time", times.clone()),
            ("q-key-time", times),
            ("q-header-list", headers),
            ("q-url-param-list", parameters),
            ("q-signature", hmac_sha1_hex(key.as_bytes(), string_to_sign.as_bytes())),
        ]
    }
}

/// Returns the sorted names, and the sorted `name=value` pairs, both percent-encoded with names in lower case.
fn list(pairs: &[(String, String)]) -> (String, String) {
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (encode(&name.to_lowercase()), encode(value))).collect();
    pairs.sort();
    let names = pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let text = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    (names, text)
}

/// Returns the headers that are signed.
fn present(headers: &HeaderMap) -> Vec<(String, String)> {
    let wanted = |name: &str| SIGNED.contains(&name) || name.starts_with("x-cos-") || name.starts_with("x-ci-");
    headers
        .iter()
        .filter(|(name, _)| wanted(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn secret(text: &str) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| SignError::Credentials("they hold characters that no header can carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
