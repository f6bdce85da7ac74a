//! Turns a panic of a handler into INTERNAL: the caller learns the reason and the request id, never the text.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use futures::FutureExt as _;
use http::{Request, Response};
use sampan_core::Reason;
use tonic::Status;
use tonic::body::Body;

use super::around::{Around, Next};
use super::body::poll_with;
use super::path::CallKind;
use crate::status::Problem;

/// The layer.
#[derive(Debug, Clone, Copy)]
pub struct PanicGuard;

impl Around for PanicGuard {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        // The answer of a short call is a message that is there: to encode it cannot panic.
        let is_short = CallKind::of(request.uri().path()) == CallKind::Short;
        // Nothing that the handler left half-changed is looked at again: its state died with it.
        match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) if is_short => response,
            Ok(response) => response.map(guarded),
            Err(panic) => report(panic.as_ref()).into_http(),
        }
    }
}

fn guarded(body: Body) -> Body {
    let mut ended = false;
    poll_with(body, move |inner, context| {
        if ended {
            return Poll::Ready(None);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| http_body::Body::poll_frame(inner, context)));
        polled.unwrap_or_else(|panic| {
            ended = true;
            super::drain::trailers(&report(panic.as_ref()))
        })
    })
}

fn report(panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of unknown type"), "handler panicked");
    Problem::new(Reason::InternalFault, "a fault of the server ended the call").into()
}
