//! Decides what HEAD of a bucket answers.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response};

use super::Known;

/// Answers that the bucket is there, and where.
pub(super) fn head(known: &Known<'_>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    if let Ok(region) = HeaderValue::from_str(&known.bucket.region) {
        response.headers_mut().insert(HeaderName::from_static("x-cos-bucket-region"), region);
    }
    response
}
