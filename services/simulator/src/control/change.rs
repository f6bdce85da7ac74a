//! Decides how control requests are written that do by hand what somebody in a web console does to an image.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use sampan_core::Cloud;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::world::{ImageChange, ImageState, World};

type Changed = Result<Json<Value>, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageBody {
    cloud: Cloud,
    region: String,
    id: String,
    state: Option<ImageState>,
    in_use: Option<bool>,
    kms_key: Option<String>,
    name: Option<String>,
    boot_mode: Option<String>,
    own_licence: Option<bool>,
    /// Takes the image away; nothing else may be asked for then.
    #[serde(default)]
    removed: bool,
}

pub(super) async fn image(State(world): State<Arc<World>>, body: Bytes) -> Changed {
    let body: ImageBody = read(&body)?;
    let of_alibaba = [ImageState::Waiting, ImageState::Unavailable, ImageState::Deprecated];
    if let Some(state) = body.state.filter(|state| of_alibaba.contains(state) && body.cloud == Cloud::Tencent) {
        return Err(Problem::bad(format!("state: tencent has no {}", json!(state))));
    }
    let change = ImageChange {
        state: body.state,
        in_use: body.in_use,
        kms_key: body.kms_key,
        name: body.name,
        boot_mode: body.boot_mode,
        own_licence: body.own_licence,
    };
    if body.removed {
        if change != ImageChange::default() {
            return Err(Problem::bad("removed: goes with no other change"));
        }
        world.remove_image(body.cloud, &body.region, &body.id)?;
        return Ok(Json(json!({ "removed": body.id })));
    }
    Ok(Json(json!(world.change_image(body.cloud, &body.region, &body.id, &change)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareBody {
    cloud: Cloud,
    region: String,
    image: String,
    receiver: String,
    #[serde(default = "yes")]
    shared: bool,
}

fn yes() -> bool {
    true
}

pub(super) async fn share(State(world): State<Arc<World>>, body: Bytes) -> Changed {
    let body: ShareBody = read(&body)?;
    let shares = world.change_share(body.cloud, &body.region, &body.image, &body.receiver, body.shared)?;
    Ok(Json(json!({ "shares": shares })))
}
