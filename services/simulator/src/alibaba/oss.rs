//! Serves OSS: reads a request, identifies its caller, runs one operation, writes the audit line and the answer.

mod auth;
mod bucket;
mod list_objects;
mod object;
mod range;
mod refusal;
mod request;
mod signature;
mod target;
mod time;
mod write_object;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;
use sampan_core::Cloud;

use super::acs3::header_text;
use crate::listen;
use crate::world::{Bucket, Call, Outcome, Verdict, World};
use refusal::Refusal;
use request::{Arrived, Operation};

/// Makes the routes of OSS over `world`: every method and path, because the bucket may stand in the host.
pub fn oss_router(world: Arc<World>) -> Router {
    Router::new().fallback(serve).with_state(world)
}

/// What an operation works with: the caller is known and owns the bucket.
struct Context<'a> {
    world: &'a World,
    arrived: &'a Arrived,
    bucket: &'a Bucket,
}

/// What becomes of a request.
enum Ending {
    /// An answer goes out.
    Answer(Outcome, Response<Body>),
    /// The connection is cut instead.
    Cut(Outcome),
}

async fn serve(State(world): State<Arc<World>>, request: Request) -> Response<Body> {
    let arrived = Arrived::read(request).await;
    let request_id = new_request_id();
    let mut call = arrived.call(&request_id);
    let ending = match run(&world, &arrived, &mut call).await {
        Ok(ending) => ending,
        Err(refusal) => {
            Ending::Answer(Outcome::Code(refusal.code.to_owned()), refused(&arrived, &refusal, &request_id))
        }
    };
    match ending {
        Ending::Answer(outcome, response) => {
            world.record(call, &outcome);
            dress(response, &request_id, world.auth_now())
        }
        Ending::Cut(outcome) => {
            world.record(call, &outcome);
            listen::cut()
        }
    }
}

async fn run(world: &World, arrived: &Arrived, call: &mut Call) -> Result<Ending, Refusal> {
    let caller = auth::identify(world, arrived)?;
    call.account.clone_from(&caller.account.id);
    call.region = caller.region.clone().unwrap_or_default();
    let verdict = world.verdict(Cloud::Alibaba, &call.action, &call.region).await;
    let is_cut = match verdict {
        Verdict::Throttle => return Err(Refusal::throttled()),
        Verdict::ServerError => return Err(Refusal::internal()),
        Verdict::Cut if arrived.operation != Operation::GetObject => return Ok(Ending::Cut(Outcome::Reset)),
        Verdict::Cut => true,
        Verdict::Serve | Verdict::ServeAndLose => false,
    };
    let answer = auth::open_bucket(world, arrived, &caller).and_then(|bucket| {
        call.region.clone_from(&bucket.region);
        Context { world, arrived, bucket: &bucket }.run(is_cut)
    });
    match (answer, verdict) {
        (Err(_), Verdict::Cut) => Ok(Ending::Cut(Outcome::Reset)),
        (Err(refusal), _) => Err(refusal),
        (Ok(_), Verdict::ServeAndLose) => Ok(Ending::Cut(Outcome::Lost)),
        // The body itself breaks off in its middle.
        (Ok(response), Verdict::Cut) => Ok(Ending::Answer(Outcome::Reset, response)),
        (Ok(response), _) => Ok(Ending::Answer(Outcome::Ok, response)),
    }
}

impl Context<'_> {
    /// Runs the operation; `is_cut` breaks the body of an object in its middle.
    fn run(&self, is_cut: bool) -> Result<Response<Body>, Refusal> {
        match self.arrived.operation {
            Operation::BucketInfo => Ok(bucket::info(self)),
            Operation::BucketLocation => Ok(bucket::location(self)),
            Operation::HeadBucket => Ok(bucket::head(self)),
            Operation::ListObjects => list_objects::run(self),
            Operation::HeadObject => object::head(self),
            Operation::GetObject => object::get(self, is_cut),
            Operation::PutObject => write_object::put(self),
            Operation::DeleteObject => Ok(write_object::delete(self)),
            Operation::Unknown => Err(Refusal::not_allowed(&self.arrived.method)),
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
