//! `GetBucketInfo`: where a bucket is, and whether exports can be written to it.

use http::Method;
use sampan_cloud::bucket::{Bucket, BucketRef};
use sampan_cloud::stack::Reply;
use sampan_cloud::{CallClass, CallError};
use serde::Deserialize;

use super::{AlibabaBuckets, http_date};
use crate::xml::{self, ErrorBody};

/// The vendor's name of the operation.
pub(super) const ACTION: &str = "GetBucketInfo";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    bucket: Info,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Info {
    location: String,
    storage_class: Option<String>,
    server_side_encryption_rule: Option<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rule {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
}

impl AlibabaBuckets {
    pub(super) async fn get_bucket_info(&self, bucket: &BucketRef) -> Result<Option<Bucket>, CallError> {
        let mut request = self.request(ACTION, Method::GET, bucket, "");
        request.query = vec![("bucketInfo".to_owned(), String::new())];
        match self.call(request, parse).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.class == CallClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns the region of a bucket that another endpoint is responsible for.
pub(super) fn region_of(error: &ErrorBody) -> Option<String> {
    let host = error.endpoint.strip_suffix(".aliyuncs.com").unwrap_or(&error.endpoint);
    let region = plain_region(host.strip_suffix("-internal").unwrap_or(host))?;
    Some(region.to_owned())
}

/// The vendor's word for a region of OSS is that of ECS with a prefix.
fn plain_region(location: &str) -> Option<&str> {
    location.strip_prefix("oss-").filter(|region| !region.is_empty() && !region.contains('.'))
}

fn parse(reply: &Reply) -> Result<Bucket, String> {
    let server_time = http_date(reply, "date");
    if let Some(error) = xml::error(&reply.body) {
        return Ok(Bucket { region: region_of(&error), storage_class: None, encrypted: None, server_time });
    }
    let info = xml::document::<Answer>(&reply.body)?.bucket;
    Ok(Bucket {
        region: plain_region(&info.location).map(ToOwned::to_owned),
        storage_class: info.storage_class.filter(|class| !class.is_empty()),
        encrypted: info.server_side_encryption_rule.map(|rule| !matches!(rule.algorithm.as_str(), "" | "None")),
        server_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(endpoint: &str) -> Option<String> {
        region_of(&ErrorBody { endpoint: endpoint.to_owned(), ..ErrorBody::default() })
    }

    #[test]
    fn the_right_endpoint_names_the_region_of_the_bucket() {
        assert_eq!(elsewhere("oss-cn-shanghai.aliyuncs.com").as_deref(), Some("cn-shanghai"));
        assert_eq!(elsewhere("oss-cn-shanghai-internal.aliyuncs.com").as_deref(), Some("cn-shanghai"));
        assert_eq!(elsewhere(""), None);
        assert_eq!(elsewhere("127.0.0.1"), None);
    }
}
