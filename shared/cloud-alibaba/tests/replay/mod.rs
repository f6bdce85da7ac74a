//! A loopback server that answers what a test tells it to and keeps what was asked.
//!
//! Every request is checked by signing again what arrived: a test fails when wire and signature differ.

#![allow(dead_code, reason = "each file of tests uses its own part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::Timestamp;
use reqsign_aliyun_oss::Credential;
use sampan_cloud::Clients;
use sampan_cloud::stack::CallPolicy;
use sampan_cloud_alibaba::{AlibabaCloud, AlibabaConfig, CredentialSource, Endpoints, acs3, oss4};
use sampan_core::clock::ManualClock;
use sampan_core::retry::RetryPolicy;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: http::HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The action of a call of ECS.
    pub(crate) fn action(&self) -> &str {
        self.header("x-acs-action")
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Takes the request and breaks the connection instead of answering.
    Cut,
}

pub(crate) fn json(status: u16, body: serde_json::Value) -> Answer {
    Answer::Reply { status, headers: vec![("content-type", "application/json".into())], body: body.to_string() }
}

/// An error in the envelope of ECS.
pub(crate) fn refusal(status: u16, code: &str) -> Answer {
    let message = format!("refused because of {code}");
    json(status, serde_json::json!({"RequestId": "R-1", "HostId": "h", "Code": code, "Message": message}))
}

pub(crate) fn plain(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Answer::Reply { status, headers, body: body.to_owned() }
}

type Script = Box<dyn FnMut(&Seen) -> Answer + Send>;

#[derive(Clone)]
struct Shared {
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The running server; it ends with the value.
pub(crate) struct Replay {
    pub(crate) port: u16,
    shared: Shared,
    _server: JoinSet<()>,
}

impl Replay {
    pub(crate) async fn start(script: impl FnMut(&Seen) -> Answer + Send + 'static) -> Self {
        let shared = Shared { script: Arc::new(Mutex::new(Box::new(script))), seen: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, shared, _server: server }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The actions of ECS that were called, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.action().to_owned()).collect()
    }

    pub(crate) fn config(&self) -> AlibabaConfig {
        let here = format!("http://127.0.0.1:{}", self.port);
        let keys = CredentialSource::Static {
            access_key_id: KEY_ID.into(),
            access_key_secret: SECRET.to_owned().into(),
            security_token: None,
        };
        let mut config = AlibabaConfig::new(keys, Arc::new(ManualClock::new(now())));
        config.endpoints = Endpoints { api: Some(here.clone()), oss: Some(here) };
        config.policy = CallPolicy {
            retry: RetryPolicy {
                first_delay: Duration::from_millis(1),
                max_delay: Duration::from_millis(2),
                max_attempts: 3,
                ..RetryPolicy::default()
            },
            ..CallPolicy::default()
        };
        config
    }

    pub(crate) fn clients(&self) -> Clients {
        AlibabaCloud::open(self.config()).unwrap()
    }
}

const KEY_ID: &str = "LTAItestid";
const SECRET: &str = "testsecret";

/// The instant at which the clients' clock stands: that of the vendor's vectors.
pub(crate) fn now() -> Timestamp {
    "2024-01-02T03:04:05Z".parse().unwrap()
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    check_signature(&parts, &body);
    let query = parts.uri.query().unwrap_or_default();
    let seen = Seen {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect(),
        headers: parts.headers,
    };
    shared.seen.lock().unwrap().push(seen.clone());
    let answer = (shared.script.lock().unwrap())(&seen);
    match answer {
        Answer::Reply { status, headers, body } => {
            let builder =
                headers.into_iter().fold(Response::builder().status(status), |b, (name, value)| b.header(name, value));
            builder.body(Body::from(body)).unwrap()
        }
        Answer::Cut => {
            let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
            Response::builder().header("content-length", "100").body(Body::from_stream(broken)).unwrap()
        }
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    (plain(name), plain(value))
}

/// Signs what arrived once more and compares. Panics in the server, which the client sees as a broken connection.
fn check_signature(arrived: &http::request::Parts, body: &[u8]) {
    let keys = Credential {
        access_key_id: KEY_ID.into(),
        access_key_secret: SECRET.into(),
        security_token: None,
        expires_in: None,
    };
    let host = arrived.headers["host"].to_str().unwrap();
    let mut again = arrived.clone();
    again.uri = format!("http://{host}{}", arrived.uri).parse().unwrap();
    let theirs = again.headers.remove("authorization").expect("every request is signed");
    if theirs.to_str().unwrap().starts_with("ACS3") {
        let nonce = arrived.headers["x-acs-signature-nonce"].to_str().unwrap();
        acs3::sign(&mut again, body, &keys, now(), nonce).unwrap();
    } else {
        let path = percent_encoding::percent_decode_str(arrived.uri.path()).decode_utf8().unwrap().into_owned();
        let (bucket, key) = match host.split_once(".oss.localhost") {
            Some((bucket, _)) => (bucket.to_owned(), path[1..].to_owned()),
            None => path[1..].split_once('/').map(|(b, k)| (b.to_owned(), k.to_owned())).unwrap(),
        };
        let resource = oss4::Resource { bucket, key, region: "cn-hangzhou".into() };
        oss4::sign(&mut again, &resource, &keys, now()).unwrap();
    }
    assert_eq!(again.headers["authorization"], theirs, "the signature is not that of the request on the wire");
}
