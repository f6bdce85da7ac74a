//! Gives statuses that tonic makes by itself their reason, so that every error of Sampan has an ErrorInfo.

use http::{Request, Response};
use sampan_core::Reason;
use tonic::body::Body;
use tonic::{Code, Status};

use super::around::{Around, Next};
use super::path::CallKind;
use crate::server::MAX_MESSAGE_BYTES;
use crate::status::Problem;

/// The layer.
#[derive(Debug, Clone, Copy)]
pub struct Complete;

impl Around for Complete {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let response = next.run(request).await;
        // Their protocols say what their codes mean: "not found" is how health tells of an unknown service.
        if CallKind::of(&path) == CallKind::Infrastructure {
            return response;
        }
        match Status::from_header_map(response.headers()) {
            Some(bare) if bare.code() != Code::Ok && bare.details().is_empty() => {
                Status::from(problem(&bare, &path)).into_http()
            }
            Some(_) | None => response,
        }
    }
}

fn problem(bare: &Status, path: &str) -> Problem {
    let text = bare.message();
    match bare.code() {
        Code::OutOfRange if text.contains("message length too large") => Problem::new(
            Reason::MessageTooLarge,
            format!("a request has at most {MAX_MESSAGE_BYTES} bytes; this one is larger"),
        )
        .with("limit_bytes", MAX_MESSAGE_BYTES.to_string()),
        Code::Unimplemented if text.is_empty() => {
            Problem::new(Reason::MethodUnknown, format!("there is no method {path} here")).with("method", path)
        }
        Code::Unimplemented => Problem::new(Reason::MethodUnknown, text),
        Code::Internal if is_unreadable(text) => Problem::new(Reason::RequestUnreadable, text),
        Code::InvalidArgument => Problem::new(Reason::RequestUnreadable, text),
        Code::DeadlineExceeded => Problem::new(Reason::RequestDeadlinePassed, text),
        Code::Cancelled => Problem::new(Reason::RequestDeadlinePassed, text),
        Code::Unavailable => Problem::new(Reason::Overloaded, text).retry_after(crate::status::TRANSIENT_RETRY),
        // Any other status was made by hand somewhere: its text is not known to be fit for callers.
        _ => {
            tracing::error!(grpc.code = ?bare.code(), error = text, "status without a reason");
            Problem::new(Reason::InternalFault, "a fault of the server ended the call")
        }
    }
}

// The words of tonic and prost for a body that is no message of the wanted type.
fn is_unreadable(text: &str) -> bool {
    ["failed to decode Protobuf message", "Missing request message", "Unexpected EOF", "compression flag"]
        .iter()
        .any(|words| text.contains(words))
}
