//! Decides how a layer of the edge is written: one async function around the rest of the stack.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

/// What a layer wraps: gRPC routes, or routes with further layers around them. It is always ready.
pub trait Inner:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Inner for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The rest of the stack, to be run once or not at all.
#[derive(Debug)]
pub struct Next<S>(S);

impl<S: Inner> Next<S> {
    /// Runs the rest of the stack.
    pub async fn run(mut self, request: Request<Body>) -> Response<Body> {
        match self.0.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// One concern of the edge.
pub trait Around: Clone + Send + Sync + 'static {
    /// Handles one call. Called once per request, before anything was read of its body.
    ///
    /// A layer may answer without running `next`; then nothing below it sees the call.
    fn around<S: Inner>(self, request: Request<Body>, next: Next<S>) -> impl Future<Output = Response<Body>> + Send;
}

/// Makes a tower layer of a concern.
#[derive(Debug, Clone)]
pub struct AroundLayer<A>(A);

impl<A> AroundLayer<A> {
    /// Wraps `concern`.
    pub fn new(concern: A) -> Self {
        Self(concern)
    }
}

impl<A: Clone, S> Layer<S> for AroundLayer<A> {
    type Service = AroundService<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        AroundService { concern: self.0.clone(), inner: Arc::new(inner) }
    }
}

/// The service that [`AroundLayer`] makes.
#[derive(Debug, Clone)]
pub struct AroundService<A, S> {
    concern: A,
    /// Shared, so that a clone copies one layer and not all that it wraps: each layer makes one in every call.
    inner: Arc<S>,
}

impl<A: Around, S: Inner> Service<Request<Body>> for AroundService<A, S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // What is wrapped is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (concern, next) = (self.concern.clone(), Next(S::clone(&self.inner)));
        Box::pin(async move { Ok(concern.around(request, next).await) })
    }
}
