//! Recomputes ACS3-HMAC-SHA256, the signature of the current ECS clients ("V3").
//!
//! Time window, nonce and key lookup belong to `ecs::auth`.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::percent::canonical_query;

/// The word that opens the `Authorization` header and the string to sign.
pub(super) const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// The three parts of an `Authorization: ACS3-HMAC-SHA256 …` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    /// Access key id after `Credential=`.
    pub(super) access_key_id: &'a str,
    /// Lower-case names after `SignedHeaders=`, as sent.
    pub(super) signed_headers: Vec<&'a str>,
    /// Hex text after `Signature=`.
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header; `None` when a part is missing or empty.
    pub(super) fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?.trim_start();
        let part = |name: &str| {
            rest.split(',')
                .filter_map(|item| item.trim().split_once('='))
                .find(|(key, value)| *key == name && !value.is_empty())
                .map(|(_, value)| value)
        };
        Some(Self {
            access_key_id: part("Credential")?,
            signed_headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }
}

/// What of a request the signature covers.
pub(super) struct Signable<'a> {
    /// Upper-case HTTP method.
    pub(super) method: &'a str,
    /// Decoded query of the URL; never the form body.
    pub(super) query: &'a [(String, String)],
    /// Headers as they arrived, the host with its port.
    pub(super) headers: &'a HeaderMap,
    /// Names that the client says it signed; no set is assumed.
    pub(super) signed_headers: &'a [&'a str],
    /// Body bytes as they arrived.
    pub(super) body: &'a [u8],
}

impl Signable<'_> {
    /// The text whose hash is signed.
    pub(super) fn canonical_request(&self) -> String {
        let mut names = self.signed_headers.to_vec();
        names.sort_unstable();
        let headers: String =
            names.iter().map(|name| format!("{name}:{}\n", header_text(self.headers, name))).collect();
        let query = canonical_query(self.query);
        let signed = names.join(";");
        let payload = sha256_hex(self.body);
        format!("{}\n/\n{query}\n{headers}\n{signed}\n{payload}", self.method)
    }

    /// Algorithm word and hash of the canonical request.
    pub(super) fn string_to_sign(&self) -> String {
        format!("{ALGORITHM}\n{}", sha256_hex(self.canonical_request().as_bytes()))
    }
}

/// Lower-case hex HMAC-SHA256 of `string_to_sign` under the secret itself; no derived key.
pub(super) fn signature(secret: &str, string_to_sign: &str) -> String {
    hex::encode(hmac_sha256(secret.as_bytes(), string_to_sign.as_bytes()))
}

/// HMAC-SHA256, which the OSS V4 signature chains too.
pub(super) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length, so the error arm cannot be reached.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// Lower-case hex SHA-256.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A header's trimmed text; several of one name are joined with commas, an absent one is empty.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<String> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).collect();
    values.join(",")
}

#[cfg(test)]
mod tests;
