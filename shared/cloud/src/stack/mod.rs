//! The call stack: the layers that every vendor call goes through, in one order.
//!
//! ```text
//! audit → trace → retry → pace → timeout → decode → sign → transport
//! ```
//!
//! | layer | decides | file |
//! |---|---|---|
//! | audit | that no call changes something without a record | `audit.rs` |
//! | trace | how a finished call is told: span, [`CallError`] | `trace.rs` |
//! | retry | whether and when a failed attempt is repeated | `retry.rs`, `budget.rs` |
//! | pace | when an attempt may leave, by action and region | `pace.rs` |
//! | timeout | how long one attempt may take | `timeout.rs` |
//! | decode | what the answer means: [`Reply`] or [`Failure`] | `decode.rs` |
//! | sign | date, nonce and signature of one attempt | `sign.rs` |
//! | transport | bytes on the wire | `transport.rs` |
//!
//! Audit is outside of everything, so the attempts of one call make one pair of records. Retry is outside of sign, so each attempt has a date, a nonce and a signature of its own, while the request,
//! a client token in it included, stays the same. Retry is outside of decode, because vendors answer errors with
//! status 200. Pace is inside of retry, so repeated attempts are paced too.
//!
//! A vendor package brings a [`Signer`] and a [`Decoder`], builds an [`ApiRequest`] in one file per action, and
//! hands it to [`Stack::send`] or [`Stack::call`].

mod audit;
mod batch;
mod budget;
mod credentials;
mod decode;
mod failure;
mod hint;
pub mod metrics;
mod pace;
mod redact;
mod request;
mod retry;
mod sign;
mod timeout;
mod trace;
mod transport;

#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod tests;

pub use batch::{Batcher, Load};
pub use budget::RetryBudget;
pub use credentials::{CredentialCache, credential_context};
pub use decode::{Decoder, Reply};
pub use failure::{Failure, Fault};
pub use pace::Pacer;
pub use redact::scrub;
pub use request::{ApiRequest, Idempotency, encode};
pub use sign::{SignError, Signer};
pub use transport::{BodyStream, Transport, init_crypto};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sampan_core::retry::RetryPolicy;
use tokio::time::Instant;
use tower::layer::layer_fn;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt as _};

use crate::audit::AuditTrail;
use crate::error::CallError;

/// How long and how often calls are made.
#[derive(Debug, Clone, PartialEq)]
pub struct CallPolicy {
    /// Schedule of repeated attempts.
    pub retry: RetryPolicy,
    /// Longest time of one attempt, from signing to the last byte of the answer.
    pub attempt_timeout: Duration,
    /// Longest time of one call with all its attempts and waits.
    pub deadline: Duration,
}

impl Default for CallPolicy {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            attempt_timeout: Duration::from_secs(20),
            deadline: Duration::from_secs(120),
        }
    }
}

/// What a [`Stack`] is made of, apart from its transport.
///
/// The stacks of one account (its image API and its buckets) share `budget` and `pacer`.
#[derive(Debug, Clone)]
pub struct StackParts {
    /// Signs each attempt.
    pub signer: Arc<dyn Signer>,
    /// Reads each answer.
    pub decoder: Arc<dyn Decoder>,
    /// Bounds the repeated attempts of the account.
    pub budget: Arc<RetryBudget>,
    /// Spreads the attempts of the account over time.
    pub pacer: Arc<Pacer>,
    /// Times of a call.
    pub policy: CallPolicy,
    /// Records calls that change something; `None` keeps no records.
    pub audit: Option<AuditTrail>,
}

/// One call on its way through the layers; cloned for each attempt.
#[derive(Debug, Clone)]
struct Call {
    request: Arc<ApiRequest>,
    deadline: Instant,
    /// Set once the attempt is handed to the transport.
    departed: sign::Departure,
}

/// The layers around one transport, ready for calls. Cheap to clone.
#[derive(Clone)]
pub struct Stack {
    service: BoxCloneSyncService<Call, Reply, CallError>,
    deadline: Duration,
}

impl Stack {
    /// Builds the layers around `transport`, in the order that the module states.
    pub fn new<T>(parts: StackParts, transport: T) -> Self
    where
        T: Service<http::Request<Bytes>, Response = http::Response<Bytes>, Error = Fault>,
        T: Clone + Send + Sync + 'static,
        T::Future: Send + 'static,
    {
        let StackParts { signer, decoder, budget, pacer, policy, audit } = parts;
        let renewer = Arc::clone(&signer);
        let deadline = policy.deadline;
        let service = ServiceBuilder::new()
            .layer(layer_fn(|inner| audit::Audit::new(inner, audit.clone())))
            .layer(layer_fn(trace::Trace::new))
            .layer(layer_fn(|inner| {
                retry::Retry::new(inner, policy.retry.clone(), Arc::clone(&budget), Arc::clone(&renewer))
            }))
            .layer(layer_fn(|inner| pace::Pace::new(inner, Arc::clone(&pacer))))
            .layer(layer_fn(|inner| timeout::Timeout::new(inner, policy.attempt_timeout)))
            .layer(layer_fn(|inner| decode::Decode::new(inner, Arc::clone(&decoder))))
            .layer(layer_fn(|inner| sign::Sign::new(inner, Arc::clone(&signer))))
            .service(transport);
        Self { service: BoxCloneSyncService::new(service), deadline }
    }

    /// Sends `request` and returns its decoded reply.
    ///
    /// # Errors
    /// The failure of the last permitted attempt. For a request that is not [`Idempotency::Safe`] the class is
    /// [`UnknownOutcome`](crate::CallClass::UnknownOutcome) whenever the cloud may have acted on it.
    ///
    /// # Cancellation
    /// Dropping the future ends the attempt; a mutating call may have taken effect then.
    pub async fn send(&self, request: ApiRequest) -> Result<Reply, CallError> {
        let call = Call {
            request: Arc::new(request),
            deadline: Instant::now() + self.deadline,
            departed: sign::Departure::default(),
        };
        self.service.clone().oneshot(call).await
    }

    /// Sends `request` and reads its reply by `parse`, which says in a phrase what it cannot understand.
    ///
    /// # Errors
    /// As [`Stack::send`]; an answer that `parse` cannot read has the reason `CLOUD_ANSWER_UNREADABLE`.
    pub async fn call<T>(
        &self,
        request: ApiRequest,
        parse: impl FnOnce(&Reply) -> Result<T, String>,
    ) -> Result<T, CallError> {
        let shape = request.head();
        let reply = self.send(request).await?;
        parse(&reply).map_err(|what| Failure::unreadable(what).after(&shape, &reply))
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}
