//! What of a bucket request the OSS signatures cover, and both ways (V1, V4) to compute them.
//!
//! Which form a request uses, its time window and its key belong to `oss::auth`.

mod v1;
mod v4;

#[cfg(test)]
mod tests;

pub(super) use v1::V1;
pub(super) use v4::{ALGORITHM, Credential, V4};

use http::HeaderMap;

/// The covered parts of a bucket request, all decoded.
///
/// The resource is the same whether the bucket stood in the host or in the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signable<'a> {
    /// Upper-case HTTP method.
    pub(super) method: &'a str,
    /// Bucket; `None` for the list of buckets.
    pub(super) bucket: Option<&'a str>,
    /// Object key; empty for the bucket itself.
    pub(super) key: &'a str,
    /// Decoded query.
    pub(super) query: &'a [(String, String)],
    /// Headers as they arrived.
    pub(super) headers: &'a HeaderMap,
}

impl Signable<'_> {
    /// `/BUCKET/KEY`, `/BUCKET/` or `/`, not encoded.
    fn resource(&self) -> String {
        self.bucket.map_or_else(|| "/".to_owned(), |bucket| format!("/{bucket}/{}", self.key))
    }

    /// Lower-case `name:value` lines, sorted, of the headers that `is_signed` accepts.
    fn header_lines(&self, is_signed: impl Fn(&str) -> bool) -> String {
        let mut lines: Vec<String> = self
            .headers
            .keys()
            .filter(|name| is_signed(name.as_str()))
            .map(|name| format!("{name}:{}\n", crate::alibaba::acs3::header_text(self.headers, name.as_str())))
            .collect();
        lines.sort();
        lines.concat()
    }
}
