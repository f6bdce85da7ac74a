//! The trace layer: one span for each call, and the [`CallError`] that leaves the stack.

use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tower::{Service, ServiceExt as _};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug, info_span};

use super::Call;
use super::decode::Reply;
use super::failure::Failure;
use crate::error::CallError;

#[derive(Debug, Clone)]
pub(super) struct Trace<S> {
    inner: S,
}

impl<S> Trace<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Call> for Trace<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<Reply, CallError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let inner = self.inner.clone();
        let span = info_span!(
            "cloud_call",
            otel.name = call.request.action,
            otel.status_code = Empty,
            cloud = %call.request.cloud,
            action = call.request.action,
            region = %call.request.region,
            attempts = Empty,
            vendor_request_id = Empty,
            class = Empty,
        );
        async move {
            let head = call.request.head();
            let span = Span::current();
            match inner.oneshot(call).await {
                Ok(reply) => {
                    span.record("attempts", reply.attempts);
                    span.record("vendor_request_id", reply.request_id.as_deref());
                    debug!("call answered");
                    Ok(reply)
                }
                Err(failure) => {
                    let error = failure.into_error(&head);
                    span.record("otel.status_code", "ERROR");
                    span.record("attempts", error.attempts);
                    span.record("vendor_request_id", error.request_id.as_deref());
                    span.record("class", tracing::field::debug(error.class));
                    debug!(code = error.code.as_deref(), problem = error.message, "call failed");
                    Err(error)
                }
            }
        }
        .instrument(span)
        .boxed()
    }
}
