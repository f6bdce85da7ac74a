//! OSS as one account sees it: builds calls and reads answers; each operation has a file of its own.

mod decode;
mod delete_object;
mod get_bucket_info;
mod head_object;
mod list_objects_v2;
mod presign;

pub(crate) use decode::OssDecoder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use sampan_cloud::CallError;
use sampan_cloud::bucket::{Bucket, BucketRef, BucketStore, Object, ObjectPage, PresignedUrl};
use sampan_cloud::stack::{ApiRequest, Reply, Stack};
use sampan_core::Cloud;

use crate::hosts::Hosts;
use crate::sign::Pen;

/// Bucket calls of one account of Alibaba Cloud.
pub(crate) struct AlibabaBuckets {
    pub(crate) stack: Stack,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) pen: Pen,
}

impl AlibabaBuckets {
    fn request(&self, action: &'static str, method: Method, bucket: &BucketRef, key: &str) -> ApiRequest {
        let (endpoint, path) = self.hosts.oss(&bucket.region, &bucket.name, key);
        let mut request = ApiRequest::get(Cloud::Alibaba, "oss", action, &bucket.region, endpoint);
        request.method = method;
        request.path = path;
        request
    }

    async fn call<T>(
        &self,
        request: ApiRequest,
        parse: impl FnOnce(&Reply) -> Result<T, String> + Send,
    ) -> Result<T, CallError> {
        Box::pin(self.stack.call(request, parse)).await
    }
}

/// Reads a date of an HTTP header.
fn http_date(reply: &Reply, name: &str) -> Option<Timestamp> {
    reply.header(name).and_then(|text| DateTimeParser::new().parse_timestamp(text).ok())
}

/// Removes the quotes of an entity tag.
fn bare_etag(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

#[async_trait]
impl BucketStore for AlibabaBuckets {
    fn cloud(&self) -> Cloud {
        Cloud::Alibaba
    }

    async fn head_bucket(&self, bucket: &BucketRef) -> Result<Option<Bucket>, CallError> {
        self.get_bucket_info(bucket).await
    }

    async fn head_object(&self, bucket: &BucketRef, key: &str) -> Result<Option<Object>, CallError> {
        self.look_at_object(bucket, key).await
    }

    async fn list_objects(
        &self,
        bucket: &BucketRef,
        prefix: &str,
        continuation: Option<&str>,
    ) -> Result<ObjectPage, CallError> {
        self.list_objects_v2(bucket, prefix, continuation).await
    }

    async fn delete_object(&self, bucket: &BucketRef, key: &str) -> Result<(), CallError> {
        self.remove_object(bucket, key).await
    }

    async fn presign_get(&self, bucket: &BucketRef, key: &str, valid_for: Duration) -> Result<PresignedUrl, CallError> {
        self.presign(bucket, key, valid_for).await
    }
}

impl fmt::Debug for AlibabaBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlibabaBuckets").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}
