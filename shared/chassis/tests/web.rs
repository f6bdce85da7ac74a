//! Browsers on a real socket: gRPC-Web over HTTP/1.1, and who may call from where.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use fake_store::{FakeStore, api, id, running};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use sampan_chassis::server::web::Web;
use sampan_chassis::server::{Drained, Options};
use sampan_chassis::{Listener, Server, Services};
use sampan_core::OperationId;
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use sampan_state::operation::State;

const SERVICE: &str = "/sampan.operation.v1.OperationService";
const HOME: &str = "https://console.example";
const FOREIGN: &str = "https://evil.example";
/// Marks the frame of a body that holds trailers.
const TRAILERS: u8 = 0x80;

/// A server and a client that speaks HTTP/1.1 alone.
struct Stage {
    server: Server,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Reads messages and trailers.
fn frames(body: &[u8]) -> (Vec<Bytes>, String) {
    let (mut messages, mut trailers, mut rest) = (Vec::new(), String::new(), body);
    while let [flags, a, b, c, d, tail @ ..] = rest {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap();
        let (frame, next) = tail.split_at(length);
        match *flags {
            TRAILERS => trailers = String::from_utf8(frame.to_vec()).unwrap(),
            0 => messages.push(Bytes::copy_from_slice(frame)),
            other => panic!("a frame {other}"),
        }
        rest = next;
    }
    assert!(rest.is_empty(), "{rest:?}");
    (messages, trailers)
}

fn framed(message: &impl Message) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(u32::try_from(message.encoded_len()).unwrap().to_be_bytes());
    bytes.extend(message.encode_to_vec());
    bytes
}

impl Stage {
    async fn new(store: &Arc<FakeStore>, web: Option<Web>) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let options = Options { web, ..Options::default() };
        let services = Services::new().add(api(store).into_server());
        let server = Server::start(listener, services, store.clone(), options).await.unwrap();
        Self { server, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn ask(&self, request: http::request::Builder, method: &str, body: Vec<u8>) -> Result<Answer, String> {
        let uri = format!("http://{}{SERVICE}/{method}", self.server.address());
        let request: Request<_> = request.uri(uri).body(Full::from(body)).unwrap();
        let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = answer.into_parts();
        assert_eq!(parts.version, http::Version::HTTP_11);
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    async fn call(&self, origin: &str, method: &str, message: &impl Message) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .header("origin", origin)
            .header("content-type", "application/grpc-web+proto");
        self.ask(request.header("x-grpc-web", "1"), method, framed(message)).await.unwrap()
    }

    async fn preflight(&self, origin: &str) -> Answer {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-grpc-web,x-user-agent");
        self.ask(request, "GetOperation", Vec::new()).await.unwrap()
    }

    async fn stop(self) {
        drop(self.client);
        assert_eq!(self.server.shutdown(async {}).await, Drained { workers: true, calls: true });
    }
}

fn home() -> Option<Web> {
    Some(Web::new(&[HOME.to_owned()]).unwrap())
}

fn get(id: OperationId) -> pb::GetOperationRequest {
    pb::GetOperationRequest { name: id.name() }
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_ask_and_call_and_reads_trailers_in_the_body() {
    let known = id(0);
    let store = Arc::new(FakeStore::holding([running(known)]));
    let stage = Stage::new(&store, home()).await;
    let asked = stage.preflight(HOME).await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (StatusCode::OK, HOME));
    assert_eq!(asked.header("access-control-allow-methods"), "POST");
    for header in ["authorization", "content-type", "x-grpc-web", "x-user-agent", "traceparent"] {
        assert!(asked.header("access-control-allow-headers").contains(header), "{header}: {asked:?}");
    }

    let answer = stage.call(HOME, "GetOperation", &get(known)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, HOME));
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    assert!(answer.header("access-control-expose-headers").contains("x-request-id"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), "", "tokens are sent, cookies never");
    let (messages, trailers) = frames(&answer.body);
    let operation = pb::GetOperationResponse::decode(messages[0].clone()).unwrap().operation.unwrap();
    assert_eq!(operation.name, known.name());
    assert!(trailers.contains("grpc-status:0"), "{trailers}");

    let refused = stage.call(HOME, "GetOperation", &get(id(7))).await;
    // A refusal without a message stands in the headers, which the page may read.
    assert_eq!((refused.header("grpc-status"), refused.body.len()), ("5", 0), "{refused:?}");
    assert!(refused.header("access-control-expose-headers").contains("grpc-status-details-bin"), "{refused:?}");
    stage.stop().await;
}

#[tokio::test]
async fn a_page_follows_an_operation_to_its_end_as_text_too() {
    let known = id(0);
    let mut ended = running(known);
    ended.state = State::Succeeded;
    let store = Arc::new(FakeStore::holding([ended]));
    let stage = Stage::new(&store, home()).await;
    let watch = pb::WatchOperationRequest { name: known.name(), from_revision: None };
    let whole = stage.call(HOME, "WatchOperation", &watch).await;
    let (messages, trailers) = frames(&whole.body);
    let last = pb::WatchOperationResponse::decode(messages.last().unwrap().clone()).unwrap().operation.unwrap();
    assert_eq!((last.name.as_str(), last.state()), (known.name().as_str(), pb::OperationState::Succeeded));
    assert!(trailers.contains("grpc-status:0"), "{trailers}");

    let request = Request::builder()
        .method(Method::POST)
        .header("origin", HOME)
        .header("content-type", "application/grpc-web-text");
    let request = request.header("accept", "application/grpc-web-text");
    let body = BASE64_STANDARD.encode(framed(&watch)).into_bytes();
    let text = stage.ask(request, "WatchOperation", body).await.unwrap();
    assert!(text.header("content-type").starts_with("application/grpc-web-text"), "{text:?}");
    // Each piece is encoded by itself.
    let pieces = text.body.split_inclusive(|byte| *byte == b'=').map(|piece| BASE64_STANDARD.decode(piece).unwrap());
    let decoded: Vec<u8> = pieces.flatten().collect();
    assert_eq!(frames(&decoded).0.last(), messages.last());
    stage.stop().await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_word_of_leave() {
    let known = id(0);
    let store = Arc::new(FakeStore::holding([running(known)]));
    for web in [home(), Some(Web::default())] {
        let stage = Stage::new(&store, web).await;
        for origin in [FOREIGN, "https://console.example.evil.example", "null"] {
            let asked = stage.preflight(origin).await;
            assert_eq!(asked.header("access-control-allow-origin"), "", "{asked:?}");
            let called = stage.call(origin, "GetOperation", &get(known)).await;
            assert_eq!(called.header("access-control-allow-origin"), "", "{called:?}");
        }
        stage.stop().await;
    }
}

#[tokio::test]
async fn programs_are_served_beside_pages() {
    let known = id(0);
    let store = Arc::new(FakeStore::holding([running(known)]));
    let stage = Stage::new(&store, home()).await;
    let mut client = OperationServiceClient::connect(format!("http://{}", stage.server.address())).await.unwrap();
    let operation = client.get_operation(get(known)).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(operation.name, known.name());
    drop(client);
    stage.stop().await;
}

#[tokio::test]
async fn without_leave_no_browser_is_served() {
    let known = id(0);
    let store = Arc::new(FakeStore::holding([running(known)]));
    let stage = Stage::new(&store, None).await;
    let request = Request::builder()
        .method(Method::POST)
        .header("content-type", "application/grpc-web+proto")
        .header("origin", HOME);
    let refused = stage.ask(request, "GetOperation", framed(&get(known))).await;
    assert!(refused.as_ref().is_err_and(|error| !error.is_empty()), "HTTP/1.1 is not spoken: {refused:?}");
    stage.stop().await;
}
