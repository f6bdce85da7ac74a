//! Decides which host a region's calls go to.
//!
//! Source of the exceptions: the endpoint table of alibabacloud-ecs20140526 7.11.8.

use sampan_cloud::stack::ApiRequest;
use sampan_core::Region;

use crate::oss4::Resource;

/// Stands for the region in an address.
const REGION: &str = "{region}";
/// Stands for the bucket in an address.
const BUCKET: &str = "{bucket}";
/// Where buckets are when nothing else is configured.
const PUBLIC_OSS: &str = "https://{bucket}.oss-{region}.aliyuncs.com";

/// Addresses that replace the vendor's own, for private networks and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Address of the ECS API, such as `https://ecs-vpc.{region}.aliyuncs.com` or `http://127.0.0.1:7403`;
    /// `None` means the vendor's public host of each region. `{region}` is optional.
    pub api: Option<String>,
    /// Address of buckets, such as `https://{bucket}.oss-{region}-internal.aliyuncs.com` or
    /// `http://127.0.0.1:7404`; `None` means the vendor's public host. Without `{bucket}` in it, the bucket is the
    /// first part of the path.
    pub oss: Option<String>,
}

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address; it has the form https://HOST, and {{bucket}} and {{region}} are replaced in HOST")]
pub struct BadEndpoint(pub String);

/// Hosts of one account, checked.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    api: Option<String>,
    oss: String,
}

impl Hosts {
    pub(crate) fn new(endpoints: &Endpoints) -> Result<Self, BadEndpoint> {
        let api = endpoints.api.as_deref().map(checked).transpose()?;
        let oss = checked(endpoints.oss.as_deref().unwrap_or(PUBLIC_OSS))?;
        Ok(Self { api, oss })
    }

    /// Returns scheme and authority of the ECS API in `region`.
    pub(crate) fn api(&self, region: &Region) -> String {
        match &self.api {
            Some(template) => template.replace(REGION, region.as_str()),
            None => format!("https://{}", public_host(region)),
        }
    }

    /// Returns scheme and authority of a bucket, and the path of `key` there.
    pub(crate) fn oss(&self, region: &Region, bucket: &str, key: &str) -> (String, String) {
        let endpoint = self.oss.replace(REGION, region.as_str());
        if endpoint.contains(BUCKET) {
            (endpoint.replace(BUCKET, bucket), format!("/{key}"))
        } else {
            (endpoint, format!("/{bucket}/{key}"))
        }
    }

    /// Finds out what a request to a bucket is about: the reverse of [`Hosts::oss`].
    pub(crate) fn resource(&self, request: &ApiRequest) -> Option<Resource> {
        let endpoint = self.oss.replace(REGION, request.region.as_str());
        let path = request.path.strip_prefix('/')?;
        let (bucket, key) = match endpoint.split_once(BUCKET) {
            Some((before, after)) => (request.endpoint.strip_prefix(before)?.strip_suffix(after)?, path),
            None => path.split_once('/')?,
        };
        Some(Resource { bucket: bucket.to_owned(), key: key.to_owned(), region: request.region.to_string() })
    }
}

fn public_host(region: &Region) -> String {
    match region.as_str() {
        "cn-hangzhou" | "cn-shanghai-finance-1" | "cn-shenzhen-finance-1" => "ecs-cn-hangzhou.aliyuncs.com".to_owned(),
        "cn-hangzhou-finance" | "cn-beijing-gov-1" | "cn-north-2-gov-1" | "cn-wuhan" | "cn-zhangbei" => {
            "ecs.aliyuncs.com".to_owned()
        }
        other => format!("ecs.{other}.aliyuncs.com"),
    }
}

fn checked(template: &str) -> Result<String, BadEndpoint> {
    let bad = || BadEndpoint(template.to_owned());
    let trimmed = template.trim().trim_end_matches('/');
    let full = if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
    let example: http::Uri = full.replace(REGION, "r").replace(BUCKET, "b").parse().map_err(|_| bad())?;
    let plain = matches!(example.scheme_str(), Some("http" | "https")) && example.host().is_some_and(|h| !h.is_empty());
    let bare = example.path() == "/" && example.query().is_none();
    let once = full.matches(BUCKET).count() <= 1;
    if plain && bare && once && !full.contains('@') { Ok(full) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_core::Cloud;

    fn region(text: &str) -> Region {
        text.parse().unwrap()
    }

    fn hosts(api: Option<&str>, oss: Option<&str>) -> Hosts {
        Hosts::new(&Endpoints { api: api.map(Into::into), oss: oss.map(Into::into) }).unwrap()
    }

    #[test]
    fn regions_have_hosts_of_their_own_with_the_vendors_exceptions() {
        let hosts = hosts(None, None);
        for (name, host) in [
            ("cn-hangzhou", "https://ecs-cn-hangzhou.aliyuncs.com"),
            ("cn-shanghai", "https://ecs.cn-shanghai.aliyuncs.com"),
            ("us-east-1", "https://ecs.us-east-1.aliyuncs.com"),
            ("cn-shenzhen-finance-1", "https://ecs-cn-hangzhou.aliyuncs.com"),
            ("cn-north-2-gov-1", "https://ecs.aliyuncs.com"),
        ] {
            assert_eq!(hosts.api(&region(name)), host);
        }
    }

    #[test]
    fn a_bucket_is_part_of_the_host_or_of_the_path_and_is_found_again() {
        let key = "dir/P_m-1_system.raw.tar.gz";
        for (template, endpoint, path) in [
            (None, "https://b.oss-cn-hangzhou.aliyuncs.com", "/dir/P_m-1_system.raw.tar.gz"),
            (Some("http://127.0.0.1:7404/"), "http://127.0.0.1:7404", "/b/dir/P_m-1_system.raw.tar.gz"),
            (Some("x-{bucket}.{region}.example"), "https://x-b.cn-hangzhou.example", "/dir/P_m-1_system.raw.tar.gz"),
        ] {
            let hosts = hosts(None, template);
            let here = region("cn-hangzhou");
            assert_eq!(hosts.oss(&here, "b", key), (endpoint.to_owned(), path.to_owned()));
            let mut request = ApiRequest::get(Cloud::Alibaba, "oss", "HeadObject", &here, endpoint);
            request.path = path.to_owned();
            let resource = Resource { bucket: "b".into(), key: key.into(), region: "cn-hangzhou".into() };
            assert_eq!(hosts.resource(&request), Some(resource), "{template:?}");
        }
    }

    #[test]
    fn texts_that_are_no_address_are_refused() {
        for bad in
            ["", "ftp://x", "https://h/path", "https://h?q=1", "https://user:pw@h", "https://{bucket}.{bucket}.h"]
        {
            let endpoints = Endpoints { api: None, oss: Some(bad.to_owned()) };
            assert_eq!(Hosts::new(&endpoints).unwrap_err(), BadEndpoint(bad.to_owned()));
        }
    }
}
