//! Decides how a call to CVM or CBS runs from its bytes to its answer: who, what, faults, action, envelope, audit.
//!
//! Each action has its own file. Errors travel in an HTTP 200, and the content type is exactly
//! `application/json`: with anything after it the vendor's Python SDK takes a refusal for a success.

mod create_image;
mod delete_images;
mod describe_image_quota;
mod describe_image_share_permission;
mod describe_images;
mod describe_snapshots;
mod error;
mod export_images;
mod filters;
mod gate;
mod image_codes;
mod modify_image_share_permission;
mod params;
mod sync_images;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, Response, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use sampan_core::Cloud;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::error::ApiError;
use self::gate::{Caller, Product};
use self::params::Params;
use crate::listen;
use crate::tencent::date;
use crate::world::{Call, Outcome, Verdict, World};

/// Largest body of a TC3-signed POST, in bytes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
/// Largest query of a GET, in bytes.
const LARGEST_QUERY: usize = 32 * 1024;

/// An action's answer: the fields beside `RequestId`.
type Fields = Map<String, Value>;

/// Serves CVM and CBS on every path and method.
pub fn cvm_router(world: Arc<World>) -> Router {
    Router::new().fallback(serve).with_state(world)
}

async fn serve(State(world): State<Arc<World>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let action = gate::header(&parts.headers, "x-tc-action").unwrap_or_default().to_owned();
    let mut call = Call::new(Cloud::Tencent, action.as_str(), Uuid::new_v4().to_string());
    call.region = gate::header(&parts.headers, "x-tc-region").unwrap_or_default().to_owned();
    let admitted = admit(&world, &parts, body, &mut call).await;
    let (caller, params) = match admitted {
        Ok(admitted) => admitted,
        Err(refused) => return finish(&world, call, Err(refused)),
    };
    let verdict = world.verdict(Cloud::Tencent, &action, &call.region).await;
    let result = match verdict {
        Verdict::Serve | Verdict::ServeAndLose => {
            let done = act(&world, &caller, &params, &mut call);
            done.and_then(|fields| told(&caller, &call, fields))
        }
        Verdict::Throttle => Err(ApiError::new("RequestLimitExceeded", "too many requests in this second, slow down")),
        Verdict::ServerError => Err(ApiError::new("InternalError", "the cloud failed inside")),
        Verdict::Cut => {
            world.record(call, &Outcome::Reset);
            return listen::cut();
        }
    };
    if verdict == Verdict::ServeAndLose {
        let outcome = result.map_or_else(|refused| Outcome::Code(refused.code.into_owned()), |_| Outcome::Lost);
        world.record(call, &outcome);
        return listen::cut();
    }
    finish(&world, call, result)
}

/// Reads the request and identifies its caller; nothing is looked at before the signature holds.
async fn admit(world: &World, parts: &Parts, body: Body, call: &mut Call) -> Result<(Caller, Params), ApiError> {
    let too_big = || ApiError::new("RequestSizeLimitExceeded", "the request is too big");
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > LARGEST_QUERY {
        return Err(too_big());
    }
    let body: Bytes = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| too_big())?.to_bytes();
    let (account, product) = gate::authenticate(world, parts, &body)?;
    call.account.clone_from(&account.id);
    if call.action.is_empty() {
        return Err(ApiError::missing("X-TC-Action"));
    }
    let caller = gate::locate(&parts.headers, (account, product))?;
    let params = if parts.method == Method::GET { Params::from_query(query) } else { Params::from_json(&body) };
    if !is_served(caller.product, &call.action) {
        return Err(ApiError::new("InvalidAction", format!("there is no action {:?}", call.action)));
    }
    Ok((caller, params?))
}

fn is_served(product: Product, action: &str) -> bool {
    match product {
        Product::Cvm => matches!(
            action,
            "ExportImages"
                | "SyncImages"
                | "CreateImage"
                | "DeleteImages"
                | "ModifyImageSharePermission"
                | "DescribeImageSharePermission"
                | "DescribeImages"
                | "DescribeImageQuota"
        ),
        Product::Cbs => action == "DescribeSnapshots",
    }
}

fn act(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    match call.action.as_str() {
        "ExportImages" => export_images::run(world, caller, params, call),
        "SyncImages" => sync_images::run(world, caller, params, call),
        "CreateImage" => create_image::run(world, caller, params, call),
        "DeleteImages" => delete_images::run(world, caller, params, call),
        "ModifyImageSharePermission" => modify_image_share_permission::run(world, caller, params, call),
        "DescribeImageSharePermission" => describe_image_share_permission::run(world, caller, params, call),
        "DescribeImages" => describe_images::run(world, caller, params),
        "DescribeImageQuota" => describe_image_quota::run(caller, params),
        "DescribeSnapshots" => describe_snapshots::run(world, caller, params),
        other => Err(ApiError::new("InvalidAction", format!("there is no action {other:?}"))),
    }
}

/// A dry run that finds nothing wrong is a plain success, or the error `DryRunOperation`: both are documented.
fn told(caller: &Caller, call: &Call, fields: Fields) -> Result<Fields, ApiError> {
    if call.dry_run && caller.account.limits.dry_run_is_error {
        return Err(ApiError::new("DryRunOperation", "the request would have succeeded without DryRun"));
    }
    Ok(fields)
}

fn finish(world: &World, call: Call, result: Result<Fields, ApiError>) -> Response<Body> {
    let request_id = Value::from(call.request_id.clone());
    let (mut fields, outcome) = match result {
        Ok(fields) => (fields, Outcome::Ok),
        Err(refused) => {
            let error = json!({ "Code": refused.code, "Message": refused.message });
            (Map::from_iter([("Error".to_owned(), error)]), Outcome::Code(refused.code.into_owned()))
        }
    };
    fields.insert("RequestId".to_owned(), request_id);
    world.record(call, &outcome);
    let mut response = Response::new(Body::from(json!({ "Response": fields }).to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    date::stamp(headers, world.auth_now());
    response
}

/// Makes an answer of a JSON object.
fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
