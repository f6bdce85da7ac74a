//! HEAD and GET of an object: headers, conditions, ranges.

use std::ops::Range;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use sampan_core::Cloud;

use super::refusal::Refusal;
use super::{Arrived, Context, range, time};
use crate::world::Object;

/// Query names that replace a header of the answer.
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-content-type", header::CONTENT_TYPE),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-expires", header::EXPIRES),
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
];

pub(super) fn head(context: &Context<'_>) -> Result<Response<Body>, Refusal> {
    let object = find(context)?;
    let mut response = Response::new(Body::empty());
    describe(response.headers_mut(), &object, object.size);
    Ok(response)
}

/// `is_cut` breaks the connection in the middle of the body.
pub(super) fn get(context: &Context<'_>, is_cut: bool) -> Result<Response<Body>, Refusal> {
    let object = find(context)?;
    if object.storage_class.ends_with("Archive") {
        let message = "The operation is not valid for the object's state.";
        return Err(Refusal::forbidden("InvalidObjectState", message).with("ObjectName", &object.key));
    }
    let arrived = context.arrived;
    let is_standard = arrived.header("x-oss-range-behavior").is_some_and(|word| word == "standard");
    let part = range::read(arrived.header("range").as_deref(), object.size, is_standard)?;
    let bytes = part.clone().unwrap_or(0..object.size);
    let body = if is_cut { object.content.cut_body(bytes.clone()) } else { object.content.body(bytes.clone()) };
    let mut response = Response::new(body);
    describe(response.headers_mut(), &object, bytes.end - bytes.start);
    if part.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        insert(response.headers_mut(), header::CONTENT_RANGE, &content_range(&bytes, object.size));
    }
    for (name, target) in OVERRIDES {
        if let Some(value) = arrived.parameter(name) {
            insert(response.headers_mut(), target, value);
        }
    }
    Ok(response)
}

fn find(context: &Context<'_>) -> Result<Object, Refusal> {
    let key = &context.arrived.target.key;
    let object =
        context.world.object(Cloud::Alibaba, &context.bucket.name, key).ok_or_else(|| Refusal::no_such_key(key))?;
    check_conditions(context.arrived, &object)?;
    Ok(object)
}

fn check_conditions(arrived: &Arrived, object: &Object) -> Result<(), Refusal> {
    let tag = etag(object);
    let names_tag = |text: &str| text.split(',').any(|one| one.trim() == tag || one.trim() == tag.trim_matches('"'));
    let modified = object.last_modified.as_second();
    let moment = |name| arrived.header(name).and_then(|text| time::parse_http(&text)).map(|at| at.as_second());
    if arrived.header("if-match").is_some_and(|text| text != "*" && !names_tag(&text)) {
        return Err(Refusal::precondition("If-Match"));
    }
    if moment("if-unmodified-since").is_some_and(|since| modified > since) {
        return Err(Refusal::precondition("If-Unmodified-Since"));
    }
    let is_known = arrived.header("if-none-match").is_some_and(|text| text == "*" || names_tag(&text));
    if is_known || moment("if-modified-since").is_some_and(|since| modified <= since) {
        return Err(Refusal::not_modified());
    }
    Ok(())
}

/// Quoted, in upper-case hex.
pub(super) fn etag(object: &Object) -> String {
    format!("\"{}\"", object.etag.to_uppercase())
}

/// `Multipart` for what was written in parts, as exports are.
pub(super) fn type_word(object: &Object) -> &'static str {
    if object.multipart { "Multipart" } else { "Normal" }
}

fn content_range(bytes: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1))
}

/// The checksum is of the whole object, also when a part is served.
fn describe(headers: &mut HeaderMap, object: &Object, length: u64) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert("x-oss-object-type", HeaderValue::from_static(type_word(object)));
    headers.insert("x-oss-hash-crc64ecma", HeaderValue::from(object.crc64));
    insert(headers, header::ETAG, &etag(object));
    insert(headers, header::LAST_MODIFIED, &time::to_http(object.last_modified));
    insert(headers, HeaderName::from_static("x-oss-storage-class"), &object.storage_class);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
