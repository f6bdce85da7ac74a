//! Lets go of calls that wait when the server stops: their callers ask another replica, with what they know so far.
//!
//! Calls that are at work are left to end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use http::{HeaderMap, Request, Response};
use http_body::Frame;
use sampan_core::Reason;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;

use super::around::{Around, Next};
use super::body::{Polled, poll_with};
use super::path::CallKind;
use crate::status::{Problem, TRANSIENT_RETRY};

/// The layer.
#[derive(Debug, Clone)]
pub struct Drain {
    closing: Arc<CancellationToken>,
}

impl Drain {
    /// Lets go when `closing` is cancelled.
    pub fn new(closing: CancellationToken) -> Self {
        Self { closing: Arc::new(closing) }
    }
}

impl Around for Drain {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let kind = CallKind::of(request.uri().path());
        let response = if kind == CallKind::Waiting {
            tokio::select! {
                biased;
                response = next.run(request) => response,
                () = self.closing.cancelled() => return shutting_down().into_http(),
            }
        } else {
            next.run(request).await
        };
        // The answer of a short call is all there.
        if kind == CallKind::Short {
            return response;
        }
        let closing = self.closing.as_ref().clone().cancelled_owned();
        response.map(|body| until_closing(body, Box::pin(closing)))
    }
}

/// Ends a body that has nothing to say when the server closes; one that is being written is left to end.
fn until_closing(body: Body, mut closing: Pin<Box<WaitForCancellationFutureOwned>>) -> Body {
    let mut ended = false;
    poll_with(body, move |inner, context| {
        if ended {
            return Poll::Ready(None);
        }
        match http_body::Body::poll_frame(inner, context) {
            Poll::Ready(frame) => Poll::Ready(frame),
            Poll::Pending => match Future::poll(closing.as_mut(), context) {
                Poll::Ready(()) => {
                    ended = true;
                    trailers(&shutting_down())
                }
                Poll::Pending => Poll::Pending,
            },
        }
    })
}

fn shutting_down() -> Status {
    Problem::new(Reason::ShuttingDown, "the server is stopping; ask again to go on").retry_after(TRANSIENT_RETRY).into()
}

/// Returns the last frame of a body that ends with `status`.
pub(crate) fn trailers(status: &Status) -> Polled {
    let mut headers = HeaderMap::new();
    Poll::Ready(Some(status.add_header(&mut headers).map(|()| Frame::trailers(headers))))
}
