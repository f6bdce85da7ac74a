//! The timeout layer: bounds one attempt, signing included, and never beyond the deadline of its call.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sampan_core::Reason;
use tokio::time::Instant;
use tower::{Service, ServiceExt as _};

use super::Call;
use super::decode::Reply;
use super::failure::Failure;
use crate::error::CallClass;

#[derive(Debug, Clone)]
pub(super) struct Timeout<S> {
    inner: S,
    attempt: Duration,
}

impl<S> Timeout<S> {
    pub(super) fn new(inner: S, attempt: Duration) -> Self {
        Self { inner, attempt }
    }
}

impl<S> Service<Call> for Timeout<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let inner = self.inner.clone();
        let until = (Instant::now() + self.attempt).min(call.deadline);
        async move {
            let departed = call.departed.clone();
            match tokio::time::timeout_at(until, inner.oneshot(call)).await {
                Ok(result) => result,
                Err(_) => {
                    let failure = Failure::new(
                        CallClass::Transient,
                        Reason::CloudUnavailable,
                        "no answer within the time of one attempt",
                    );
                    // Before the transport had it, the time went into credentials: surely no effect.
                    Err(if departed.has_left() { failure } else { failure.unsent() })
                }
            }
        }
        .boxed()
    }
}
