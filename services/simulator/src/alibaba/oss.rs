//! Serves OSS: reads a request, identifies its caller, runs one operation, writes the audit line and the answer.

mod auth;
mod bucket;
mod list_objects;
mod object;
mod range;
mod refusal;
mod signature;
mod target;
mod time;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;
use sampan_core::Cloud;

use super::acs3::header_text;
use super::percent::{Pairs, decode_query};
use crate::listen;
use crate::world::{Bucket, Call, Outcome, Verdict, World};
use refusal::Refusal;
use target::Target;

/// Makes the routes of OSS over `world`: every method and path, because the bucket may stand in the host.
pub fn oss_router(world: Arc<World>) -> Router {
    Router::new().fallback(serve).with_state(world)
}

/// One request as it arrived, decoded.
struct Arrived {
    method: Method,
    headers: HeaderMap,
    query: Pairs,
    target: Target,
}

/// What a request wants; `None` of these is an operation that the simulator lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    BucketInfo,
    BucketLocation,
    HeadBucket,
    ListObjects,
    HeadObject,
    GetObject,
    Unknown,
}

/// What an operation works with: the caller is known and owns the bucket.
struct Context<'a> {
    world: &'a World,
    arrived: &'a Arrived,
    bucket: &'a Bucket,
}

async fn serve(State(world): State<Arc<World>>, request: Request) -> Response<Body> {
    let arrived = Arrived::new(&request);
    let operation = arrived.operation();
    let request_id = new_request_id();
    let mut call = Call::new(Cloud::Alibaba, operation.action(&arrived.method), request_id.clone());
    call.bucket.clone_from(&arrived.target.bucket);
    call.key = Some(arrived.target.key.clone()).filter(|key| !key.is_empty());

    let (outcome, response) = answer(&world, &arrived, operation, &mut call).await;
    world.record(call, &outcome);
    match (outcome, response) {
        (Outcome::Reset | Outcome::Lost, None) => listen::cut(),
        (_, None) => dress(refused(&arrived, &Refusal::internal(), &request_id), &request_id, world.auth_now()),
        (_, Some(Ok(response))) => dress(response, &request_id, world.auth_now()),
        (_, Some(Err(refusal))) => dress(refused(&arrived, &refusal, &request_id), &request_id, world.auth_now()),
    }
}

/// Decides the outcome; without a response the connection is cut.
async fn answer(
    world: &World,
    arrived: &Arrived,
    operation: Operation,
    call: &mut Call,
) -> (Outcome, Option<Result<Response<Body>, Refusal>>) {
    let refuse = |refusal: Refusal| (Outcome::Code(refusal.code.to_owned()), Some(Err(refusal)));
    let caller = match auth::identify(world, arrived) {
        Ok(caller) => caller,
        Err(refusal) => return refuse(refusal),
    };
    call.account.clone_from(&caller.account.id);
    call.region = caller.region.clone().unwrap_or_default();
    let verdict = world.verdict(Cloud::Alibaba, &call.action).await;
    match verdict {
        Verdict::Throttle => return refuse(Refusal::throttled()),
        Verdict::ServerError => return refuse(Refusal::internal()),
        Verdict::Cut if operation != Operation::GetObject => return (Outcome::Reset, None),
        Verdict::Cut | Verdict::Serve | Verdict::ServeAndLose => {}
    }
    let is_cut = verdict == Verdict::Cut;
    let mut run = || {
        let bucket = auth::open_bucket(world, arrived, operation, &caller)?;
        call.region.clone_from(&bucket.region);
        Context { world, arrived, bucket: &bucket }.run(operation, is_cut)
    };
    match (run(), verdict) {
        (Err(_), Verdict::Cut) => (Outcome::Reset, None),
        (Err(refusal), _) => refuse(refusal),
        (Ok(_), Verdict::ServeAndLose) => (Outcome::Lost, None),
        (Ok(response), Verdict::Cut) => (Outcome::Reset, Some(Ok(response))),
        (Ok(response), _) => (Outcome::Ok, Some(Ok(response))),
    }
}

impl Context<'_> {
    /// Runs `operation`; `is_cut` breaks the body of an object in its middle.
    fn run(&self, operation: Operation, is_cut: bool) -> Result<Response<Body>, Refusal> {
        match operation {
            Operation::BucketInfo => Ok(bucket::info(self)),
            Operation::BucketLocation => Ok(bucket::location(self)),
            Operation::HeadBucket => Ok(bucket::head(self)),
            Operation::ListObjects => list_objects::run(self),
            Operation::HeadObject => object::head(self),
            Operation::GetObject => object::get(self, is_cut),
            Operation::Unknown => Err(Refusal::not_allowed(&self.arrived.method)),
        }
    }
}

impl Operation {
    /// Name in audit and faults; looking at a bucket has one name for both clouds.
    fn action(self, method: &Method) -> String {
        match self {
            Self::BucketInfo | Self::BucketLocation | Self::HeadBucket => "HeadBucket".to_owned(),
            Self::ListObjects => "ListObjects".to_owned(),
            Self::HeadObject => "HeadObject".to_owned(),
            Self::GetObject => "GetObject".to_owned(),
            Self::Unknown => format!("{method}"),
        }
    }

    /// May be asked at any endpoint, whatever the bucket's region.
    fn is_regionless(self) -> bool {
        matches!(self, Self::BucketInfo | Self::BucketLocation)
    }
}

impl Arrived {
    fn new(request: &Request) -> Self {
        let headers = request.headers().clone();
        let target = Target::read(&header_text(&headers, "host"), request.uri().path());
        let query = decode_query(request.uri().query().unwrap_or_default());
        Self { method: request.method().clone(), headers, query, target }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<String> {
        Some(header_text(&self.headers, name)).filter(|text| !text.is_empty())
    }

    fn operation(&self) -> Operation {
        let has = |name| self.parameter(name).is_some();
        let of_object = !self.target.key.is_empty();
        match (&self.method, of_object) {
            (&Method::HEAD, true) => Operation::HeadObject,
            (&Method::GET, true) if !has("acl") && !has("tagging") && !has("uploadId") => Operation::GetObject,
            (&Method::HEAD, false) => Operation::HeadBucket,
            (&Method::GET, false) if has("bucketInfo") => Operation::BucketInfo,
            (&Method::GET, false) if has("location") => Operation::BucketLocation,
            (&Method::GET, false) if !has("acl") && !has("uploads") => Operation::ListObjects,
            _ => Operation::Unknown,
        }
    }
}

/// 24 upper-case hex digits.
fn new_request_id() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(24).collect::<String>().to_uppercase()
}

/// Adds what every answer of OSS has; without `Date` one of the clients cannot even read an error.
fn dress(mut response: Response<Body>, request_id: &str, now: Timestamp) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("AliyunOSS"));
    let texts =
        [(header::DATE, time::to_http(now)), (HeaderName::from_static("x-oss-request-id"), request_id.to_owned())];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers.insert("x-oss-server-time", HeaderValue::from_static("2"));
    response
}

/// Writes a refusal: XML, which a HEAD carries in a header because it has no body.
fn refused(arrived: &Arrived, refusal: &Refusal, request_id: &str) -> Response<Body> {
    let document = refusal.document(request_id, &header_text(&arrived.headers, "host"));
    let is_head = arrived.method == Method::HEAD;
    let is_bare = is_head || refusal.status == StatusCode::NOT_MODIFIED;
    let mut response = if is_bare { Response::new(Body::empty()) } else { xml_answer(document.clone()) };
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    if let Some(ec) = refusal.ec {
        headers.insert("x-oss-ec", HeaderValue::from_static(ec));
    }
    if is_head && let Ok(value) = HeaderValue::from_str(&refusal::in_header(&document)) {
        headers.insert("x-oss-err", value);
    }
    response
}

fn xml_answer(document: String) -> Response<Body> {
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
