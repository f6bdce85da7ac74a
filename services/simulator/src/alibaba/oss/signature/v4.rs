//! OSS V4 (OSS4-HMAC-SHA256): a canonical request under a key derived from date, region and product.

use super::Signable;
use crate::alibaba::acs3::{header_text, hmac_sha256, sha256_hex};
use crate::alibaba::percent::{encode, encode_path};

/// The word that opens the `Authorization` header and the string to sign.
pub(in crate::alibaba::oss) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const REQUEST: &str = "aliyun_v4_request";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// `AKID/yyyyMMdd/REGION/oss/aliyun_v4_request`, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::alibaba::oss) struct Credential<'a> {
    /// Access key id.
    pub(in crate::alibaba::oss) access_key_id: &'a str,
    /// Day of the signature, yyyyMMdd.
    pub(in crate::alibaba::oss) date: &'a str,
    /// Plain region id, such as `cn-hangzhou`.
    pub(in crate::alibaba::oss) region: &'a str,
    /// Product word, `oss`.
    pub(in crate::alibaba::oss) product: &'a str,
}

impl<'a> Credential<'a> {
    /// Reads the text; `None` when it has another shape.
    pub(in crate::alibaba::oss) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('/');
        let credential =
            Self { access_key_id: parts.next()?, date: parts.next()?, region: parts.next()?, product: parts.next()? };
        (parts.next() == Some(REQUEST) && parts.next().is_none()).then_some(credential)
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/{REQUEST}", self.date, self.region, self.product)
    }
}

/// One V4 computation.
pub(in crate::alibaba::oss) struct V4<'a> {
    /// The covered request.
    pub(in crate::alibaba::oss) request: Signable<'a>,
    /// Whose key, which day and region.
    pub(in crate::alibaba::oss) credential: Credential<'a>,
    /// `x-oss-date` of header or query, yyyyMMddTHHmmssZ.
    pub(in crate::alibaba::oss) timestamp: &'a str,
    /// Lower-case header names that the client signed beyond the usual ones.
    pub(in crate::alibaba::oss) additional_headers: &'a [String],
}

impl V4<'_> {
    /// The text whose hash is signed.
    pub(in crate::alibaba::oss) fn canonical_request(&self) -> String {
        let uri = encode_path(&self.request.resource());
        let headers = self.request.header_lines(|name| {
            name.starts_with("x-oss-")
                || matches!(name, "content-type" | "content-md5")
                || self.additional_headers.iter().any(|additional| additional == name)
        });
        let mut additional = self.additional_headers.to_vec();
        additional.sort();
        let payload = match header_text(self.request.headers, "x-oss-content-sha256") {
            hash if hash.is_empty() => UNSIGNED_PAYLOAD.to_owned(),
            hash => hash,
        };
        let query = self.canonical_query();
        format!("{}\n{uri}\n{query}\n{headers}\n{}\n{payload}", self.request.method, additional.join(";"))
    }

    /// Algorithm word, time, scope and hash of the canonical request.
    pub(in crate::alibaba::oss) fn string_to_sign(&self) -> String {
        let hash = sha256_hex(self.canonical_request().as_bytes());
        format!("{ALGORITHM}\n{}\n{}\n{hash}", self.timestamp, self.credential.scope())
    }

    /// Lower-case hex HMAC-SHA256 under the derived key.
    pub(in crate::alibaba::oss) fn signature(&self, secret: &str) -> String {
        let steps = [self.credential.date, self.credential.region, self.credential.product, REQUEST];
        let key = steps
            .iter()
            .fold(format!("aliyun_v4{secret}").into_bytes(), |key, step| hmac_sha256(&key, step.as_bytes()));
        hex::encode(hmac_sha256(&key, self.string_to_sign().as_bytes()))
    }

    /// Every parameter but the signature itself; an empty value has no equals sign.
    fn canonical_query(&self) -> String {
        let mut pairs: Vec<(String, String)> = self
            .request
            .query
            .iter()
            .filter(|(name, _)| name != "x-oss-signature")
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        pairs.sort();
        let text: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
            .collect();
        text.join("&")
    }
}
