//! Lets a layer stand between a response body and its reader.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body as HttpBody, Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;

/// One poll of a body.
pub(crate) type Polled = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// Returns a body whose every poll goes through `poll`, which may ask the inner one.
///
/// What `poll` owns is dropped when the reader is done with the body, complete or not.
pub(crate) fn poll_with<F>(inner: Body, poll: F) -> Body
where
    F: FnMut(Pin<&mut Body>, &mut Context<'_>) -> Polled + Send + Unpin + 'static,
{
    Body::new(PollWith { inner, poll })
}

struct PollWith<F> {
    inner: Body,
    poll: F,
}

impl<F> HttpBody for PollWith<F>
where
    F: FnMut(Pin<&mut Body>, &mut Context<'_>) -> Polled + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let this = self.get_mut();
        (this.poll)(Pin::new(&mut this.inner), context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
