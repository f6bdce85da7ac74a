//! The decode layer: hands every answer to the vendor's [`Decoder`] before anybody judges it.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::HeaderMap;
use tower::{Service, ServiceExt as _};

use super::failure::{Failure, Fault};
use super::request::ApiRequest;
use super::{Call, hint};

/// An answer that reports success.
///
/// `Debug` shows neither headers nor body.
#[derive(Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, whole; the envelope is still around it.
    pub body: Bytes,
    /// The vendor's request id.
    pub request_id: Option<String>,
    /// Attempts made, the first included.
    pub attempts: u32,
}

impl Reply {
    /// Takes an HTTP answer whose envelope reports success.
    pub fn new(response: http::Response<Bytes>, request_id: Option<String>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status.as_u16(), headers: parts.headers, body, request_id, attempts: 1 }
    }

    /// Returns a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Reads a vendor's answers: the one place where a vendor's codes become classes.
pub trait Decoder: Send + Sync + fmt::Debug {
    /// Decides whether `response` reports success.
    ///
    /// Called once for each attempt that got an answer, whatever its status and content type. Pure: no I/O.
    ///
    /// # Errors
    /// The failure that the envelope reports, with class and reason by the vendor's table. Its `http_status` and
    /// a hint from the standard headers are filled in by the layer when they are missing.
    fn decode(&self, request: &ApiRequest, response: http::Response<Bytes>) -> Result<Reply, Failure>;
}

#[derive(Debug, Clone)]
pub(super) struct Decode<S> {
    inner: S,
    decoder: Arc<dyn Decoder>,
}

impl<S> Decode<S> {
    pub(super) fn new(inner: S, decoder: Arc<dyn Decoder>) -> Self {
        Self { inner, decoder }
    }
}

impl<S> Service<Call> for Decode<S>
where
    S: Service<Call, Response = http::Response<Bytes>, Error = Fault> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (inner, decoder) = (self.inner.clone(), Arc::clone(&self.decoder));
        async move {
            let request = Arc::clone(&call.request);
            let response = inner.oneshot(call).await?;
            let status = response.status().as_u16();
            let wish = hint::retry_after(response.headers());
            decoder.decode(&request, response).map_err(|mut failure| {
                failure.http_status = failure.http_status.or(Some(status));
                failure.retry_after = failure.retry_after.or(wish);
                failure
            })
        }
        .boxed()
    }
}
