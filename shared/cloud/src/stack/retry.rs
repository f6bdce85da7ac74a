//! The retry layer: decides whether a failed attempt is repeated, and waits the schedule's delay.
//!
//! The delays come from `sampan_core::retry`; what the account may still repeat from [`RetryBudget`].

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sampan_core::retry::{RetryPolicy, Schedule};
use tokio::time::Instant;
use tower::{Service, ServiceExt as _};
use tracing::field::Empty;
use tracing::{Instrument as _, info, info_span};

use super::budget::RetryBudget;
use super::decode::Reply;
use super::failure::Failure;
use super::request::Idempotency;
use super::sign::{Departure, Signer};
use super::{Call, metrics, redact};
use crate::error::CallClass;

#[derive(Debug, Clone)]
pub(super) struct Retry<S> {
    inner: S,
    policy: RetryPolicy,
    budget: Arc<RetryBudget>,
    signer: Arc<dyn Signer>,
}

impl<S> Retry<S> {
    pub(super) fn new(inner: S, policy: RetryPolicy, budget: Arc<RetryBudget>, signer: Arc<dyn Signer>) -> Self {
        Self { inner, policy, budget, signer }
    }
}

impl<S> Service<Call> for Retry<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let attempts = Attempts {
            schedule: self.policy.schedule(),
            began: Instant::now(),
            budget: Arc::clone(&self.budget),
            signer: Arc::clone(&self.signer),
            renewed: false,
        };
        run(self.inner.clone(), attempts, call).boxed()
    }
}

async fn run<S>(inner: S, mut attempts: Attempts, call: Call) -> Result<Reply, Failure>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone,
{
    let mut made = 1;
    loop {
        let attempt = Call { departed: Departure::default(), ..call.clone() };
        let began = Instant::now();
        let span = info_span!(
            "cloud_attempt",
            otel.kind = "client",
            otel.status_code = Empty,
            action = call.request.action,
            attempt = made,
            vendor_request_id = Empty,
            class = Empty
        );
        let ended = inner.clone().oneshot(attempt).instrument(span.clone()).await;
        metrics::attempted(&call.request, made, &ended, began.elapsed());
        let mut failure = match ended {
            Ok(mut reply) => {
                span.record("vendor_request_id", reply.request_id.as_deref());
                attempts.budget.deposit();
                reply.attempts = made;
                return Ok(reply);
            }
            Err(failure) => failure,
        };
        span.record("vendor_request_id", failure.request_id.as_deref());
        span.record("otel.status_code", "ERROR");
        span.record("class", tracing::field::debug(failure.class));
        failure.attempts = made;
        if !attempts.wait_for_next(&call, &failure).await {
            return Err(failure);
        }
        made += 1;
    }
}

/// What one call still may repeat.
struct Attempts {
    schedule: Schedule,
    began: Instant,
    budget: Arc<RetryBudget>,
    signer: Arc<dyn Signer>,
    renewed: bool,
}

impl Attempts {
    /// Waits until the next attempt may begin; `false` when there is none.
    async fn wait_for_next(&mut self, call: &Call, failure: &Failure) -> bool {
        if self.renews(failure).await {
            return true;
        }
        if !is_worth_repeating(failure, call.request.idempotency) {
            return false;
        }
        let now = Instant::now();
        let Some(delay) = self.schedule.next_delay(now - self.began, failure.retry_after) else {
            return false;
        };
        // An attempt that would begin at the deadline can only fail; the caller has better use for the time.
        if now + delay >= call.deadline || !self.budget.withdraw() {
            return false;
        }
        info!(
            cloud = %call.request.cloud,
            action = call.request.action,
            attempt = failure.attempts,
            class = ?failure.class,
            code = failure.code.as_deref(),
            problem = redact::scrub(&failure.message),
            delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "call is repeated"
        );
        tokio::time::sleep(delay).await;
        true
    }

    /// Fetches new credentials, once a call, when the vendor refused those in use.
    async fn renews(&mut self, failure: &Failure) -> bool {
        if !failure.renew_credentials || self.renewed || failure.class != CallClass::Credentials {
            return false;
        }
        self.renewed = true;
        self.signer.renew().await
    }
}

fn is_worth_repeating(failure: &Failure, idempotency: Idempotency) -> bool {
    match failure.class {
        CallClass::Throttled => true,
        CallClass::Transient => idempotency != Idempotency::Unsafe || !failure.may_have_acted(),
        CallClass::Busy
        | CallClass::Quota
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials
        | CallClass::UnknownOutcome => false,
    }
}
