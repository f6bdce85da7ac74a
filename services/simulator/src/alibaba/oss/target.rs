//! Decides which bucket, key and region a request names: in its path, or in its host.

use crate::alibaba::percent::decode_path;

const DOMAIN: &str = ".aliyuncs.com";

/// What host and path name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// `None` for the list of buckets.
    pub(super) bucket: Option<String>,
    /// Decoded key, empty for the bucket itself.
    pub(super) key: String,
    /// Region of the endpoint, when the host names one.
    pub(super) region: Option<String>,
}

impl Target {
    /// Reads `Host` and path as they arrived.
    ///
    /// Addresses and `localhost` have the bucket in the path; `BUCKET.oss-REGION.aliyuncs.com` and
    /// `BUCKET.localhost` have it in the host.
    pub(super) fn read(host: &str, path: &str) -> Self {
        let host = host.strip_prefix("http://").unwrap_or(host);
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let path = path.strip_prefix('/').unwrap_or(path);
        let (in_host, region) = match name.strip_suffix(DOMAIN) {
            Some(labels) => {
                let (bucket, endpoint) =
                    labels.rsplit_once('.').map_or((None, labels), |(bucket, endpoint)| (Some(bucket), endpoint));
                (bucket, endpoint.strip_prefix("oss-").map(|region| region.strip_suffix("-internal").unwrap_or(region)))
            }
            None => (name.strip_suffix(".localhost"), None),
        };
        let region = region.map(str::to_owned);
        match in_host {
            Some(bucket) => Self { bucket: Some(bucket.to_owned()), key: decode_path(path), region },
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                let bucket = Some(decode_path(bucket)).filter(|bucket| !bucket.is_empty());
                Self { bucket, key: decode_path(key), region }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(bucket: Option<&str>, key: &str, region: Option<&str>) -> Target {
        Target { bucket: bucket.map(str::to_owned), key: key.to_owned(), region: region.map(str::to_owned) }
    }

    #[test]
    fn an_address_has_the_bucket_in_its_path() {
        assert_eq!(Target::read("127.0.0.1:7404", "/b-1/a%2Fb%20c+d"), target(Some("b-1"), "a/b c+d", None));
        assert_eq!(Target::read("localhost:7404", "/b-1/a/b"), target(Some("b-1"), "a/b", None));
        assert_eq!(Target::read("127.0.0.1:7404", "/b-1"), target(Some("b-1"), "", None));
        assert_eq!(Target::read("127.0.0.1:7404", "/"), target(None, "", None));
    }

    #[test]
    fn a_virtual_host_has_the_bucket_and_the_region_in_it() {
        let host = "b-1.oss-cn-hangzhou.aliyuncs.com";
        assert_eq!(Target::read(host, "/k"), target(Some("b-1"), "k", Some("cn-hangzhou")));
        let host = "b-1.oss-cn-hangzhou-internal.aliyuncs.com:80";
        assert_eq!(Target::read(host, "/"), target(Some("b-1"), "", Some("cn-hangzhou")));
        assert_eq!(Target::read("oss-cn-beijing.aliyuncs.com", "/b-1/k"), target(Some("b-1"), "k", Some("cn-beijing")));
        assert_eq!(Target::read("b-1.localhost:7404", "/k"), target(Some("b-1"), "k", None));
    }
}
