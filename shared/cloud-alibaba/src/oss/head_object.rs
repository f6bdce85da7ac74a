//! `HeadObject`: the proof that an exported file exists, with its size and checksum.

use http::Method;
use sampan_cloud::bucket::{BucketRef, Object};
use sampan_cloud::stack::Reply;
use sampan_cloud::{CallClass, CallError};
use sampan_core::Reason;

use super::{AlibabaBuckets, bare_etag, http_date};

impl AlibabaBuckets {
    /// Looks an object up. A missing bucket is an error, unlike a missing object in it.
    pub(super) async fn look_at_object(&self, bucket: &BucketRef, key: &str) -> Result<Option<Object>, CallError> {
        let request = self.request("HeadObject", Method::HEAD, bucket, key);
        match self.call(request, |reply| parse(key, reply)).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.class == CallClass::NotFound && error.reason != Reason::BucketNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn parse(key: &str, reply: &Reply) -> Result<Object, String> {
    let number = |name: &str| reply.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let size_bytes = number("content-length").ok_or("the answer has no length of the object")?;
    Ok(Object {
        key: key.to_owned(),
        size_bytes,
        etag: reply.header("etag").map(bare_etag).unwrap_or_default(),
        last_modified: http_date(reply, "last-modified"),
        crc64: number("x-oss-hash-crc64ecma"),
        storage_class: reply.header("x-oss-storage-class").map(ToOwned::to_owned),
    })
}
