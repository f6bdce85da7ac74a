//! Decides how the control API says what is wrong with a request.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::world::EditRefusal;

/// A refused control request: a status and a sentence.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": { "message": self.message } }))).into_response()
    }
}

impl From<EditRefusal> for Problem {
    fn from(refusal: EditRefusal) -> Self {
        let status = match refusal {
            EditRefusal::Exists { .. } => StatusCode::CONFLICT,
            EditRefusal::UnknownAccount { .. }
            | EditRefusal::UnknownRegion { .. }
            | EditRefusal::UnknownBucket { .. }
            | EditRefusal::UnknownImage { .. }
            | EditRefusal::Invalid { .. } => StatusCode::BAD_REQUEST,
        };
        Self::new(status, refusal.to_string())
    }
}

/// Reads a JSON body; unknown fields and values are refused by the types' own rules.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad(format!("the body is not as documented: {error}")))
}
