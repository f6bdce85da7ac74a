//! Decides whether a TC3-HMAC-SHA256 signature is the one that the secret key makes.
//!
//! Only the arithmetic and the header's grammar are here; which error code a failure becomes, and whose key
//! it is, is decided by [`super::cvm::gate`].

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};

/// The algorithm's name, the first word of the header and of the string to sign.
const ALGORITHM: &str = "TC3-HMAC-SHA256";
/// The last part of the credential scope.
const TERMINATOR: &str = "tc3_request";
/// The value of `X-TC-Content-SHA256` that takes the body out of the signature.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The parts of an `Authorization: TC3-HMAC-SHA256 …` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    /// The id of the key pair.
    pub(crate) secret_id: String,
    /// UTC date of the timestamp, `YYYY-MM-DD`.
    pub(crate) date: String,
    /// The product, `cvm` or `cbs`.
    pub(crate) service: String,
    /// Names of the covered headers, lower case, in the order in which they were signed.
    pub(crate) signed_headers: Vec<String>,
    /// 64 lower-case hexadecimal digits.
    pub(crate) signature: String,
}

/// What of a request a signature covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Covered<'a> {
    /// `GET` or `POST`.
    pub(crate) method: &'a str,
    /// The query string exactly as it came, empty when there is none.
    pub(crate) query: &'a str,
    /// The headers, with their raw bytes.
    pub(crate) headers: &'a HeaderMap,
    /// The body exactly as it came.
    pub(crate) body: &'a [u8],
}

impl Authorization {
    /// Reads the header; `None` when it has another form (another algorithm, a missing or repeated part).
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let parts = header.trim().strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for part in parts.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        let scope: Vec<&str> = credential?.split('/').collect();
        let [secret_id, date, service, TERMINATOR] = scope[..] else {
            return None;
        };
        if secret_id.is_empty() || service.is_empty() {
            return None;
        }
        Some(Self {
            secret_id: secret_id.to_owned(),
            date: date.to_owned(),
            service: service.to_owned(),
            signed_headers: signed?.split(';').map(str::to_ascii_lowercase).collect(),
            signature: signature?.to_owned(),
        })
    }

    /// Tells whether `secret_key` makes this signature over `covered` at `timestamp` (unix seconds, as sent).
    ///
    /// A header that is listed as signed and absent from the request, or a list without `content-type` and
    /// `host`, never matches.
    pub(crate) fn matches(&self, secret_key: &str, timestamp: &str, covered: Covered<'_>) -> bool {
        let mandatory = ["content-type", "host"];
        if !mandatory.iter().all(|name| self.signed_headers.iter().any(|signed| signed == name)) {
            return false;
        }
        self.signature_with(secret_key, timestamp, covered).is_some_and(|expected| expected == self.signature)
    }

    fn signature_with(&self, secret_key: &str, timestamp: &str, covered: Covered<'_>) -> Option<String> {
        let canonical = sha256_hex(&canonical_request(&self.signed_headers, covered)?);
        let to_sign = format!("{ALGORITHM}\n{timestamp}\n{}/{}/{TERMINATOR}\n{canonical}", self.date, self.service);
        let key = signing_key(secret_key, &self.date, &self.service);
        Some(hex::encode(hmac_sha256(&key, to_sign.as_bytes())))
    }
}

fn canonical_request(signed_headers: &[String], covered: Covered<'_>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let query = if covered.method == "GET" { covered.query } else { "" };
    text.extend_from_slice(format!("{}\n/\n{query}\n", covered.method).as_bytes());
    for name in signed_headers {
        // Bytes, not text: some clients put things into Host that no URL parser would let through.
        let value = covered.headers.get(name.as_str())?.as_bytes().trim_ascii();
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        // Clients that sign the action sign it in lower case, whatever they send.
        if name == "x-tc-action" {
            text.extend(value.to_ascii_lowercase());
        } else {
            text.extend_from_slice(value);
        }
        text.push(b'\n');
    }
    text.extend_from_slice(format!("\n{}\n{}", signed_headers.join(";"), payload_hash(covered)).as_bytes());
    Some(text)
}

fn payload_hash(covered: Covered<'_>) -> String {
    let declared = covered.headers.get("x-tc-content-sha256").map(|value| value.as_bytes());
    if declared == Some(UNSIGNED_PAYLOAD.as_bytes()) {
        sha256_hex(UNSIGNED_PAYLOAD.as_bytes())
    } else if covered.method == "GET" {
        sha256_hex(b"")
    } else {
        sha256_hex(covered.body)
    }
}

fn signing_key(secret_key: &str, date: &str, service: &str) -> [u8; 32] {
    let date_key = hmac_sha256(format!("TC3{secret_key}").as_bytes(), date.as_bytes());
    let service_key = hmac_sha256(&date_key, service.as_bytes());
    hmac_sha256(&service_key, TERMINATOR.as_bytes())
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length; the fallback only keeps the signature of this function plain.
    Hmac::<Sha256>::new_from_slice(key).map_or([0; 32], |mac| mac.chain_update(text).finalize().into_bytes().into())
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
#[path = "tc3_tests.rs"]
mod tests;
