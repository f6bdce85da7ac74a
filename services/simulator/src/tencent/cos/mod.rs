//! Decides how a call to COS runs from its bytes to its answer: address, caller, faults, verb, audit.
//!
//! What the verbs do is in their own files.

mod address;
mod bucket;
mod error;
mod gate;
mod list_objects;
mod object;
mod range;
mod write_object;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use sampan_core::Cloud;
use uuid::Uuid;

use self::address::Address;
use self::error::CosError;
use crate::listen;
use crate::tencent::date;
use crate::world::{Account, Bucket, Call, Outcome, Verdict, World};

/// Serves COS on every path and method.
pub fn cos_router(world: Arc<World>) -> Router {
    Router::new().fallback(serve).with_state(world)
}

/// A call whose caller and bucket are known.
#[derive(Debug)]
struct Known<'a> {
    world: &'a World,
    parts: &'a Parts,
    query: &'a [(String, String)],
    account: Account,
    bucket: Bucket,
    key: String,
    /// True when a fault wants the body cut in its middle.
    cut_body: bool,
}

impl Known<'_> {
    /// Returns a parameter of the query.
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns a header that is text.
    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    HeadBucket,
    ListObjects,
    HeadObject,
    GetObject,
    PutObject,
    DeleteObject,
}

impl Verb {
    fn of(method: &Method, key: &str) -> Option<Self> {
        match (method, key.is_empty()) {
            (&Method::HEAD, true) => Some(Self::HeadBucket),
            (&Method::GET, true) => Some(Self::ListObjects),
            (&Method::HEAD, false) => Some(Self::HeadObject),
            (&Method::GET, false) => Some(Self::GetObject),
            (&Method::PUT, false) => Some(Self::PutObject),
            (&Method::DELETE, false) => Some(Self::DeleteObject),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::HeadBucket => "HeadBucket",
            Self::ListObjects => "ListObjects",
            Self::HeadObject => "HeadObject",
            Self::GetObject => "GetObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
        }
    }
}

async fn serve(State(world): State<Arc<World>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let request_id = STANDARD.encode(Uuid::new_v4().simple().to_string());
    let address = Address::of(host, parts.uri.path());
    let verb = address.as_ref().and_then(|address| Verb::of(&parts.method, &address.key));
    let mut call = Call::new(Cloud::Tencent, verb.map_or(parts.method.as_str(), |verb| verb.as_str()), request_id);
    call.mutating = matches!(verb, Some(Verb::PutObject | Verb::DeleteObject));
    let (result, lost) = match (address, verb) {
        (None, _) => (Err(CosError::new(StatusCode::BAD_REQUEST, "InvalidURI", "the path is not UTF-8")), false),
        (Some(_), None) => {
            let refused = CosError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "no such method here");
            (Err(refused), false)
        }
        (Some(address), Some(verb)) => match run(&world, &parts, body, &address, verb, &mut call).await {
            Ran::Answered(result) => (result, false),
            Ran::Lost(result) => (result, true),
            Ran::Cut => {
                world.record(call, &Outcome::Reset);
                return listen::cut();
            }
            Ran::CutInBody(response) => {
                let response = dressed(&world, response, &call.request_id);
                world.record(call, &Outcome::Reset);
                return response;
            }
        },
    };
    let outcome = match &result {
        Ok(_) if lost => Outcome::Lost,
        Ok(_) => Outcome::Ok,
        Err(refused) => Outcome::Code(refused.code.to_owned()),
    };
    let response = result.unwrap_or_else(|refused| refused.answer(&parts.method, parts.uri.path(), &call.request_id));
    let response = dressed(&world, response, &call.request_id);
    world.record(call, &outcome);
    if lost { listen::cut() } else { response }
}

/// How a call that had an address and a verb went.
enum Ran {
    Answered(Result<Response<Body>, CosError>),
    /// Done, but nobody shall hear of it.
    Lost(Result<Response<Body>, CosError>),
    Cut,
    CutInBody(Response<Body>),
}

async fn run(world: &World, parts: &Parts, body: Body, address: &Address, verb: Verb, call: &mut Call) -> Ran {
    call.bucket = (!address.bucket.is_empty()).then(|| address.bucket.clone());
    call.key = (!address.key.is_empty()).then(|| address.key.clone());
    call.region = address.region.clone().unwrap_or_default();
    let query = decoded_query(parts.uri.query().unwrap_or_default());
    let account = match gate::authenticate(world, parts, address, &query) {
        Ok(account) => account,
        Err(refused) => return Ran::Answered(Err(refused)),
    };
    call.account.clone_from(&account.id);
    let verdict = world.verdict(Cloud::Tencent, verb.as_str(), &call.region).await;
    let refused = match verdict {
        Verdict::Throttle => Some((StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "too many requests, slow down")),
        Verdict::ServerError => Some((StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "the cloud failed inside")),
        Verdict::Cut if verb != Verb::GetObject => return Ran::Cut,
        Verdict::Cut | Verdict::Serve | Verdict::ServeAndLose => None,
    };
    if let Some((status, code, message)) = refused {
        return Ran::Answered(Err(CosError::new(status, code, message)));
    }
    let bucket = match gate::open_bucket(world, &account, address) {
        Ok(bucket) => bucket,
        Err(refused) => return Ran::Answered(Err(refused)),
    };
    call.region.clone_from(&bucket.region);
    let cut_body = verdict == Verdict::Cut;
    let known = Known { world, parts, query: &query, account, bucket, key: address.key.clone(), cut_body };
    let result = act(&known, body, verb).await;
    match result {
        Ok(response) if cut_body => Ran::CutInBody(response),
        result if verdict == Verdict::ServeAndLose => Ran::Lost(result),
        result => Ran::Answered(result),
    }
}

async fn act(known: &Known<'_>, body: Body, verb: Verb) -> Result<Response<Body>, CosError> {
    match verb {
        Verb::HeadBucket => Ok(bucket::head(known)),
        Verb::ListObjects => list_objects::run(known),
        Verb::HeadObject => object::head(known),
        Verb::GetObject => object::get(known),
        Verb::PutObject => write_object::put(known, body).await,
        Verb::DeleteObject => Ok(write_object::delete(known)),
    }
}

/// Adds the headers that every answer has.
fn dressed(world: &World, mut response: Response<Body>, request_id: &str) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("tencent-cos"));
    date::stamp(headers, world.auth_now());
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-cos-request-id"), id);
    }
    response
}

/// Splits and decodes a query. A plus is a space: the Python SDK writes presigned parameters as forms do.
fn decoded_query(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    query.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}
