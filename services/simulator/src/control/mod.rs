//! The control API: JSON over HTTP for demos, tests and users' own CI.
//!
//! Decides paths and methods. Lists come as one object with one array, the audit as JSON lines; a request that is
//! not as documented gets 400 with `{"error":{"message":…}}`, a name that is taken 409.
//!
//! | call | does |
//! |---|---|
//! | `GET /_sim/health` | ready, and what time it is |
//! | `POST /_sim/reset` | back to the seeded state |
//! | `POST /_sim/accounts` | `cloud, account, secret_id, secret_key` and optional `app_id` (needed on Tencent), `token`, `export_roles`, `kms_keys[{id, enabled?}]`, `resource_groups`, `sub_accounts`, `limits` |
//! | `POST /_sim/limits` | `cloud, account, limits`, the last with any of `daily_operations, running_exports, system_disk_gib, data_disk_gib, data_disks, images_per_region, export_enabled, running_copies, copy_image_gib, copy_regions, data_disk_images, cancel_copies, snapshots_per_region, share_accounts, shared_images, encrypted_shares, kms_enabled, dry_run_is_error`; `null` lifts `daily_operations`, `system_disk_gib`, `copy_image_gib`, `copy_regions`, `snapshots_per_region` and `shared_images` |
//! | `POST /_sim/images` | `cloud, account, region, name, disks[{role, device?, size_gib?, file?}]` and optional `platform, os_name, origin, encrypted, state, id, owner, description` |
//! | `POST /_sim/buckets` | `cloud, account, region, name` and optional `writable, encrypted, storage_class` |
//! | `POST /_sim/images/change` | `cloud, region, id` and any of `state, in_use, kms_key, name, boot_mode, own_licence`, or `removed`: somebody changes an image or takes it away |
//! | `POST /_sim/shares` | `cloud, region, image, receiver` and optional `shared`: somebody gives a permission, or takes it back |
//! | `GET /_sim/accounts`, `images`, `snapshots`, `buckets`, `objects`, `shares`, `tasks`, `faults`, `clock` | what there is now |
//! | `GET /_sim/quota?cloud=&account=&region=` | used operations of today, and the limit |
//! | `GET /_sim/audit?after=SEQ` | every call |
//! | `POST /_sim/faults` | `action, kind` and optional `cloud, region, times, delay_ms`; the region is the caller's, for tasks the destination |
//! | `POST /_sim/clock` | any of `speed, jump_seconds, next_quota_day` |
//! | `POST /_sim/pace` | how long exports and copies take: any of `floor_ms, per_used_gib_ms, per_further_disk_ms` |
//! | `POST /_sim/console` | `cloud, account, region, n`: somebody spends n operations of today |

mod add;
mod change;
mod problem;
mod show;
mod steer;

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

use crate::world::World;
use problem::Problem;

/// Returns the routes of the control API.
pub fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/_sim/health", get(show::health))
        .route("/_sim/reset", post(reset))
        .route("/_sim/accounts", get(show::accounts).post(add::account))
        .route("/_sim/limits", post(add::limits))
        .route("/_sim/images", get(show::images).post(add::image))
        .route("/_sim/buckets", get(show::buckets).post(add::bucket))
        .route("/_sim/objects", get(show::objects))
        .route("/_sim/images/change", post(change::image))
        .route("/_sim/snapshots", get(show::snapshots))
        .route("/_sim/shares", get(show::shares).post(change::share))
        .route("/_sim/tasks", get(show::tasks))
        .route("/_sim/quota", get(show::quota))
        .route("/_sim/audit", get(show::audit))
        .route("/_sim/faults", get(show::faults).post(steer::fault))
        .route("/_sim/clock", get(show::clock).post(steer::clock))
        .route("/_sim/pace", post(steer::pace))
        .route("/_sim/console", post(steer::console))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(world)
}

async fn reset(State(world): State<Arc<World>>) -> Json<Value> {
    world.reset();
    Json(json!({ "status": "ok" }))
}

async fn unknown(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("the control API has no {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
