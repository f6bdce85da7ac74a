//! `ListObjectsV2`: one page of the keys that begin alike.

use http::Method;
use sampan_cloud::CallError;
use sampan_cloud::bucket::{BucketRef, Object, ObjectPage};
use sampan_cloud::stack::Reply;
use serde::Deserialize;

use super::{AlibabaBuckets, bare_etag};
use crate::{percent, xml};

/// Keys of a page, the most that the vendor gives.
const PAGE: &str = "1000";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    encoding_type: String,
    is_truncated: bool,
    next_continuation_token: String,
    contents: Vec<Row>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    key: String,
    last_modified: String,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
    storage_class: Option<String>,
}

impl AlibabaBuckets {
    pub(super) async fn list_objects_v2(
        &self,
        bucket: &BucketRef,
        prefix: &str,
        continuation: Option<&str>,
    ) -> Result<ObjectPage, CallError> {
        let mut request = self.request("ListObjectsV2", Method::GET, bucket, "");
        let mut query = vec![("list-type", "2"), ("encoding-type", "url"), ("max-keys", PAGE), ("prefix", prefix)];
        query.extend(continuation.map(|token| ("continuation-token", token)));
        request.query = query.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.call(request, parse).await
    }
}

fn parse(reply: &Reply) -> Result<ObjectPage, String> {
    let answer: Answer = xml::document(&reply.body)?;
    // The vendor names the encoding only where it used one.
    let encoded = answer.encoding_type == "url";
    let objects = answer.contents.into_iter().map(|row| object(row, encoded)).collect();
    let next = Some(answer.next_continuation_token).filter(|token| answer.is_truncated && !token.is_empty());
    Ok(ObjectPage { objects, next })
}

fn object(row: Row, encoded: bool) -> Object {
    Object {
        key: if encoded { percent::decode(&row.key) } else { row.key },
        size_bytes: row.size,
        etag: bare_etag(&row.etag),
        last_modified: row.last_modified.parse().ok(),
        crc64: None,
        storage_class: row.storage_class.filter(|class| !class.is_empty()),
    }
}
