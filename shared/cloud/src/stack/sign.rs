//! The sign layer: each attempt gets a date, a nonce and a signature of its own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tower::{Service, ServiceExt as _};

use super::Call;
use super::failure::Fault;
use super::request::ApiRequest;

/// Why an attempt could not be signed. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No usable credentials could be had.
    #[error("no usable credentials: {0}")]
    Credentials(String),
    /// The source of the credentials did not answer; it may do so soon.
    #[error("the source of the credentials did not answer: {0}")]
    Unavailable(String),
    /// The request cannot be signed as it is.
    #[error("the request cannot be signed: {0}")]
    Request(String),
}

/// Signs the attempts of one account for one kind of endpoint.
#[async_trait]
pub trait Signer: Send + Sync + fmt::Debug {
    /// Completes `http`, the wire form of `request` with its `Host` header, by what the vendor's signature needs.
    ///
    /// Called once for each attempt, so a date or a nonce that is added here is fresh each time. Whatever is
    /// secret is marked sensitive or goes into a header.
    async fn sign(&self, request: &ApiRequest, http: &mut http::Request<Bytes>) -> Result<(), SignError>;

    /// Forgets cached credentials after the vendor refused them.
    ///
    /// Returns whether the next attempt may carry others; `false` by default.
    async fn renew(&self) -> bool {
        false
    }
}

/// Tells the outer layers whether an attempt was handed to the transport.
#[derive(Debug, Clone, Default)]
pub(super) struct Departure(Arc<AtomicBool>);

impl Departure {
    pub(super) fn has_left(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn leave(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone)]
pub(super) struct Sign<S> {
    inner: S,
    signer: Arc<dyn Signer>,
}

impl<S> Sign<S> {
    pub(super) fn new(inner: S, signer: Arc<dyn Signer>) -> Self {
        Self { inner, signer }
    }
}

impl<S> Service<Call> for Sign<S>
where
    S: Service<http::Request<Bytes>, Response = http::Response<Bytes>, Error = Fault> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Bytes>;
    type Error = Fault;
    type Future = BoxFuture<'static, Result<http::Response<Bytes>, Fault>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (inner, signer) = (self.inner.clone(), Arc::clone(&self.signer));
        async move {
            let mut http = call.request.to_http().map_err(Fault::Unbuildable)?;
            signer.sign(&call.request, &mut http).await.map_err(|error| match error {
                SignError::Credentials(what) => Fault::Credentials(what),
                SignError::Unavailable(what) => Fault::CredentialSource(what),
                SignError::Request(what) => Fault::Unbuildable(what),
            })?;
            call.departed.leave();
            inner.oneshot(http).await
        }
        .boxed()
    }
}
