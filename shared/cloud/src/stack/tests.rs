//! The layers together, over a transport in hand and a clock that stands still; one fact a test.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use sampan_core::{Cloud, Reason};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::error::CallClass;

/// Numbers the attempts, as a nonce would, and puts a secret where one belongs.
#[derive(Debug, Default)]
struct Counter {
    signed: AtomicU32,
    renewed: AtomicU32,
}

#[async_trait]
impl Signer for Counter {
    async fn sign(&self, _: &ApiRequest, http: &mut http::Request<Bytes>) -> Result<(), SignError> {
        let nonce = self.signed.fetch_add(1, Ordering::SeqCst) + 1;
        http.headers_mut().insert("x-nonce", nonce.into());
        http.headers_mut().insert(AUTHORIZATION, "Signature=topsecret".parse().unwrap());
        Ok(())
    }

    async fn renew(&self) -> bool {
        self.renewed.fetch_add(1, Ordering::SeqCst) == 0
    }
}

/// Reads `ok`, or the name of a class that the body holds.
#[derive(Debug)]
struct Words;

impl Decoder for Words {
    fn decode(&self, _: &ApiRequest, response: http::Response<Bytes>) -> Result<Reply, Failure> {
        let word = String::from_utf8_lossy(response.body()).into_owned();
        let class = match word.as_str() {
            "ok" => return Ok(Reply::new(response, Some("r-1".to_owned()))),
            "throttled" => CallClass::Throttled,
            "busy" => CallClass::Busy,
            "expired" => {
                let mut failure = Failure::new(CallClass::Credentials, Reason::CloudCredentialsRejected, "expired");
                failure.renew_credentials = true;
                return Err(failure);
            }
            _ => CallClass::Transient,
        };
        Err(Failure::new(class, Reason::CloudUnavailable, format!("the cloud said {word}, Signature=topsecret")))
    }
}

#[derive(Debug, Clone)]
pub(super) struct Sent {
    at: Duration,
    nonce: String,
    body: Bytes,
}

/// Answers with the next line of a script; the last line again and again.
#[derive(Clone)]
pub(super) struct Script {
    lines: Arc<[(&'static str, Option<&'static str>)]>,
    sent: Arc<Mutex<Vec<Sent>>>,
    began: Instant,
}

impl Script {
    pub(super) fn new(lines: &[(&'static str, Option<&'static str>)]) -> Self {
        Self { lines: lines.into(), sent: Arc::default(), began: Instant::now() }
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    fn at_millis(&self) -> Vec<u128> {
        self.sent().iter().map(|sent| sent.at.as_millis()).collect()
    }

    pub(super) fn service(
        &self,
    ) -> impl Service<
        http::Request<Bytes>,
        Response = http::Response<Bytes>,
        Error = Fault,
        Future = futures::future::BoxFuture<'static, Result<http::Response<Bytes>, Fault>>,
    > + Clone
    + Send
    + Sync
    + 'static {
        let script = self.clone();
        tower::service_fn(move |request: http::Request<Bytes>| {
            let mut sent = script.sent.lock().unwrap();
            let (word, hint) = script.lines[sent.len().min(script.lines.len() - 1)];
            sent.push(Sent {
                at: script.began.elapsed(),
                nonce: request.headers()["x-nonce"].to_str().unwrap().to_owned(),
                body: request.body().clone(),
            });
            let answer = async move {
                match word {
                    "silence" => std::future::pending().await,
                    "refused" => Err(Fault::Connect("connection refused".to_owned())),
                    "cut" => Err(Fault::Interrupted("connection reset".to_owned())),
                    word => {
                        let mut response = http::Response::new(Bytes::from_static(word.as_bytes()));
                        if let Some(hint) = hint {
                            response.headers_mut().insert("retry-after", hint.parse().unwrap());
                        }
                        Ok(response)
                    }
                }
            };
            Box::pin(answer) as futures::future::BoxFuture<'static, _>
        })
    }
}

pub(super) fn parts() -> StackParts {
    let retry = RetryPolicy { jitter: 0.0, ..RetryPolicy::default() };
    StackParts {
        signer: Arc::new(Counter::default()),
        decoder: Arc::new(Words),
        budget: Arc::new(RetryBudget::default()),
        pacer: Arc::new(Pacer::default()),
        policy: CallPolicy { retry, ..CallPolicy::default() },
        audit: None,
    }
}

pub(super) fn request(idempotency: Idempotency) -> ApiRequest {
    let region = "ap-guangzhou".parse().unwrap();
    ApiRequest {
        idempotency,
        body: Bytes::from_static(b"{\"ClientToken\":\"t-1\"}"),
        ..ApiRequest::get(Cloud::Tencent, "cvm", "DoIt", &region, "http://cvm.localhost:1")
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_until_it_is_answered() {
    let script = Script::new(&[("fault", None), ("cut", None), ("refused", None), ("ok", None)]);
    let reply = Stack::new(parts(), script.service()).send(request(Idempotency::Safe)).await.unwrap();
    assert_eq!((reply.attempts, reply.request_id.as_deref()), (4, Some("r-1")));
    assert_eq!(script.at_millis(), [0, 500, 1500, 3500]);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_a_fresh_nonce_and_the_same_client_token() {
    let script = Script::new(&[("fault", None), ("fault", None), ("ok", None)]);
    Stack::new(parts(), script.service()).send(request(Idempotency::Keyed)).await.unwrap();
    let sent = script.sent();
    assert_eq!(sent.iter().map(|sent| sent.nonce.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(sent.iter().all(|sent| sent.body == sent_body()));
}

fn sent_body() -> Bytes {
    request(Idempotency::Keyed).body
}

#[tokio::test(start_paused = true)]
async fn attempts_end_with_the_schedule() {
    let script = Script::new(&[("fault", None)]);
    let error = Stack::new(parts(), script.service()).send(request(Idempotency::Safe)).await.unwrap_err();
    assert_eq!((error.class, error.attempts, script.sent().len()), (CallClass::Transient, 6, 6));
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_account_share_the_budget_of_repeated_attempts() {
    let script = Script::new(&[("fault", None)]);
    let budget = Arc::new(RetryBudget::new(7));
    let stack = Stack::new(StackParts { budget, ..parts() }, script.service());
    let first = stack.send(request(Idempotency::Safe)).await.unwrap_err();
    let second = stack.send(request(Idempotency::Safe)).await.unwrap_err();
    let third = stack.send(request(Idempotency::Safe)).await.unwrap_err();
    assert_eq!((first.attempts, second.attempts, third.attempts), (6, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn the_hint_of_the_server_wins_over_the_schedule() {
    let script = Script::new(&[("throttled", Some("11")), ("ok", None)]);
    Stack::new(parts(), script.service()).send(request(Idempotency::Safe)).await.unwrap();
    assert_eq!(script.at_millis(), [0, 11_000]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_beyond_the_call_ends_it_at_once_and_is_passed_on() {
    let script = Script::new(&[("throttled", Some("600"))]);
    let error = Stack::new(parts(), script.service()).send(request(Idempotency::Safe)).await.unwrap_err();
    assert_eq!((error.attempts, error.retry_after), (1, Some(Duration::from_secs(600))));
    assert_eq!(script.began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_mutating_call_is_not_repeated_when_it_may_have_acted() {
    for word in ["fault", "cut", "silence"] {
        let script = Script::new(&[(word, None), ("ok", None)]);
        let error = Stack::new(parts(), script.service()).send(request(Idempotency::Unsafe)).await.unwrap_err();
        assert_eq!((error.class, script.sent().len()), (CallClass::UnknownOutcome, 1), "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutating_call_is_repeated_when_it_surely_had_no_effect() {
    for word in ["throttled", "refused"] {
        let script = Script::new(&[(word, None), ("ok", None)]);
        let reply = Stack::new(parts(), script.service()).send(request(Idempotency::Unsafe)).await.unwrap();
        assert_eq!(reply.attempts, 2, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutating_call_that_never_left_has_no_unknown_outcome() {
    let script = Script::new(&[("refused", None)]);
    let error = Stack::new(parts(), script.service()).send(request(Idempotency::Unsafe)).await.unwrap_err();
    assert_eq!((error.class, error.is_without_effect()), (CallClass::Transient, true));
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_that_stays_without_answer_has_an_unknown_outcome_in_the_end() {
    let script = Script::new(&[("cut", None)]);
    let error = Stack::new(parts(), script.service()).send(request(Idempotency::Keyed)).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::UnknownOutcome, 6));
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_answer_to_a_mutating_call_is_an_unknown_outcome() {
    let script = Script::new(&[("ok", None)]);
    let stack = Stack::new(parts(), script.service());
    let parse = |_: &Reply| Err::<(), _>("no TaskId".to_owned());
    let error = stack.call(request(Idempotency::Unsafe), parse).await.unwrap_err();
    assert_eq!((error.class, error.reason), (CallClass::UnknownOutcome, Reason::CloudAnswerUnreadable));
    assert_eq!(error.request_id.as_deref(), Some("r-1"));
    let error = stack.call(request(Idempotency::Safe), parse).await.unwrap_err();
    assert_eq!(error.class, CallClass::Transient);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_busy_for_minutes_is_left_to_the_caller() {
    let script = Script::new(&[("busy", None)]);
    let error = Stack::new(parts(), script.service()).send(request(Idempotency::Safe)).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Busy, 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_answer_is_given_up_and_repeated() {
    let script = Script::new(&[("silence", None), ("ok", None)]);
    Stack::new(parts(), script.service()).send(request(Idempotency::Safe)).await.unwrap();
    assert_eq!(script.at_millis(), [0, 20_500]);
}

#[tokio::test(start_paused = true)]
async fn no_call_outlasts_its_deadline() {
    let script = Script::new(&[("silence", None)]);
    let policy = CallPolicy { deadline: Duration::from_secs(30), ..parts().policy };
    let stack = Stack::new(StackParts { policy, ..parts() }, script.service());
    stack.send(request(Idempotency::Safe)).await.unwrap_err();
    assert_eq!(script.began.elapsed(), Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_renewed_once_a_call_and_at_once() {
    let script = Script::new(&[("expired", None), ("ok", None)]);
    let reply = Stack::new(parts(), script.service()).send(request(Idempotency::Unsafe)).await.unwrap();
    assert_eq!((reply.attempts, script.at_millis()), (2, vec![0, 0]));

    let script = Script::new(&[("expired", None)]);
    let signer = Arc::new(Counter::default());
    let stack = Stack::new(StackParts { signer: signer.clone(), ..parts() }, script.service());
    let error = stack.send(request(Idempotency::Safe)).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Credentials, 2));
    assert_eq!(signer.renewed.load(Ordering::SeqCst), 1);
}

fn paced(region: &str) -> ApiRequest {
    ApiRequest { per_second: Some(2), region: region.parse().unwrap(), ..request(Idempotency::Safe) }
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_pace_wait_for_their_turn() {
    let script = Script::new(&[("ok", None)]);
    let stack = Stack::new(parts(), script.service());
    futures::future::join_all((0..5).map(|_| stack.send(paced("ap-guangzhou")))).await;
    assert_eq!(script.at_millis(), [0, 0, 500, 1000, 1500]);
}

#[tokio::test(start_paused = true)]
async fn each_region_has_a_pace_of_its_own() {
    let script = Script::new(&[("ok", None)]);
    let stack = Stack::new(parts(), script.service());
    futures::future::join_all(["ap-guangzhou", "ap-beijing"].map(|region| stack.send(paced(region)))).await;
    futures::future::join_all(["ap-guangzhou", "ap-beijing"].map(|region| stack.send(paced(region)))).await;
    assert_eq!(script.at_millis(), [0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_would_come_after_the_deadline_is_refused_unsent() {
    let script = Script::new(&[("ok", None)]);
    let policy = CallPolicy { deadline: Duration::from_secs(1), ..parts().policy };
    let stack = Stack::new(StackParts { policy, ..parts() }, script.service());
    let answers = futures::future::join_all((0..4).map(|_| stack.send(paced("ap-guangzhou")))).await;
    let refused = answers.into_iter().find_map(Result::err).expect("the fourth would leave after 1 s");
    assert_eq!((refused.class, refused.reason), (CallClass::Throttled, Reason::CloudThrottled));
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_in_an_error_or_in_debug() {
    let script = Script::new(&[("fault", None)]);
    let mut secretive = request(Idempotency::Safe);
    secretive.headers.insert("x-token", "topsecret".parse().unwrap());
    secretive.query.push(("q-signature".to_owned(), "topsecret".to_owned()));
    secretive.body = Bytes::from_static(b"topsecret");
    let shown = format!("{secretive:?}");
    let error = Stack::new(parts(), script.service()).send(secretive).await.unwrap_err();
    for text in [shown, error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("topsecret"), "{text}");
    }
}

/// Takes connections, reads a request of each and cuts it; returns the address and the number of requests read.
async fn cutting_server() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let read = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&read);
    #[expect(clippy::disallowed_methods, reason = "ends with the runtime of the test")]
    tokio::task::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4096];
            if stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {
                counter.fetch_add(1, Ordering::SeqCst);
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le").await;
        }
    });
    (format!("http://cvm.localhost:{}", address.port()), read)
}

fn quick() -> StackParts {
    let retry = RetryPolicy { first_delay: Duration::from_millis(1), max_attempts: 3, ..RetryPolicy::default() };
    StackParts { policy: CallPolicy { retry, ..CallPolicy::default() }, ..parts() }
}

#[tokio::test]
async fn on_a_real_connection_that_is_cut_a_mutating_call_is_sent_once_and_a_read_again() {
    let (endpoint, read) = cutting_server().await;
    let stack = Stack::new(quick(), Transport::new());
    let mutating = ApiRequest { endpoint: endpoint.clone(), ..request(Idempotency::Unsafe) };
    let error = stack.send(mutating).await.unwrap_err();
    assert_eq!((error.class, read.load(Ordering::SeqCst)), (CallClass::UnknownOutcome, 1));

    let error = stack.send(ApiRequest { endpoint, ..request(Idempotency::Safe) }).await.unwrap_err();
    assert_eq!((error.class, error.attempts, read.load(Ordering::SeqCst)), (CallClass::Transient, 3, 4));
}

#[tokio::test]
async fn on_a_closed_port_a_mutating_call_is_repeated_and_surely_had_no_effect() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://127.0.0.1:{}", closed.local_addr().unwrap().port());
    drop(closed);
    let stack = Stack::new(quick(), Transport::new());
    let error = stack.send(ApiRequest { endpoint, ..request(Idempotency::Unsafe) }).await.unwrap_err();
    assert_eq!((error.class, error.attempts), (CallClass::Transient, 3));
}
