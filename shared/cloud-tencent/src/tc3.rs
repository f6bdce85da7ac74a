//! TC3-HMAC-SHA256: signs calls of the API.
//!
//! Pure from the instant and the key on. Where the key comes from is decided in [`crate::credentials`].

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use reqsign_tencent_cos::Credential;
use sampan_cloud::stack::{ApiRequest, CredentialCache, SignError, Signer};
use sampan_core::SharedClock;

use crate::digest::{hmac_sha256, sha256_hex};

const ALGORITHM: &str = "TC3-HMAC-SHA256";
/// What the body is replaced by when it is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNSIGNED_HEADER: &str = "x-tc-content-sha256";
const TIMESTAMP: HeaderName = HeaderName::from_static("x-tc-timestamp");
const TOKEN: HeaderName = HeaderName::from_static("x-tc-token");

/// Signs each attempt with the account's credentials and the clock's instant.
#[derive(Debug)]
pub(crate) struct Tc3Signer {
    pub(crate) credentials: Arc<CredentialCache<Credential>>,
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl Signer for Tc3Signer {
    async fn sign(&self, request: &ApiRequest, http: &mut http::Request<Bytes>) -> Result<(), SignError> {
        let credential = self.credentials.get().await?;
        sign(http, request.service, &credential, self.clock.now())
    }

    async fn renew(&self) -> bool {
        self.credentials.renew().await
    }
}

/// Adds `X-TC-Timestamp`, `X-TC-Token` where there is one, and `Authorization` to `http`.
///
/// Signs the headers `content-type` and `host`, as the vendor's own clients do; both must be present.
///
/// # Errors
/// [`SignError::Request`] when a header is missing or the credentials do not fit into one.
pub fn sign(
    http: &mut http::Request<Bytes>,
    service: &str,
    credential: &Credential,
    now: Timestamp,
) -> Result<(), SignError> {
    http.headers_mut().insert(TIMESTAMP, HeaderValue::from(now.as_second()));
    if let Some(token) = credential.security_token.as_deref() {
        http.headers_mut().insert(TOKEN, secret(token)?);
    }
    let canonical = canonical(http, &[CONTENT_TYPE.as_str(), HOST.as_str()])?;
    let authorization = authorization(&canonical, service, credential, now);
    http.headers_mut().insert(AUTHORIZATION, secret(&authorization)?);
    Ok(())
}

/// The canonical request and the names that are signed.
struct Canonical {
    text: String,
    signed: String,
}

fn canonical(http: &http::Request<Bytes>, names: &[&str]) -> Result<Canonical, SignError> {
    let mut headers = String::new();
    for name in names {
        let value = text(http.headers(), name)?;
        // The vendor lower-cases the value of the action alone.
        let value = if *name == "x-tc-action" { value.to_ascii_lowercase() } else { value.to_owned() };
        headers.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let query = http.uri().query().unwrap_or_default();
    let unsigned = http.headers().get(UNSIGNED_HEADER).is_some_and(|value| value == UNSIGNED);
    let payload = sha256_hex(if unsigned { UNSIGNED.as_bytes() } else { http.body() });
    let signed = names.join(";");
    Ok(Canonical { text: format!("{}\n/\n{query}\n{headers}\n{signed}\n{payload}", http.method()), signed })
}

fn authorization(canonical: &Canonical, service: &str, credential: &Credential, now: Timestamp) -> String {
    let date = now.strftime("%Y-%m-%d").to_string();
    let scope = format!("{date}/{service}/tc3_request");
    let digest = sha256_hex(canonical.text.as_bytes());
    let string_to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", now.as_second());
    let signature =
        hex::encode(hmac_sha256(&signing_key(&credential.secret_key, &date, service), string_to_sign.as_bytes()));
    format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
        credential.secret_id, canonical.signed
    )
}

fn signing_key(secret_key: &str, date: &str, service: &str) -> Vec<u8> {
    let day = hmac_sha256(format!("TC3{secret_key}").as_bytes(), date.as_bytes());
    hmac_sha256(&hmac_sha256(&day, service.as_bytes()), b"tc3_request")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, SignError> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| SignError::Request(format!("the header {name} is missing")))
}

fn secret(text: &str) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| SignError::Credentials("they hold characters that no header can carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
