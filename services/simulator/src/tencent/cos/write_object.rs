//! Decides how a small object is written and removed: for tests of the SDKs and for cleaning up after an export.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use sampan_core::Cloud;

use super::error::CosError;
use super::object::quoted;
use super::{Known, bucket};

/// Largest object that can be written, in bytes: it is held in memory.
const LARGEST_OBJECT: usize = 64 << 20;

/// Stores the body under the key, over an object that is there.
///
/// # Errors
/// 400 `EntityTooLarge`, and 501 `NotImplemented` for copies and parts.
pub(super) async fn put(known: &Known<'_>, body: Body) -> Result<Response<Body>, CosError> {
    let is_copy = known.parts.headers.contains_key("x-cos-copy-source");
    if is_copy || known.param("uploadId").is_some() {
        return Err(CosError::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "only whole objects can be written"));
    }
    let too_large = |_| CosError::new(StatusCode::BAD_REQUEST, "EntityTooLarge", "the simulator takes 64 MiB at most");
    let bytes = Limited::new(body, LARGEST_OBJECT).collect().await.map_err(too_large)?.to_bytes();
    let stored = known.world.put_object(Cloud::Tencent, &known.bucket.name, &known.key, bytes);
    let object = stored.map_err(|error| CosError::invalid_argument(error.to_string()))?;
    let mut response = bucket::head(known);
    let headers = response.headers_mut();
    if let (Ok(etag), Ok(crc64)) =
        (HeaderValue::from_str(&quoted(&object.etag)), HeaderValue::from_str(&object.crc64.to_string()))
    {
        headers.insert(header::ETAG, etag);
        headers.insert(HeaderName::from_static("x-cos-hash-crc64ecma"), crc64);
    }
    Ok(response)
}

/// Removes the object; removing nothing is a success too.
pub(super) fn delete(known: &Known<'_>) -> Response<Body> {
    known.world.delete_object(Cloud::Tencent, &known.bucket.name, &known.key);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
