//! Gives every call an id: the caller's `x-request-id` where it is well-formed, a fresh one otherwise.
//!
//! The id is in the answer's header, in every log line of the call and in the RequestInfo of an error. It is not the
//! `request_id` of a start, which makes that start idempotent.

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, Response};
use tonic::body::Body;
use uuid::Uuid;

use super::around::{Around, Next};
use super::body::poll_with;
use super::path::CallKind;

/// Header that carries the id, both ways.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LENGTH: usize = 128;

tokio::task_local! {
    static CURRENT: CallId;
}

/// Id of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallId(Arc<str>);

impl CallId {
    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(request: &Request<Body>) -> Self {
        let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
        match given {
            Some(text) if is_well_formed(text) => Self(text.into()),
            Some(_) | None => Self(Arc::from(&*Uuid::new_v4().hyphenated().encode_lower(&mut Uuid::encode_buffer()))),
        }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// What goes into logs and headers must not be able to forge either.
fn is_well_formed(text: &str) -> bool {
    let permitted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    !text.is_empty() && text.len() <= MAX_LENGTH && text.chars().all(permitted)
}

/// Returns the id of the call that the current task works on; `None` outside of calls.
pub fn current() -> Option<CallId> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The layer.
#[derive(Debug, Clone, Copy)]
pub struct NameCall;

impl Around for NameCall {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let id = CallId::of(&request);
        // The answer of a short call is all there: nobody asks for the id while it is sent.
        let is_short = CallKind::of(request.uri().path()) == CallKind::Short;
        let response = CURRENT.scope(id.clone(), next.run(request)).await;
        let (mut parts, body) = response.into_parts();
        if let Ok(mut value) = HeaderValue::from_str(id.as_str()) {
            // No two calls share it: in the header table of the connection it would only push others out.
            value.set_sensitive(true);
            parts.headers.insert(HEADER, value);
        }
        if is_short {
            return Response::from_parts(parts, body);
        }
        let body = poll_with(body, move |inner, context| {
            CURRENT.sync_scope(id.clone(), || http_body::Body::poll_frame(inner, context))
        });
        Response::from_parts(parts, body)
    }
}
