//! Records refused requests, and refuses new work while records cannot be kept.
//!
//! Two layers, because the caller is found out further inside than refusals become visible: [`Refusals`] is outside
//! of all others, [`Named`] inside of them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use sampan_cloud::audit::{AuditEvent, AuditLog, AuditRecord, CallContext, Refusal};
use sampan_core::{Reason, SharedClock};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::auth::Access;
use crate::layers::around::{Around, Next};
use crate::layers::body::poll_with;
use crate::layers::path::CallKind;
use crate::layers::request_id;
use crate::server::connection::RemoteEnd;
use crate::status::Problem;

/// Methods that change something, or hand out data.
const CHANGING: [&str; 7] = [
    "/sampan.export.v1.ExportService/ExportImage",
    "/sampan.export.v1.ExportService/CreateDownloadUrls",
    "/sampan.copy.v1.CopyService/CopyImage",
    "/sampan.share.v1.ShareService/ShareImage",
    "/sampan.share.v1.ShareService/UnshareImage",
    "/sampan.share.v1.ShareService/SetImageShares",
    "/sampan.operation.v1.OperationService/RetryOperation",
];
/// Changes something, and is never refused for want of records: stopping must be possible.
const CANCELLING: &str = "/sampan.operation.v1.OperationService/CancelOperation";

fn changes(path: &str) -> bool {
    path == CANCELLING || CHANGING.contains(&path)
}

/// Carries from the inner layer to the outer one who calls, and the other way where records are kept.
#[derive(Debug, Clone)]
struct Witness {
    caller: Arc<OnceLock<String>>,
    log: Arc<dyn AuditLog>,
}

/// The outer layer; without a log it does nothing.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Option<Sink>);

#[derive(Debug, Clone)]
struct Sink {
    log: Arc<dyn AuditLog>,
    clock: SharedClock,
}

impl Refusals {
    /// Records into `log`, dated by `clock`.
    pub fn new(log: Arc<dyn AuditLog>, clock: SharedClock) -> Self {
        Self(Some(Sink { log, clock }))
    }
}

/// The inner layer: tells the outer one who calls, and whatever calls a cloud within the request. While records cannot
/// be kept it refuses new work, so that its caller learns at once what operations would run into.
#[derive(Debug, Clone, Copy)]
pub struct Named;

impl Around for Named {
    async fn around<N: Next>(&self, request: Request<Body>, next: N) -> Response<Body> {
        let Some(witness) = request.extensions().get::<Witness>().cloned() else { return next.run(request).await };
        let caller = Access::of(request.extensions()).caller().to_owned();
        // Set once, by this layer alone.
        let _ = witness.caller.set(caller.clone());
        // The record of this refusal is written too: it finds out whether there is room again.
        if witness.log.is_failing() && CHANGING.contains(&request.uri().path()) {
            let words = "the last audit record could not be written, so nothing new is begun";
            return Status::from(Problem::new(Reason::AuditUnavailable, words).retry_after(RETRY_AFTER)).into_http();
        }
        CallContext { caller, ..CallContext::default() }.scope(next.run(request)).await
    }
}

impl Around for Refusals {
    async fn around<N: Next>(&self, mut request: Request<Body>, next: N) -> Response<Body> {
        let Some(sink) = &self.0 else { return next.run(request).await };
        let path = request.uri().path();
        if CallKind::of(path) == CallKind::Infrastructure {
            return next.run(request).await;
        }
        let witness = Witness { caller: Arc::default(), log: Arc::clone(&sink.log) };
        let mut case = Case {
            changes: changes(path),
            method: path.to_owned(),
            request_id: String::new(),
            address: RemoteEnd::of(request.extensions()).address().map(|address| address.to_string()),
            caller: Arc::clone(&witness.caller),
            sink: sink.clone(),
        };
        request.extensions_mut().insert(witness);
        let response = next.run(request).await;
        let id = response.headers().get(request_id::HEADER).and_then(|id| id.to_str().ok());
        case.request_id = id.unwrap_or_default().to_owned();
        match Status::from_header_map(response.headers()) {
            Some(status) => {
                case.judge(&status);
                response
            }
            None => response.map(|body| watched(body, case)),
        }
    }
}

/// When a caller may hope that there is room again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Judges by the trailers; a body that is not read to its end was refused by nobody.
fn watched(body: Body, case: Case) -> Body {
    poll_with(body, move |inner, context| {
        let polled = http_body::Body::poll_frame(inner, context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(status) =
                frame.trailers_ref().and_then(|trailers: &HeaderMap| Status::from_header_map(trailers))
        {
            case.judge(&status);
        }
        polled
    })
}

/// A request whose end is awaited.
struct Case {
    changes: bool,
    method: String,
    request_id: String,
    address: Option<String>,
    caller: Arc<OnceLock<String>>,
    sink: Sink,
}

impl Case {
    fn judge(&self, status: &Status) {
        let is_refused = match status.code() {
            Code::Ok => false,
            Code::PermissionDenied | Code::Unauthenticated => true,
            _ => self.changes,
        };
        if is_refused {
            self.sink.log.note(&self.record(status));
        }
    }

    fn record(&self, status: &Status) -> AuditRecord {
        let info = status.get_details_error_info();
        let (reason, facts) = info.map(|info| (info.reason, info.metadata)).unwrap_or_default();
        let details: BTreeMap<_, _> = facts.into_iter().filter(|(key, _)| key != "remedy").collect();
        let caller = self.caller.get().cloned().unwrap_or_default();
        let refusal = Refusal {
            method: self.method.clone(),
            request_id: self.request_id.clone(),
            address: self.address.clone(),
            code: word(status.code()),
            reason,
            message: status.message().to_owned(),
            details,
        };
        AuditRecord {
            time: self.sink.clock.now(),
            id: Uuid::now_v7().to_string(),
            context: CallContext { caller, ..CallContext::default() },
            event: AuditEvent::Refused(refusal),
        }
    }
}

/// Returns the canonical spelling of a code, such as `PERMISSION_DENIED`.
fn word(code: Code) -> String {
    let mut word = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_uppercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// Beginnings of methods that only look.
    const LOOKING: [&str; 7] = ["Get", "List", "Wait", "Watch", "Preview", "Estimate", "Check"];

    #[test]
    fn every_method_that_does_not_only_look_is_one_that_changes() {
        let set = FileDescriptorSet::decode(sampan_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut found = 0;
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    let looks = LOOKING.iter().any(|start| method.name().starts_with(start));
                    assert_ne!(looks, changes(&path), "{path}");
                    found += usize::from(changes(&path));
                }
            }
        }
        assert_eq!(found, CHANGING.len() + 1);
    }

    #[test]
    fn codes_are_spelled_as_everywhere() {
        assert_eq!(word(Code::PermissionDenied), "PERMISSION_DENIED");
        assert_eq!(word(Code::Unauthenticated), "UNAUTHENTICATED");
        assert_eq!(word(Code::InvalidArgument), "INVALID_ARGUMENT");
    }
}
