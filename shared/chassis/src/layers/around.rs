//! Decides how a layer of the edge is written: one async function around the rest of the stack.
//!
//! Layers are chained by type, so that all of them together are one future and one allocation of a call.

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
pub trait Next: Send {
    /// Runs the rest of the stack.
    fn run(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// One concern of the edge.
pub trait Around: Send + Sync + 'static {
    /// Handles one call. Called once per request, before anything was read of its body.
    ///
    /// A layer may answer without running `next`; then nothing below it sees the call.
    fn around<N: Next>(&self, request: Request<Body>, next: N) -> impl Future<Output = Response<Body>> + Send;

    /// Returns this concern with `inner` inside of it.
    fn then<A: Around>(self, inner: A) -> Chain<Self, A>
    where
        Self: Sized,
    {
        Chain { outer: self, inner }
    }
}

/// Two concerns, one inside of the other.
#[derive(Debug, Clone)]
pub struct Chain<A, B> {
    outer: A,
    inner: B,
}

impl<A: Around, B: Around> Around for Chain<A, B> {
    fn around<N: Next>(&self, request: Request<Body>, next: N) -> impl Future<Output = Response<Body>> + Send {
        self.outer.around(request, Within { concern: &self.inner, next })
    }
}

struct Within<'a, A, N> {
    concern: &'a A,
    next: N,
}

impl<A: Around, N: Next> Next for Within<'_, A, N> {
    fn run(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send {
        self.concern.around(request, self.next)
    }
}

/// The service that all layers are around.
struct Innermost<S>(S);

impl<S: Inner> Next for Innermost<S> {
    async fn run(mut self, request: Request<Body>) -> Response<Body> {
        match self.0.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Makes a tower layer of a concern.
#[derive(Debug)]
pub struct AroundLayer<A>(Arc<A>);

impl<A> AroundLayer<A> {
    /// Wraps `concern`.
    pub fn new(concern: A) -> Self {
        Self(Arc::new(concern))
    }

    /// Returns what is wrapped.
    #[cfg(test)]
    pub(super) fn concern(&self) -> &A {
        &self.0
    }
}

// By hand: what is shared need not be copied.
impl<A> Clone for AroundLayer<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A, S> Layer<S> for AroundLayer<A> {
    type Service = AroundService<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        AroundService { concern: Arc::clone(&self.0), inner }
    }
}

/// The service that [`AroundLayer`] makes.
#[derive(Debug)]
pub struct AroundService<A, S> {
    concern: Arc<A>,
    inner: S,
}

impl<A, S: Clone> Clone for AroundService<A, S> {
    fn clone(&self) -> Self {
        Self { concern: Arc::clone(&self.concern), inner: self.inner.clone() }
    }
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
        let (concern, next) = (Arc::clone(&self.concern), Innermost(self.inner.clone()));
        Box::pin(async move { Ok(concern.around(request, next).await) })
    }
}
