//! PutObject and DeleteObject of whole, small objects: for cleaning up after an export, and for tests.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use sampan_core::Cloud;

use super::Context;
use super::object::etag;
use super::refusal::Refusal;

/// Stores the body under the key, over an object that is there.
pub(super) fn put(context: &Context<'_>) -> Result<Response<Body>, Refusal> {
    let arrived = context.arrived;
    if arrived.header("x-oss-copy-source").is_some() {
        return Err(Refusal::not_implemented());
    }
    let bytes = arrived.body.clone().ok_or_else(|| {
        Refusal::bad_request("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
    })?;
    let object = context
        .world
        .put_object(Cloud::Alibaba, &context.bucket.name, &arrived.target.key, bytes)
        .map_err(|_| Refusal::internal())?;
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert("x-oss-hash-crc64ecma", HeaderValue::from(object.crc64));
    if let Ok(tag) = HeaderValue::from_str(&etag(&object)) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Removes the object; removing nothing is a success too.
pub(super) fn delete(context: &Context<'_>) -> Response<Body> {
    context.world.delete_object(Cloud::Alibaba, &context.bucket.name, &context.arrived.target.key);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
