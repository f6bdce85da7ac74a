//! Decides how content goes out as the body of an answer.

use std::io;
use std::ops::Range;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use super::{Content, to_usize};

/// Bytes of one frame.
const FRAME: u64 = 512 << 10;

impl Content {
    /// Returns a body with the bytes of `range`; the caller sets `Content-Length`.
    ///
    /// The range must lie within the content: a part past its end breaks the connection in the middle of the body.
    pub fn body(&self, range: Range<u64>) -> Body {
        self.body_until(range.clone(), range.end)
    }

    /// Returns a body that breaks the connection in the middle of `range`, as a fault orders it.
    pub fn cut_body(&self, range: Range<u64>) -> Body {
        let middle = range.start + range.end.saturating_sub(range.start) / 2;
        self.body_until(range, middle)
    }

    /// Sends `range` up to `cut` and breaks the connection there unless it is the end.
    fn body_until(&self, range: Range<u64>, cut: u64) -> Body {
        let content = self.clone();
        Body::from_stream(stream::try_unfold(range.start, move |at| {
            let content = content.clone();
            let end = range.end;
            async move {
                if at >= cut {
                    if cut >= end {
                        return Ok(None);
                    }
                    // Lets the bytes before the cut reach the socket first.
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    return Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut on order"));
                }
                let count = (cut - at).min(FRAME);
                Ok(Some((content.frame(at, count).await?, at + count)))
            }
        }))
    }

    async fn frame(self, at: u64, count: u64) -> io::Result<Bytes> {
        if self.touches_file(at, count) {
            let read = tokio::task::spawn_blocking(move || self.read(at, to_usize(count)));
            return read.await.map_err(io::Error::other)?.map(Bytes::from);
        }
        self.read(at, to_usize(count)).map(Bytes::from)
    }
}
