//! Refuses calls of one caller that are too many at once, so that nobody takes the places of all others.
//!
//! A call counts until the last byte of its answer is written, as in [`in_flight`](super::in_flight). Callers that are
//! not told apart are bounded together there alone. Other roles of Sampan are not counted: what they do for a caller
//! was counted where it came in, and operations at work must not wait for the caller who has started them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, Response};
use tonic::body::Body;

use super::around::{Around, Next};
use super::body::poll_with;
use super::in_flight::{InFlightLimits, overloaded};
use super::path::CallKind;

/// Whose calls are counted; in the extensions of a request whose caller is known.
#[derive(Debug, Clone)]
pub(super) struct Counted(pub(super) Arc<str>);

/// The layer.
#[derive(Debug, Clone)]
pub struct PerCaller {
    limits: InFlightLimits,
    callers: Arc<Callers>,
}

impl PerCaller {
    /// Starts with nothing in flight.
    pub fn new(limits: InFlightLimits) -> Self {
        Self { limits, callers: Arc::default() }
    }
}

impl Around for PerCaller {
    async fn around<N: Next>(&self, mut request: Request<Body>, next: N) -> Response<Body> {
        let Some(Counted(caller)) = request.extensions_mut().remove() else { return next.run(request).await };
        let (kind, key, most) = match CallKind::of(request.uri().path()) {
            CallKind::Short => (Kind::Short, "server.max_in_flight_per_caller", self.limits.short),
            CallKind::Waiting => (Kind::Waiting, "server.max_waiting_per_caller", self.limits.waiting),
            CallKind::Infrastructure => return next.run(request).await,
        };
        let Some(place) = Callers::take(&self.callers, caller, kind, most) else {
            return overloaded("the caller has as many requests in flight as one may", (key, most));
        };
        let response = next.run(request).await;
        response.map(|body| {
            poll_with(body, move |inner, context| {
                let _held = &place;
                http_body::Body::poll_frame(inner, context)
            })
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Short,
    Waiting,
}

/// What is in flight of everybody who has anything in flight.
#[derive(Debug, Default)]
struct Callers(Mutex<HashMap<Arc<str>, Counts>>);

#[derive(Debug, Default)]
struct Counts {
    short: usize,
    waiting: usize,
}

impl Counts {
    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Short => &mut self.short,
            Kind::Waiting => &mut self.waiting,
        }
    }
}

impl Callers {
    fn take(this: &Arc<Self>, caller: Arc<str>, kind: Kind, most: usize) -> Option<Place> {
        let mut callers = this.lock();
        let count = callers.entry(Arc::clone(&caller)).or_default().of(kind);
        // Whoever is at a limit has an entry already, unless the limit is zero.
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(callers);
        Some(Place { callers: Arc::clone(this), caller, kind })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call in flight; it ends by being dropped.
#[derive(Debug)]
struct Place {
    callers: Arc<Callers>,
    caller: Arc<str>,
    kind: Kind,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut callers = self.callers.lock();
        if let Some(counts) = callers.get_mut(&self.caller) {
            let count = counts.of(self.kind);
            *count = count.saturating_sub(1);
            if (counts.short, counts.waiting) == (0, 0) {
                callers.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use sampan_core::Reason;
    use tonic::Status;
    use tonic_types::StatusExt as _;
    use tower::{Layer as _, ServiceExt as _, service_fn};

    use super::super::AroundLayer;
    use super::*;

    const SHORT: &str = "/sampan.quota.v1.QuotaService/GetQuota";
    const WATCH: &str = "/sampan.operation.v1.OperationService/WatchOperation";
    const HEALTH: &str = "/grpc.health.v1.Health/Check";

    /// Calls of somebody, or of nobody, against one edge; the answers have not been read.
    struct Edge(AroundLayer<PerCaller>);

    impl Edge {
        fn new(short: usize, waiting: usize) -> Self {
            Self(AroundLayer::new(PerCaller::new(InFlightLimits { short, waiting })))
        }

        async fn call(&self, caller: Option<&str>, path: &str) -> Result<Response<Body>, Status> {
            let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
            if let Some(caller) = caller {
                request.extensions_mut().insert(Counted(caller.into()));
            }
            let answer = service_fn(async |_| {
                Ok::<_, Infallible>(Response::new(Body::new(http_body_util::Full::from("answer"))))
            });
            let response = self.0.layer(answer).oneshot(request).await.unwrap();
            Status::from_header_map(response.headers()).map_or(Ok(response), Err)
        }
    }

    #[tokio::test]
    async fn a_caller_at_its_limit_is_told_which_and_disturbs_nobody_else() {
        let edge = Edge::new(2, 1);
        let ann = Some("ann");
        let first = edge.call(ann, SHORT).await.unwrap();
        let _second = edge.call(ann, SHORT).await.unwrap();
        let refused = edge.call(ann, SHORT).await.unwrap_err();
        let info = refused.get_details_error_info().unwrap();
        assert_eq!((refused.code(), info.reason.as_str()), (tonic::Code::Unavailable, Reason::Overloaded.as_str()));
        assert_eq!(info.metadata["limit"], "server.max_in_flight_per_caller");
        assert_eq!(info.metadata["limit_calls"], "2");
        assert!(refused.get_details_retry_info().unwrap().retry_delay.is_some());

        let _watch = edge.call(ann, WATCH).await.expect("waiting calls are counted apart");
        let refused = edge.call(ann, WATCH).await.unwrap_err();
        assert_eq!(refused.get_details_error_info().unwrap().metadata["limit"], "server.max_waiting_per_caller");
        edge.call(ann, HEALTH).await.expect("a probe is never refused");
        edge.call(Some("bob"), SHORT).await.expect("another caller has its own places");
        edge.call(Some("bob"), WATCH).await.expect("another caller has its own places");
        drop(first);
        edge.call(ann, SHORT).await.expect("the place is free again");
    }

    #[tokio::test]
    async fn callers_that_are_not_known_are_not_counted() {
        let edge = Edge::new(1, 1);
        let mut unread = Vec::new();
        for _ in 0..10 {
            unread.push(edge.call(None, SHORT).await.unwrap());
            unread.push(edge.call(None, WATCH).await.unwrap());
        }
        assert!(edge.0.concern().callers.lock().is_empty());
    }

    #[test]
    fn a_caller_with_nothing_in_flight_is_forgotten() {
        let callers = Arc::new(Callers::default());
        let take = |name: &str, kind| Callers::take(&callers, name.into(), kind, 2);
        let (first, second) = (take("ann", Kind::Short).unwrap(), take("ann", Kind::Waiting).unwrap());
        let third = take("ann", Kind::Short).unwrap();
        assert!(take("ann", Kind::Short).is_none());
        let other = take("bob", Kind::Short).unwrap();
        assert_eq!(callers.lock().len(), 2);
        drop((first, third, other));
        assert_eq!(callers.lock().keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["ann"]);
        drop(second);
        assert!(callers.lock().is_empty());
        assert!(Callers::take(&callers, "ann".into(), Kind::Short, 0).is_none());
    }
}
