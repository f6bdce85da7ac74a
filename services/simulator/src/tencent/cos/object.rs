//! Decides what HEAD and GET of an object answer: its headers, its bytes, ranges and conditions.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use sampan_core::Cloud;

use super::Known;
use super::error::CosError;
use super::range::{self, Wanted};
use crate::tencent::date::{http_date, read_http_date};
use crate::world::Object;

/// Media type of every object here.
const CONTENT_TYPE: &str = "application/octet-stream";
/// Storage class that is not named in headers.
const STANDARD: &str = "STANDARD";
/// Headers of an answer that a GET may replace by parameters.
const REPLACEABLE: [(&str, HeaderName); 6] = [
    ("response-content-type", header::CONTENT_TYPE),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-expires", header::EXPIRES),
];

/// Answers with the object's headers.
///
/// # Errors
/// 404 `NoSuchKey` and 412 `PreconditionFailed`.
pub(super) fn head(known: &Known<'_>) -> Result<Response<Body>, CosError> {
    let object = find(known)?;
    if let Some(unchanged) = check_conditions(known, &object)? {
        return Ok(unchanged);
    }
    let mut response = Response::new(Body::empty());
    describe(response.headers_mut(), &object);
    insert(response.headers_mut(), header::CONTENT_LENGTH, &object.size.to_string());
    Ok(response)
}

/// Answers with the object's bytes, or the range that is asked for.
///
/// # Errors
/// 404 `NoSuchKey`, 412 `PreconditionFailed`, 403 `InvalidObjectState` and 416 `InvalidRange`.
pub(super) fn get(known: &Known<'_>) -> Result<Response<Body>, CosError> {
    let object = find(known)?;
    if let Some(unchanged) = check_conditions(known, &object)? {
        return Ok(unchanged);
    }
    if object.storage_class.ends_with("ARCHIVE") {
        let text = "the object is archived and has to be restored first";
        return Err(CosError::new(StatusCode::FORBIDDEN, "InvalidObjectState", text));
    }
    let (status, bytes) = match range::read(known.header(&header::RANGE), object.size) {
        Wanted::Whole => (StatusCode::OK, 0..object.size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Unsatisfiable => {
            let text = format!("the object has {} bytes", object.size);
            return Err(CosError::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", text));
        }
    };
    let mut response = Response::new(body(known, &object, bytes.clone()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(headers, &object);
    insert(headers, header::CONTENT_LENGTH, &(bytes.end - bytes.start).to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{}", bytes.start, bytes.end - 1, object.size);
        insert(headers, header::CONTENT_RANGE, &range);
    }
    for (param, name) in REPLACEABLE {
        if let Some(value) = known.param(param) {
            insert(headers, name, value);
        }
    }
    Ok(response)
}

fn find(known: &Known<'_>) -> Result<Object, CosError> {
    let found = known.world.object(Cloud::Tencent, &known.bucket.name, &known.key);
    found.ok_or_else(|| CosError::new(StatusCode::NOT_FOUND, "NoSuchKey", "there is no object of this key"))
}

fn body(known: &Known<'_>, object: &Object, bytes: Range<u64>) -> Body {
    if known.cut_body { object.content.cut_body(bytes) } else { object.content.body(bytes) }
}

fn describe(headers: &mut HeaderMap, object: &Object) {
    insert(headers, header::CONTENT_TYPE, CONTENT_TYPE);
    insert(headers, header::ETAG, &quoted(&object.etag));
    insert(headers, header::LAST_MODIFIED, &http_date(object.last_modified));
    insert(headers, header::ACCEPT_RANGES, "bytes");
    insert(headers, HeaderName::from_static("x-cos-hash-crc64ecma"), &object.crc64.to_string());
    if object.storage_class != STANDARD {
        insert(headers, HeaderName::from_static("x-cos-storage-class"), &object.storage_class);
    }
}

/// Judges the four conditions; `Some` is the 304 that ends the call.
fn check_conditions(known: &Known<'_>, object: &Object) -> Result<Option<Response<Body>>, CosError> {
    let failed = |name: &str| {
        CosError::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", format!("{name} does not hold"))
    };
    let names = |list: &str| list.split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim() == quoted(&object.etag));
    let modified_since =
        |date: &str| read_http_date(date).map(|date| object.last_modified.as_second() > date.as_second());
    if known.header(&header::IF_MATCH).is_some_and(|list| !names(list)) {
        return Err(failed("If-Match"));
    }
    if known.header(&header::IF_UNMODIFIED_SINCE).and_then(modified_since) == Some(true) {
        return Err(failed("If-Unmodified-Since"));
    }
    let is_same = known.header(&header::IF_NONE_MATCH).is_some_and(names);
    let is_old = known.header(&header::IF_MODIFIED_SINCE).and_then(modified_since) == Some(false);
    if !is_same && !is_old {
        return Ok(None);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    describe(response.headers_mut(), object);
    Ok(Some(response))
}

/// Puts an entity tag between quotes, as headers and lists show it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // A value that no header can hold comes from a caller's parameter: left out, as if it were not given.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
