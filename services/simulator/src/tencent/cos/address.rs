//! Decides which bucket and key a request means, from its Host header and its path.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Full bucket name, with the APPID; empty when the request names none.
    pub(crate) bucket: String,
    /// Region that the host names; `None` for path style.
    pub(crate) region: Option<String>,
    /// Key without its leading slash; empty when the bucket itself is meant.
    pub(crate) key: String,
    /// The path as it is signed: decoded, with the leading slash.
    pub(crate) signed_path: String,
}

impl Address {
    /// Reads the address; `None` when the path is not UTF-8 once it is decoded.
    ///
    /// - `host`: the Host header as sent; a port and a scheme in it do not count.
    /// - `path`: the path of the request line, still percent-encoded.
    pub(crate) fn of(host: &str, path: &str) -> Option<Self> {
        let signed_path = percent_decode_str(path).decode_utf8().ok()?.into_owned();
        let tail = signed_path.strip_prefix('/').unwrap_or(&signed_path).to_owned();
        if let Some((bucket, region)) = virtual_host(bare_host(host)) {
            return Some(Self { bucket, region: Some(region), key: tail, signed_path });
        }
        let (bucket, key) = tail.split_once('/').unwrap_or((&tail, ""));
        Some(Self { bucket: bucket.to_owned(), region: None, key: key.to_owned(), signed_path: signed_path.clone() })
    }
}

/// Returns the host without scheme, port and brackets.
fn bare_host(host: &str) -> &str {
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Splits `BUCKET.cos.REGION.…` and `BUCKET.cos-internal.REGION.…`; `None` for addresses without a bucket.
fn virtual_host(host: &str) -> Option<(String, String)> {
    if host == "localhost" || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let (bucket, rest) = host.split_once('.')?;
    let (service, rest) = rest.split_once('.')?;
    let (region, _) = rest.split_once('.').unwrap_or((rest, ""));
    (matches!(service, "cos" | "cos-internal") && !bucket.is_empty() && !region.is_empty())
        .then(|| (bucket.to_ascii_lowercase(), region.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn read(host: &str, path: &str) -> (String, Option<String>, String) {
        let address = Address::of(host, path).expect("readable");
        (address.bucket, address.region, address.key)
    }

    #[test]
    fn the_host_names_bucket_and_region() {
        for host in [
            "b-1250000000.cos.ap-guangzhou.myqcloud.com",
            "b-1250000000.cos.ap-guangzhou.myqcloud.com:7402",
            "b-1250000000.cos-internal.ap-guangzhou.tencentcos.cn",
            "b-1250000000.cos.ap-guangzhou.localhost:7402",
        ] {
            let expected = ("b-1250000000".to_owned(), Some("ap-guangzhou".to_owned()), "p/x.raw".to_owned());
            assert_eq!(read(host, "/p/x.raw"), expected, "{host}");
        }
    }

    #[test]
    fn on_an_address_the_path_begins_with_the_bucket() {
        for host in ["127.0.0.1:7402", "127.0.0.1", "localhost:7402", "[::1]:7402", "cos.ap-guangzhou.myqcloud.com"] {
            let expected = ("b-1250000000".to_owned(), None, "p/x.raw".to_owned());
            assert_eq!(read(host, "/b-1250000000/p/x.raw"), expected, "{host}");
        }
        assert_eq!(read("localhost", "/b-1250000000"), ("b-1250000000".to_owned(), None, String::new()));
        assert_eq!(read("localhost", "/"), (String::new(), None, String::new()));
    }

    #[test]
    fn a_key_keeps_its_slashes_and_is_decoded() {
        let host = "b-1250000000.cos.ap-guangzhou.myqcloud.com";
        assert_eq!(read(host, "//img-1.raw").2, "/img-1.raw");
        assert_eq!(read(host, "/a%20b/%E9%95%9C.raw").2, "a b/镜.raw");
        assert_eq!(Address::of(host, "/a%20b").expect("readable").signed_path, "/a b");
        assert_eq!(Address::of(host, "/%FF"), None);
    }
}
