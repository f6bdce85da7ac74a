//! Refuses calls whose headers are too large, with a reason.
//!
//! HTTP/2 itself takes four times as much before it ends the stream without one: see
//! [`ConnectionLimits`](crate::server::ConnectionLimits).

use http::{Request, Response};
use sampan_core::Reason;
use tonic::Status;
use tonic::body::Body;

use super::around::{Around, Next};
use crate::status::Problem;

/// What HTTP/2 counts for a header besides its name and value.
const OF_EACH: usize = 32;

/// The layer.
#[derive(Debug, Clone, Copy)]
pub struct HeaderSize {
    most: usize,
}

impl HeaderSize {
    /// Takes headers of at most `most` bytes, counted as HTTP/2 does.
    pub fn new(most: usize) -> Self {
        Self { most }
    }
}

impl Around for HeaderSize {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let of_one =
            |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + OF_EACH;
        let size: usize = request.headers().iter().map(of_one).sum();
        let size = size + request.uri().path().len();
        if size <= self.most {
            return next.run(request).await;
        }
        let words = format!("the headers of a request have at most {} bytes; these have {size}", self.most);
        let problem = Problem::new(Reason::HeadersTooLarge, words);
        let problem = problem.with("limit", "server.max_header_bytes").with("limit_bytes", self.most.to_string());
        Status::from(problem).into_http()
    }
}
