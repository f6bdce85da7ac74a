//! Serves ECS: reads a call, identifies its caller, runs one action, writes the audit line and the envelope.

mod auth;
mod cancel_copy_image;
mod cancel_task;
mod copy_image;
mod copy_snapshot;
mod create_image;
mod delete_image;
mod delete_snapshot;
mod describe_image_share_permission;
mod describe_images;
mod describe_regions;
mod describe_snapshots;
mod describe_task_attribute;
mod describe_tasks;
mod envelope;
mod export_image;
mod image_codes;
mod modify_image_share_permission;
mod nonces;
mod parameters;
mod refusal;
mod texts;
mod time;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use http::request::Parts;
use http::{HeaderMap, Method, Response};
use sampan_core::Cloud;
use serde_json::{Map, Value};

use super::acs3::header_text;
use super::percent::{Pairs, decode_query};
use crate::listen;
use crate::world::{Account, Call, Outcome, Verdict, World};
use envelope::Envelope;
use nonces::Nonces;
use parameters::Parameters;
use refusal::Refusal;

/// The one version of the API that has these actions.
const VERSION: &str = "2014-05-26";
/// Largest form body that is read.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Actions that change something when they are accepted.
const MUTATING: [&str; 9] = [
    "ExportImage",
    "CancelTask",
    "CopyImage",
    "CancelCopyImage",
    "CreateImage",
    "CopySnapshot",
    "DeleteImage",
    "DeleteSnapshot",
    "ModifyImageSharePermission",
];

/// Makes the routes of ECS over `world`: every method and path, because the action stands in a header or parameter.
pub fn ecs_router(world: Arc<World>) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(Ecs { world, nonces: Nonces::default() }))
}

/// The service: the shared world, and what only signatures need.
struct Ecs {
    world: Arc<World>,
    nonces: Nonces,
}

/// One call as it arrived, decoded.
struct Arrived {
    method: Method,
    headers: HeaderMap,
    /// Parameters of the URL alone.
    query: Pairs,
    body: Bytes,
    /// Parameters of URL and form.
    parameters: Parameters,
}

/// What an action works with; the caller is known.
struct Context<'a> {
    world: &'a World,
    account: &'a Account,
    parameters: &'a Parameters,
}

/// Fields of an accepted call's answer, without the request id.
type Answer = Result<Map<String, Value>, Refusal>;

async fn serve(State(ecs): State<Arc<Ecs>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    // A body beyond the limit is refused by its missing parameters; no client sends one.
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let arrived = Arrived::new(parts, body);
    let envelope = arrived.envelope();
    let mut call = arrived.call(&envelope);

    let verdict = match ecs.identify(&arrived) {
        Err(refusal) => Err(refusal),
        Ok(account) => {
            call.account.clone_from(&account.id);
            match ecs.world.verdict(Cloud::Alibaba, &envelope.action, &call.region).await {
                Verdict::Cut => {
                    ecs.world.record(call, &Outcome::Reset);
                    return listen::cut();
                }
                Verdict::Throttle => Err(Refusal::throttled(1)),
                Verdict::ServerError => Err(Refusal::internal()),
                verdict @ (Verdict::Serve | Verdict::ServeAndLose) => Ok((account, verdict)),
            }
        }
    };
    let answer = verdict.and_then(|(account, verdict)| {
        let context = Context { world: &ecs.world, account: &account, parameters: &arrived.parameters };
        context.run(&envelope.action).map(|fields| (fields, verdict))
    });
    match answer {
        Ok((_, Verdict::ServeAndLose)) => {
            ecs.world.record(call, &Outcome::Lost);
            listen::cut()
        }
        Ok((fields, _)) => {
            ecs.world.record(call, &Outcome::Ok);
            envelope.accepted(fields)
        }
        Err(refusal) => {
            ecs.world.record(call, &Outcome::Code(refusal.code.to_string()));
            envelope.refused(&refusal)
        }
    }
}

impl Context<'_> {
    fn run(&self, action: &str) -> Answer {
        match action {
            "ExportImage" => export_image::run(self),
            "CopyImage" => copy_image::run(self),
            "CancelCopyImage" => cancel_copy_image::run(self),
            "CreateImage" => create_image::run(self),
            "CopySnapshot" => copy_snapshot::run(self),
            "DeleteImage" => delete_image::run(self),
            "DeleteSnapshot" => delete_snapshot::run(self),
            "ModifyImageSharePermission" => modify_image_share_permission::run(self),
            "DescribeImageSharePermission" => describe_image_share_permission::run(self),
            "DescribeImages" => describe_images::run(self),
            "DescribeTasks" => describe_tasks::run(self),
            "DescribeTaskAttribute" => describe_task_attribute::run(self),
            "CancelTask" => cancel_task::run(self),
            "DescribeSnapshots" => describe_snapshots::run(self),
            "DescribeRegions" => describe_regions::run(self),
            "" => Err(Refusal::missing("Action")),
            _ => Err(Refusal::not_found(
                "InvalidAction.NotFound",
                "The specified api is not found, please check your url and method.",
            )),
        }
    }
}

impl Arrived {
    fn new(parts: Parts, body: Bytes) -> Self {
        let query = decode_query(parts.uri.query().unwrap_or_default());
        let mut all = query.clone();
        if header_text(&parts.headers, "content-type").starts_with("application/x-www-form-urlencoded") {
            all.extend(decode_query(&String::from_utf8_lossy(&body)));
        }
        Self { method: parts.method, headers: parts.headers, query, body, parameters: Parameters::new(all) }
    }

    fn header(&self, name: &str) -> Option<String> {
        Some(header_text(&self.headers, name)).filter(|text| !text.is_empty())
    }

    fn is_acs3(&self) -> bool {
        self.header("authorization").is_some_and(|text| text.starts_with(super::acs3::ALGORITHM))
    }

    /// Newer clients name the action in a header, older ones in a parameter, TEA with RPC signatures in both.
    fn action(&self) -> String {
        self.header("x-acs-action")
            .or_else(|| self.parameters.optional("Action").map(str::to_owned))
            .unwrap_or_default()
    }

    fn envelope(&self) -> Envelope {
        let asks_json = self.parameters.optional("Format").is_some_and(|format| format.eq_ignore_ascii_case("json"));
        Envelope {
            request_id: uuid::Uuid::new_v4().to_string().to_uppercase(),
            host_id: header_text(&self.headers, "host"),
            action: self.action(),
            is_json: self.is_acs3() || asks_json,
        }
    }

    fn call(&self, envelope: &Envelope) -> Call {
        let mut call = Call::new(Cloud::Alibaba, envelope.action.clone(), envelope.request_id.clone());
        let text = |name| self.parameters.optional(name).map(str::to_owned);
        call.region = text("RegionId").unwrap_or_default();
        call.image = text("ImageId");
        call.bucket = text("OSSBucket");
        call.dry_run = matches!(self.parameters.flag("DryRun"), Ok(Some(true)));
        call.destinations = text("DestinationRegionId").into_iter().collect();
        call.mutating = MUTATING.contains(&envelope.action.as_str()) && !call.dry_run;
        call
    }
}
