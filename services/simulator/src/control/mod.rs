//! The control API: JSON over HTTP for demos, tests and users' own CI.

use std::sync::Arc;

use axum::Router;

use crate::world::World;

/// Returns the routes of the control API.
pub fn router(_world: Arc<World>) -> Router {
    Router::new()
}
