//! What the layers of the edge promise, without a socket and without waiting.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use sampan_chassis::auth::Auth;
use sampan_chassis::layers::authenticate::ON_BEHALF_OF;
use sampan_chassis::layers::{CallDeadline, Deadlines, EdgeLimits, InFlightLimits, request_id, stack};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Service, ServiceBuilder, ServiceExt as _, service_fn};

const SHORT: &str = "/sampan.quota.v1.QuotaService/GetQuota";
const WAIT: &str = "/sampan.operation.v1.OperationService/WaitOperation";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

trait Edge: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send {}
impl<S> Edge for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send
{
}

fn edge<F, A>(limits: &EdgeLimits, closing: CancellationToken, answer: F) -> impl Edge + use<F, A>
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    ServiceBuilder::new().layer(stack(limits, Arc::default(), closing)).service(service_fn(move |request| {
        let answer = answer(request);
        async move { Ok(answer.await) }
    }))
}

fn plain<F, A>(answer: F) -> impl Edge + use<F, A>
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    edge(&EdgeLimits::default(), CancellationToken::new(), answer)
}

fn call(path: &str) -> Request<Body> {
    Request::builder().uri(path).body(Body::empty()).unwrap()
}

fn status(response: &Response<Body>) -> Status {
    Status::from_header_map(response.headers()).expect("a status")
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("an ErrorInfo").reason
}

async fn fine(_: Request<Body>) -> Response<Body> {
    Response::new(Body::empty())
}

#[tokio::test]
async fn a_call_keeps_the_id_that_its_caller_gave_and_gets_one_otherwise() {
    let mut request = call(SHORT);
    request.headers_mut().insert("x-request-id", "ci-42".parse().unwrap());
    let response = plain(fine).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "ci-42");

    let response = plain(fine).oneshot(call(SHORT)).await.unwrap();
    assert_eq!(response.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn an_id_that_could_forge_log_lines_is_replaced() {
    for bad in ["a b", "x\u{9}y", &"x".repeat(129), ""] {
        let mut request = call(SHORT);
        request.headers_mut().insert("x-request-id", bad.parse().unwrap());
        let response = plain(fine).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["x-request-id"].len(), 36, "{bad:?}");
    }
}

#[tokio::test]
async fn an_error_names_the_request_id() {
    let failing =
        |_| async { Status::from(sampan_chassis::Problem::new(sampan_core::Reason::InternalFault, "x")).into_http() };
    let mut request = call(SHORT);
    request.headers_mut().insert("x-request-id", "ci-42".parse().unwrap());
    let response = plain(failing).oneshot(request).await.unwrap();
    assert_eq!(status(&response).get_details_request_info().unwrap().request_id, "ci-42");
    assert_eq!(request_id::current(), None);
}

#[tokio::test]
async fn a_panic_becomes_internal_without_its_text() {
    let response = plain(|_| async { panic!("the password is hunter2") }).oneshot(call(SHORT)).await.unwrap();
    let status = status(&response);
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(reason(&status), "INTERNAL_FAULT");
    assert!(!format!("{status:?}").contains("hunter2"));
    assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_gets_the_default() {
    let never = |_| std::future::pending::<Response<Body>>();
    let began = tokio::time::Instant::now();
    let response = plain(never).oneshot(call(SHORT)).await.unwrap();
    assert_eq!(status(&response).code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status(&response)), "REQUEST_DEADLINE_PASSED");
    assert_eq!(began.elapsed(), Deadlines::default().default);
}

async fn seconds_given(path: &'static str, timeout: Option<&str>) -> u64 {
    let never = |_| std::future::pending::<Response<Body>>();
    let mut request = call(path);
    if let Some(timeout) = timeout {
        request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
    }
    let began = tokio::time::Instant::now();
    let response = plain(never).oneshot(request).await.unwrap();
    assert_eq!(status(&response).code(), Code::DeadlineExceeded);
    // The answer leaves a moment before the caller's own timer fires.
    (began.elapsed() + Duration::from_millis(100)).as_secs()
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_caller_counts_up_to_the_maximum() {
    assert_eq!(seconds_given(SHORT, Some("5S")).await, 5);
    assert_eq!(seconds_given(SHORT, Some("7000m")).await, 7);
    assert_eq!(seconds_given(SHORT, Some("5H")).await, 120);
    assert_eq!(seconds_given(SHORT, Some("99999999H")).await, 120);
    assert_eq!(seconds_given(SHORT, Some("123456789S")).await, 30);
    assert_eq!(seconds_given(SHORT, Some("soon")).await, 30);
    assert_eq!(seconds_given(WAIT, None).await, 660);
    assert_eq!(seconds_given(WAIT, Some("5S")).await, 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_leaves_before_the_timer_of_the_caller_fires() {
    let never = |_| std::future::pending::<Response<Body>>();
    let mut request = call(SHORT);
    request.headers_mut().insert("grpc-timeout", "100m".parse().unwrap());
    let began = tokio::time::Instant::now();
    plain(never).oneshot(request).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(90));
}

#[tokio::test]
async fn handlers_see_the_deadline() {
    let seen = |request: Request<Body>| async move {
        assert!(request.extensions().get::<CallDeadline>().is_some());
        Response::new(Body::empty())
    };
    let response = plain(seen).oneshot(call(SHORT)).await.unwrap();
    assert!(Status::from_header_map(response.headers()).is_none());
}

#[tokio::test]
async fn what_is_too_much_is_refused_at_once_and_health_is_not() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let limits = EdgeLimits { in_flight: InFlightLimits { short: 1, waiting: 1 }, ..EdgeLimits::default() };
    let service = edge(&limits, CancellationToken::new(), move |request| {
        let gate = Arc::clone(&gate);
        async move {
            if request.uri().path() == SHORT {
                gate.notified().await;
            }
            Response::new(Body::empty())
        }
    });
    let first = TaskTracker::new().spawn(service.clone().oneshot(call(SHORT)));
    tokio::task::yield_now().await;
    let refused = status(&service.clone().oneshot(call(SHORT)).await.unwrap());
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "OVERLOADED"));
    assert!(refused.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
    assert_eq!(refused.get_details_error_info().unwrap().metadata["limit"], "server.max_in_flight");
    for untouched in [WAIT, HEALTH] {
        let response = service.clone().oneshot(call(untouched)).await.unwrap();
        assert!(Status::from_header_map(response.headers()).is_none(), "{untouched}");
    }
    go.notify_one();
    drop(first.await.unwrap());
    go.notify_one();
    let response = service.oneshot(call(SHORT)).await.unwrap();
    assert!(Status::from_header_map(response.headers()).is_none(), "the place is free again");
}

#[tokio::test]
async fn a_call_counts_until_its_answer_is_read_or_dropped() {
    let limits = EdgeLimits { in_flight: InFlightLimits { short: 1, waiting: 1 }, ..EdgeLimits::default() };
    let service = edge(&limits, CancellationToken::new(), |_| async { Response::new(Body::new(Silent)) });
    let unread = service.clone().oneshot(call(SHORT)).await.unwrap();
    assert_eq!(reason(&status(&service.clone().oneshot(call(SHORT)).await.unwrap())), "OVERLOADED");
    drop(unread);
    let response = service.oneshot(call(SHORT)).await.unwrap();
    assert!(Status::from_header_map(response.headers()).is_none());
}

#[tokio::test]
async fn a_status_that_tonic_made_gets_a_reason() {
    let cases = [
        (
            Code::OutOfRange,
            "Error, decoded message length too large: found 9 bytes",
            "MESSAGE_TOO_LARGE",
            Code::ResourceExhausted,
        ),
        (Code::Unimplemented, "", "METHOD_UNKNOWN", Code::Unimplemented),
        (Code::Internal, "failed to decode Protobuf message: x", "REQUEST_UNREADABLE", Code::InvalidArgument),
        (Code::Unknown, "secret text of a library", "INTERNAL_FAULT", Code::Internal),
    ];
    for (code, text, expected, becomes) in cases {
        let response = plain(move |_| async move { bare(code, text) }).oneshot(call(SHORT)).await.unwrap();
        let status = status(&response);
        assert_eq!((reason(&status).as_str(), status.code()), (expected, becomes));
        assert!(!status.message().contains("secret"));
    }
}

fn bare(code: Code, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert("grpc-status", i32::from(code).to_string().parse().unwrap());
    response.headers_mut().insert("grpc-message", text.replace(' ', "%20").parse().unwrap());
    response
}

#[tokio::test]
async fn a_waiting_call_is_let_go_when_the_server_closes_and_a_working_one_is_not() {
    let closing = CancellationToken::new();
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let service = edge(&EdgeLimits::default(), closing.clone(), move |request: Request<Body>| {
        let gate = Arc::clone(&gate);
        async move {
            if request.uri().path() == SHORT {
                gate.notified().await
            } else {
                std::future::pending().await
            }
            Response::new(Body::empty())
        }
    });
    let waiting = TaskTracker::new().spawn(service.clone().oneshot(call(WAIT)));
    let working = TaskTracker::new().spawn(service.oneshot(call(SHORT)));
    tokio::task::yield_now().await;
    closing.cancel();
    let let_go = status(&waiting.await.unwrap().unwrap());
    assert_eq!((let_go.code(), reason(&let_go).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
    go.notify_one();
    assert!(Status::from_header_map(working.await.unwrap().unwrap().headers()).is_none());
}

struct Silent;

impl http_body::Body for Silent {
    type Data = prost::bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Status>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_stream_with_nothing_to_say_ends_with_a_status_when_the_server_closes() {
    let closing = CancellationToken::new();
    let silent = |_| async { Response::new(Body::new(Silent)) };
    let response = edge(&EdgeLimits::default(), closing.clone(), silent).oneshot(call(HEALTH)).await.unwrap();
    let mut body = std::pin::pin!(response.into_body());
    let mut next = poll_once(body.as_mut());
    assert!(next.is_none(), "open while the server is");
    closing.cancel();
    next = poll_once(body.as_mut());
    let trailers: HeaderMap = next.expect("an end").into_trailers().unwrap_or_else(|_| panic!("no trailers"));
    let status = Status::from_header_map(&trailers).unwrap();
    assert_eq!(reason(&status), "SHUTTING_DOWN");
    assert!(status.get_details_request_info().is_some(), "also at the end of a stream");
}

fn poll_once(body: std::pin::Pin<&mut Body>) -> Option<http_body::Frame<prost::bytes::Bytes>> {
    let waker = std::task::Waker::noop();
    match body.poll_frame(&mut std::task::Context::from_waker(waker)) {
        std::task::Poll::Ready(frame) => frame.map(|frame| frame.unwrap()),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn what_a_role_does_for_a_caller_is_not_counted_again() {
    let none = InFlightLimits { short: 0, waiting: 0 };
    let limits = EdgeLimits { per_caller: none, ..EdgeLimits::default() };
    let auth = Arc::new(Auth::local());
    let service = ServiceBuilder::new()
        .layer(stack(&limits, auth, CancellationToken::new()))
        .service(service_fn(|request| async move { Ok::<_, Infallible>(fine(request).await) }));
    let mut request = call(SHORT);
    request.headers_mut().insert(ON_BEHALF_OF, "ann".parse().unwrap());
    let response = service.oneshot(request).await.unwrap();
    assert!(Status::from_header_map(response.headers()).is_none());
}

#[tokio::test]
async fn headers_above_the_bound_are_refused_with_it_and_those_at_it_are_not() {
    let limits = EdgeLimits { header_bytes: 1_000, ..EdgeLimits::default() };
    let service = edge(&limits, CancellationToken::new(), fine);
    let request = |value: usize| {
        let mut request = call(SHORT);
        request.headers_mut().insert("x-note", "n".repeat(value).parse().unwrap());
        request
    };
    let room = 1_000 - SHORT.len() - "x-note".len() - 32;
    let fits = service.clone().oneshot(request(room)).await.unwrap();
    assert!(Status::from_header_map(fits.headers()).is_none());
    let refused = status(&service.oneshot(request(room + 1)).await.unwrap());
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "HEADERS_TOO_LARGE"));
    let facts = refused.get_details_error_info().unwrap().metadata;
    assert_eq!((facts["limit"].as_str(), facts["limit_bytes"].as_str()), ("server.max_header_bytes", "1000"));
    assert!(refused.message().contains("these have 1001"), "{}", refused.message());
}
