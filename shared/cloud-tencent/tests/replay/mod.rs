//! A loopback server that answers what a test tells it to and keeps what was asked.

#![allow(dead_code, reason = "each file of tests uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use sampan_cloud::Clients;
use sampan_cloud::stack::CallPolicy;
use sampan_cloud_tencent::credentials::CredentialSource;
use sampan_cloud_tencent::{Endpoints, TencentCloud, TencentConfig};
use sampan_core::clock::ManualClock;
use sampan_core::retry::RetryPolicy;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
pub(crate) const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, as on the wire.
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The action of a call of the API; empty for a bucket call.
    pub(crate) fn action(&self) -> &str {
        self.header("x-tc-action")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(crate) fn status(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: String::new() }
}

pub(crate) fn text(code: u16, body: impl Into<String>) -> Answer {
    Answer { body: body.into(), ..status(code) }
}

/// An answer of the API: status 200 whatever it says.
pub(crate) fn api(content: Value) -> Answer {
    let mut content = content;
    content["RequestId"] = json!("r-1");
    text(200, json!({ "Response": content }).to_string()).with("content-type", "application/json")
}

pub(crate) fn api_error(code: &str) -> Answer {
    api(json!({ "Error": { "Code": code, "Message": "as the vendor says" } }))
}

type Script = dyn Fn(&Seen) -> Answer + Send + Sync;
type Shared = (Arc<Script>, Arc<Mutex<Vec<Seen>>>);

/// The server; it ends with the test.
pub(crate) struct Replay {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Replay {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let script: Arc<Script> = Arc::new(script);
        let router = Router::new().fallback(answer).with_state((script, Arc::clone(&seen)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, _tasks: tasks }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }

    /// The actions that were called, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.action().to_owned()).collect()
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints {
            api: Some(self.url.clone()),
            cos: Some(self.url.clone()),
            sts: Some(self.url.clone()),
            metadata: Some(self.url.clone()),
            ..Endpoints::default()
        }
    }

    pub(crate) fn config(&self, credentials: CredentialSource) -> TencentConfig {
        let retry = RetryPolicy { first_delay: Duration::from_millis(1), max_attempts: 3, ..RetryPolicy::default() };
        TencentConfig {
            endpoints: self.endpoints(),
            policy: CallPolicy { retry, ..CallPolicy::default() },
            ..TencentConfig::new(credentials, Arc::new(ManualClock::new(now())))
        }
    }

    pub(crate) fn open(&self) -> Clients {
        TencentCloud::open(self.config(keys()))
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

pub(crate) fn keys() -> CredentialSource {
    CredentialSource::Static { secret_id: SECRET_ID.into(), secret_key: SECRET_KEY.into(), token: None }
}

async fn answer(State((script, seen)): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body: axum::body::to_bytes(body, 1 << 20).await.unwrap(),
    };
    seen.lock().unwrap().push(request.clone());
    let told = script(&request);
    let mut response = Response::builder().status(told.status);
    for (name, value) in told.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(told.body)).unwrap()
}
