//! The audit layer: records a call that changes something before it is made and after it has ended.
//!
//! It is outside of everything else, so that the attempts of one call make one pair of records, and so that a call
//! whose record cannot be written is not made.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sampan_core::Reason;
use tower::{Service, ServiceExt as _};
use uuid::Uuid;

use super::Call;
use super::decode::Reply;
use super::request::{ApiRequest, Idempotency};
use crate::audit::{AuditError, AuditEvent, AuditRecord, AuditTrail, CallContext, CallOutcome, CloudCall, OutcomeWord};
use crate::error::{CallClass, CallError};

#[derive(Debug, Clone)]
pub(super) struct Audit<S> {
    inner: S,
    trail: Option<AuditTrail>,
}

impl<S> Audit<S> {
    pub(super) fn new(inner: S, trail: Option<AuditTrail>) -> Self {
        Self { inner, trail }
    }
}

impl<S> Service<Call> for Audit<S>
where
    S: Service<Call, Response = Reply, Error = CallError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<Reply, CallError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let inner = self.inner.clone();
        match &self.trail {
            Some(trail) if call.request.idempotency != Idempotency::Safe => {
                recorded(inner, trail.clone(), call).boxed()
            }
            Some(_) | None => inner.oneshot(call).boxed(),
        }
    }
}

async fn recorded<S>(inner: S, trail: AuditTrail, call: Call) -> Result<Reply, CallError>
where
    S: Service<Call, Response = Reply, Error = CallError>,
{
    let mut ending = Ending::new(trail, &call.request);
    if let Err(error) = ending.announce().await {
        ending.end(OutcomeWord::NotMade, None, None, 0);
        return Err(not_made(&call.request, &error));
    }
    let ended = inner.oneshot(call).await;
    match &ended {
        Ok(reply) => ending.end(OutcomeWord::Ok, None, reply.request_id.clone(), reply.attempts),
        Err(error) => {
            let word = OutcomeWord::of(error.class);
            ending.end(word, Some((error.reason, error.code.clone())), error.request_id.clone(), error.attempts);
        }
    }
    ended
}

fn not_made(request: &ApiRequest, error: &AuditError) -> CallError {
    CallError {
        cloud: request.cloud,
        action: request.action,
        class: CallClass::Transient,
        reason: Reason::AuditUnavailable,
        code: None,
        message: format!("not called, because {error}"),
        request_id: None,
        http_status: None,
        retry_after: None,
        attempts: 0,
    }
}

/// One call between its two records. When it is dropped before the call has ended, nobody knows the outcome.
struct Ending {
    trail: AuditTrail,
    id: String,
    context: Arc<CallContext>,
    call: CloudCall,
    is_open: bool,
}

impl Ending {
    fn new(trail: AuditTrail, request: &ApiRequest) -> Self {
        let call = CloudCall {
            cloud: request.cloud,
            account: trail.account.as_ref().to_owned(),
            region: request.region.clone(),
            action: request.action,
        };
        Self { trail, id: Uuid::now_v7().to_string(), context: CallContext::current(), call, is_open: true }
    }

    async fn announce(&self) -> Result<(), AuditError> {
        let record = self.record(AuditEvent::Call(self.call.clone()));
        self.trail.log.announce(&record).await
    }

    fn end(
        &mut self,
        outcome: OutcomeWord,
        failure: Option<(Reason, Option<String>)>,
        vendor_request_id: Option<String>,
        attempts: u32,
    ) {
        self.is_open = false;
        let (reason, code) = failure.map_or((None, None), |(reason, code)| (Some(reason.as_str()), code));
        let call = self.call.clone();
        let outcome = CallOutcome { call, outcome, reason, code, vendor_request_id, attempts };
        self.trail.log.note(&self.record(AuditEvent::Outcome(outcome)));
    }

    fn record(&self, event: AuditEvent) -> AuditRecord {
        let (id, context) = (self.id.clone(), self.context.as_ref().clone());
        AuditRecord { time: self.trail.clock.now(), id, context, event }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if self.is_open {
            self.end(OutcomeWord::Unknown, None, None, 0);
        }
    }
}
