//! Decides how the control API shows what the clouds hold.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::header;
use sampan_core::Cloud;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::steer::clock_view;
use crate::world::World;

pub(super) async fn health(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "status": "ok", "clock": clock_view(&world) }))
}

pub(super) async fn accounts(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "accounts": world.accounts() }))
}

pub(super) async fn images(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "images": world.all_images() }))
}

pub(super) async fn snapshots(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "snapshots": world.all_snapshots() }))
}

pub(super) async fn buckets(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "buckets": world.buckets() }))
}

pub(super) async fn objects(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "objects": world.all_objects() }))
}

pub(super) async fn shares(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "shares": world.shares() }))
}

pub(super) async fn tasks(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "tasks": world.all_tasks() }))
}

pub(super) async fn faults(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "faults": world.faults() }))
}

pub(super) async fn clock(State(world): State<Arc<World>>) -> Json<Value> {
    Json(clock_view(&world))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaneQuery {
    cloud: Cloud,
    account: String,
    region: String,
}

pub(super) async fn quota(
    State(world): State<Arc<World>>,
    query: Result<Query<LaneQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(lane) = query.map_err(|rejection| Problem::bad(rejection.body_text()))?;
    let account = world
        .account(lane.cloud, &lane.account)
        .ok_or_else(|| Problem::bad(format!("{} has no account {}", lane.cloud, lane.account)))?;
    let used = world.used_operations(lane.cloud, &lane.account, &lane.region);
    Ok(Json(json!({ "used": used, "limit": account.limits.daily_operations })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// Lines with a greater `seq` only.
    #[serde(default)]
    after: u64,
}

pub(super) async fn audit(
    State(world): State<Arc<World>>,
    query: Result<Query<AuditQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad(rejection.body_text()))?;
    let mut text = String::new();
    for line in world.audit().iter().filter(|line| line.seq > query.after) {
        text.push_str(&json!(line).to_string());
        text.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from(text)).into_response())
}
