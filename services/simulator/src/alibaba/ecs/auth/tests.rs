//! Calls that are forged, stale, replayed or incomplete, sent through the whole of ECS.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use sampan_core::clock::ManualClock;
use serde_json::Value;
use tower::ServiceExt;

use super::super::ecs_router;
use super::super::time::to_seconds;
use crate::alibaba::acs3::{self, Signable};
use crate::alibaba::percent::{decode_query, encode};
use crate::alibaba::rpc;
use crate::world::{Pace, World};

const KEY: &str = "LTAI5tSampanDemo00000001";
const SECRET: &str = "SampanDemoSecretAlibaba0000001";
const HEADERS: [&str; 5] = ["host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];

struct Ecs {
    router: Router,
    clock: Arc<ManualClock>,
}

impl Ecs {
    fn new() -> Self {
        let now: Timestamp = "2026-11-21T04:00:00Z".parse().expect("a time");
        let clock = Arc::new(ManualClock::new(now));
        let world = World::new(Arc::clone(&clock) as _, Pace::default(), std::env::temp_dir());
        Self { router: ecs_router(Arc::new(world)), clock }
    }

    fn now(&self) -> Timestamp {
        sampan_core::Clock::now(self.clock.as_ref())
    }

    /// Sends a request and returns status and document.
    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("a document"))
    }

    async fn code(&self, request: Request<Body>) -> String {
        self.send(request).await.1["Code"].as_str().unwrap_or("ok").to_owned()
    }

    /// A call signed by ACS3 at `at`, whose signature covers `signed`.
    fn acs3(&self, at: Timestamp, nonce: &str, secret: &str, signed: &[&str]) -> Request<Body> {
        let query = "RegionId=cn-hangzhou&ImageName=a+b";
        let mut request = Request::post(format!("/?{query}"))
            .header("host", "127.0.0.1:7403")
            .header("x-acs-action", "DescribeImages")
            .header("x-acs-version", "2014-05-26")
            .header("x-acs-date", to_seconds(at))
            .header("x-acs-signature-nonce", nonce)
            .body(Body::empty())
            .expect("a request");
        let pairs = decode_query(query);
        let headers = request.headers();
        let signable = Signable { method: "POST", query: &pairs, headers, signed_headers: signed, body: b"" };
        let signature = acs3::signature(secret, &signable.string_to_sign());
        let names = signed.join(";");
        let text = format!("ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders={names},Signature={signature}");
        request.headers_mut().insert("authorization", text.parse().expect("a header"));
        request
    }

    /// Parameters of a call signed by RPC at the present time.
    fn rpc(&self, method: &str, nonce: &str) -> String {
        let timestamp = encode(&to_seconds(self.now()));
        let query = format!(
            "Action=DescribeImages&Version=2014-05-26&Format=JSON&RegionId=cn-hangzhou&AccessKeyId={KEY}&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureType=&SignatureNonce={nonce}&Timestamp={timestamp}"
        );
        let signature = rpc::signature(SECRET, &rpc::string_to_sign(method, &decode_query(&query)));
        format!("{query}&Signature={}", encode(&signature))
    }
}

#[tokio::test]
async fn a_signed_call_is_served() {
    let ecs = Ecs::new();
    let (status, answer) = ecs.send(ecs.acs3(ecs.now(), "1", SECRET, &HEADERS)).await;
    assert_eq!((status, &answer["TotalCount"]), (StatusCode::OK, &Value::from(0)));
}

#[tokio::test]
async fn a_call_more_than_fifteen_minutes_off_is_refused_on_either_side() {
    let ecs = Ecs::new();
    for (seconds, code) in
        [(900, "ok"), (901, "InvalidTimeStamp.Expired"), (-900, "ok"), (-901, "InvalidTimeStamp.Expired")]
    {
        let at = ecs.now() + SignedDuration::from_secs(seconds);
        let call = ecs.acs3(at, &seconds.to_string(), SECRET, &HEADERS);
        assert_eq!(ecs.code(call).await, code, "{seconds}");
    }
}

#[tokio::test]
async fn a_call_is_served_once_and_a_forged_one_uses_up_no_nonce() {
    let ecs = Ecs::new();
    let forged = ecs.acs3(ecs.now(), "1", "another secret", &HEADERS);
    assert_eq!(ecs.code(forged).await, "SignatureDoesNotMatch");
    assert_eq!(ecs.code(ecs.acs3(ecs.now(), "1", SECRET, &HEADERS)).await, "ok");
    assert_eq!(ecs.code(ecs.acs3(ecs.now(), "1", SECRET, &HEADERS)).await, "SignatureNonceUsed");
    ecs.clock.advance(SignedDuration::from_secs(901));
    assert_eq!(ecs.code(ecs.acs3(ecs.now(), "1", SECRET, &HEADERS)).await, "ok");
}

#[tokio::test]
async fn a_header_that_must_be_signed_and_is_not_is_refused() {
    let ecs = Ecs::new();
    for left_out in HEADERS {
        let signed: Vec<&str> = HEADERS.into_iter().filter(|name| *name != left_out).collect();
        let call = ecs.acs3(ecs.now(), left_out, SECRET, &signed);
        assert_eq!(ecs.code(call).await, "IncompleteSignature", "{left_out}");
    }
}

#[tokio::test]
async fn a_change_of_host_query_or_method_breaks_the_signature() {
    let ecs = Ecs::new();
    let signed = || ecs.acs3(ecs.now(), "1", SECRET, &HEADERS);
    let mut host = signed();
    host.headers_mut().insert("host", "127.0.0.1:7404".parse().expect("a header"));
    let mut query = signed();
    *query.uri_mut() = "/?RegionId=cn-hangzhou&ImageName=b".parse().expect("an address");
    let mut method = signed();
    *method.method_mut() = http::Method::GET;
    for call in [host, query, method] {
        assert_eq!(ecs.code(call).await, "SignatureDoesNotMatch");
    }
}

#[tokio::test]
async fn an_rpc_call_may_come_by_get_by_query_or_by_form() {
    let ecs = Ecs::new();
    let get = Request::get(format!("/?{}", ecs.rpc("GET", "1"))).body(Body::empty()).expect("a request");
    let query = Request::post(format!("/?{}", ecs.rpc("POST", "2"))).body(Body::empty()).expect("a request");
    let form = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(ecs.rpc("POST", "3")))
        .expect("a request");
    for call in [get, query, form] {
        assert_eq!(ecs.code(call).await, "ok");
    }
    let wrong = Request::get(format!("/?{}", ecs.rpc("POST", "4"))).body(Body::empty()).expect("a request");
    assert_eq!(ecs.code(wrong).await, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_call_without_any_signature_names_what_is_missing() {
    let ecs = Ecs::new();
    let call = Request::post("/?Action=DescribeImages&Format=JSON").body(Body::empty()).expect("a request");
    let (status, answer) = ecs.send(call).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["Code"], "MissingParameter");
    assert!(answer["Message"].as_str().is_some_and(|text| text.contains("AccessKeyId")));
}
