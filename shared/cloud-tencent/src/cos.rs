//! The frame that every bucket call shares: addresses, and the error document of COS.

use bytes::Bytes;
use http::Method;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::stack::{ApiRequest, Decoder, Failure, Reply, Stack};
use sampan_core::Cloud;
use serde::Deserialize;

use crate::{codes, head_bucket};

/// Buckets of one account.
#[derive(Debug)]
pub(crate) struct Cos {
    pub(crate) stack: Stack,
    /// Address of a bucket with `{bucket}` and `{region}` open.
    pub(crate) template: String,
}

impl Cos {
    /// Builds a request for `key` of `bucket`, or for the bucket itself when the key is empty.
    pub(crate) fn request(&self, action: &'static str, method: Method, bucket: &BucketRef, key: &str) -> ApiRequest {
        let endpoint = self.template.replace("{bucket}", &bucket.name).replace("{region}", bucket.region.as_str());
        let path = match self.template.contains("{bucket}") {
            true => format!("/{key}"),
            false => format!("/{}/{key}", bucket.name),
        };
        ApiRequest { method, path, ..ApiRequest::get(Cloud::Tencent, "cos", action, &bucket.region, endpoint) }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorDocument {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

/// Reads the status, and the error document where there is one: answers to HEAD have none.
#[derive(Debug)]
pub(crate) struct CosDecoder;

impl Decoder for CosDecoder {
    fn decode(&self, request: &ApiRequest, response: http::Response<Bytes>) -> Result<Reply, Failure> {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request_id = header("x-cos-request-id");
        let status = response.status().as_u16();
        let elsewhere = request.action == head_bucket::NAME && response.status().is_redirection();
        if response.status().is_success() || (elsewhere && header(head_bucket::REGION).is_some()) {
            return Ok(Reply::new(response, request_id));
        }
        let text = String::from_utf8_lossy(response.body());
        let document: ErrorDocument = quick_xml::de::from_str(&text).unwrap_or_default();
        let code = document.code.filter(|code| !code.is_empty());
        let meaning = codes::of_cos(code.as_deref(), status);
        let message = document.message.unwrap_or_else(|| format!("status {status} without an explanation"));
        let mut failure = Failure::new(meaning.class, meaning.reason, message);
        failure.code = code;
        failure.request_id = request_id.or(document.request_id);
        failure.renew_credentials = meaning.renew_credentials;
        Err(failure)
    }
}
