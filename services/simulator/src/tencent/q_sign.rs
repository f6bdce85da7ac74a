//! Decides whether a COS `q-sign` signature, in the header or in a presigned URL, is the one that the secret
//! key makes.
//!
//! Only the arithmetic and the grammar are here; the window is judged and the errors are named in
//! [`super::cos::gate`].

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::{Digest, Sha1};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Names of the seven parts, which are never covered themselves.
const PARTS: [&str; 7] =
    ["q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature"];

/// The seven parts of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The id of the key pair.
    pub(crate) secret_id: String,
    /// First and last second of the validity, unix time.
    pub(crate) valid: (i64, i64),
    sign_time: String,
    key_time: String,
    header_list: Vec<String>,
    param_list: Vec<String>,
    signature: String,
}

/// What of a request a signature can cover.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Covered<'a> {
    /// The method in any case.
    pub(crate) method: &'a str,
    /// The path of the request line, percent-decoded, with its leading slash.
    pub(crate) path: &'a str,
    /// The query, decoded, in any order; the parts of a presigned URL may be among them.
    pub(crate) query: &'a [(String, String)],
    /// The headers as they came.
    pub(crate) headers: &'a HeaderMap,
}

impl Signature {
    /// Reads the signature of a request: from `Authorization` when that header is there, else from the query.
    ///
    /// `None` means that there is none; `Some(Err(()))` that there is something that cannot be read.
    pub(crate) fn of(covered: Covered<'_>) -> Option<Result<Self, ()>> {
        if let Some(header) = covered.headers.get(http::header::AUTHORIZATION) {
            let Ok(text) = header.to_str() else {
                return Some(Err(()));
            };
            let items = text.split('&').filter_map(|item| item.trim().split_once('='));
            return Some(Self::from_items(items));
        }
        if !covered.query.iter().any(|(name, _)| name == "q-signature") {
            return None;
        }
        Some(Self::from_items(covered.query.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }

    fn from_items<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, ()> {
        let mut found: [Option<&str>; PARTS.len()] = [None; PARTS.len()];
        for (name, value) in items {
            if let Some(at) = PARTS.iter().position(|part| *part == name)
                && found[at].replace(value).is_some()
            {
                return Err(());
            }
        }
        let [Some("sha1"), Some(id), Some(sign_time), Some(key_time), Some(headers), Some(params), Some(signature)] =
            found
        else {
            return Err(());
        };
        let (start, end) = sign_time.split_once(';').ok_or(())?;
        Ok(Self {
            secret_id: id.to_owned(),
            valid: (start.parse().map_err(drop)?, end.parse().map_err(drop)?),
            sign_time: sign_time.to_owned(),
            key_time: key_time.to_owned(),
            header_list: list(headers),
            param_list: list(params),
            signature: signature.to_owned(),
        })
    }

    /// Tells whether `secret_key` makes this signature over `covered`.
    ///
    /// The host is tried as sent and without its port, because the vendor's own SDK leaves the port out on
    /// addresses that are not the vendor's.
    pub(crate) fn matches(&self, secret_key: &str, covered: Covered<'_>) -> bool {
        let host = covered.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let bare = host.rsplit_once(':').map_or(host, |(name, _)| name);
        [host, bare].iter().any(|host| self.signature_with(secret_key, covered, host) == self.signature)
    }

    fn signature_with(&self, secret_key: &str, covered: Covered<'_>, host: &str) -> String {
        let sign_key = hex::encode(hmac_sha1(secret_key.as_bytes(), self.key_time.as_bytes()));
        let digest = hex::encode(Sha1::digest(self.http_string(covered, host)));
        let to_sign = format!("sha1\n{}\n{digest}\n", self.sign_time);
        hex::encode(hmac_sha1(sign_key.as_bytes(), to_sign.as_bytes()))
    }

    fn http_string(&self, covered: Covered<'_>, host: &str) -> String {
        let params = self.param_list.iter().map(|name| {
            let found = covered.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            (name.as_str(), found.map_or("", |(_, value)| value.as_str()).to_owned())
        });
        let headers = self.header_list.iter().map(|name| {
            let value = match name.as_str() {
                "host" => host.to_owned(),
                other => covered
                    .headers
                    .get(other)
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                    .unwrap_or_default(),
            };
            (name.as_str(), value)
        });
        let (params, headers) = (encoded(params), encoded(headers));
        format!("{}\n{}\n{params}\n{headers}\n", covered.method.to_ascii_lowercase(), covered.path)
    }
}

/// Splits a list of names; names travel percent-encoded and count in lower case.
fn list(text: &str) -> Vec<String> {
    let decoded = |name: &str| percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
    text.split(';').filter(|name| !name.is_empty()).map(decoded).collect()
}

fn encoded<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut items: Vec<(String, String)> = pairs
        .map(|(name, value)| {
            let name = utf8_percent_encode(name, ENCODED).to_string().to_ascii_lowercase();
            (name, utf8_percent_encode(&value, ENCODED).to_string())
        })
        .collect();
    items.sort();
    items.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn hmac_sha1(key: &[u8], text: &[u8]) -> [u8; 20] {
    // HMAC takes keys of any length; the fallback only keeps the signature of this function plain.
    Hmac::<Sha1>::new_from_slice(key).map_or([0; 20], |mac| mac.chain_update(text).finalize().into_bytes().into())
}

#[cfg(test)]
#[path = "q_sign_tests.rs"]
mod tests;
