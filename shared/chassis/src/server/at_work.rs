//! Knows when the last short call has its answer: then a stop waits only for clients that do not read.

use http::{Request, Response};
use tokio_util::task::TaskTracker;
use tonic::body::Body;

use crate::layers::Around;
use crate::layers::around::Next;
use crate::layers::path::CallKind;

/// Counts the short calls that have no answer yet.
#[derive(Debug, Clone, Default)]
pub(super) struct AtWork(TaskTracker);

impl AtWork {
    /// Waits until none is left.
    pub(super) async fn none_left(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

impl Around for AtWork {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let _counted = (CallKind::of(request.uri().path()) == CallKind::Short).then(|| self.0.token());
        next.run(request).await
    }
}
