//! HEAD of an object: the oracle of an export, because listings lag behind.

use http::Method;
use http::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED};
use sampan_cloud::bucket::{BucketRef, Object};
use sampan_cloud::stack::Reply;
use sampan_cloud::{CallClass, CallError};

use crate::cos::Cos;
use crate::time::http_date;

/// Looks `key` up, then the same key with a leading slash; the object says under which one it is.
///
/// The API promises paths with a leading slash, and no page tells whether the stored key keeps it.
pub(crate) async fn head(cos: &Cos, bucket: &BucketRef, key: &str) -> Result<Option<Object>, CallError> {
    if let Some(object) = exact(cos, bucket, key).await? {
        return Ok(Some(object));
    }
    if key.starts_with('/') {
        return Ok(None);
    }
    exact(cos, bucket, &format!("/{key}")).await
}

async fn exact(cos: &Cos, bucket: &BucketRef, key: &str) -> Result<Option<Object>, CallError> {
    let request = cos.request("HeadObject", Method::HEAD, bucket, key);
    match cos.stack.call(request, |reply| read(key, reply)).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.class == CallClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(key: &str, reply: &Reply) -> Result<Object, String> {
    let size = reply.header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
    Ok(Object {
        key: key.to_owned(),
        size_bytes: size.ok_or("the answer has no Content-Length")?,
        etag: reply.header(ETAG.as_str()).unwrap_or_default().trim_matches('"').to_owned(),
        last_modified: reply.header(LAST_MODIFIED.as_str()).and_then(http_date),
        crc64: reply.header("x-cos-hash-crc64ecma").and_then(|text| text.parse().ok()),
        storage_class: reply.header("x-cos-storage-class").map(str::to_owned),
    })
}
