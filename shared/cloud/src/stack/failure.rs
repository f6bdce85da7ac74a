//! Decides how one failed attempt looks inside the stack, and how it becomes the [`CallError`] outside of it.

use std::time::Duration;

use sampan_core::Reason;

use super::decode::Reply;
use super::redact::scrub;
use super::request::{Head, Idempotency};
use crate::error::{CallClass, CallError};

/// What went wrong between the signer and the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request could not be put together; nothing was sent.
    #[error("the request could not be built: {0}")]
    Unbuildable(String),
    /// No usable credentials; nothing was sent.
    #[error("no usable credentials: {0}")]
    Credentials(String),
    /// The source of the credentials did not answer; nothing was sent.
    #[error("the source of the credentials did not answer: {0}")]
    CredentialSource(String),
    /// No connection was made; nothing was sent.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke or fell silent after the request may have left.
    #[error("the connection broke: {0}")]
    Interrupted(String),
    /// The answer is larger than an API answer can be.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The ceiling.
        limit_bytes: usize,
    },
}

impl Fault {
    fn into_failure(self) -> Failure {
        let message = self.to_string();
        match self {
            Self::Unbuildable(_) => Failure::new(CallClass::Caller, Reason::InternalFault, message).unsent(),
            Self::Credentials(_) => {
                Failure::new(CallClass::Credentials, Reason::CloudCredentialsRejected, message).unsent()
            }
            Self::Connect(_) | Self::CredentialSource(_) => {
                Failure::new(CallClass::Transient, Reason::CloudUnavailable, message).unsent()
            }
            Self::Interrupted(_) => Failure::new(CallClass::Transient, Reason::CloudUnavailable, message),
            Self::TooLarge { .. } => Failure::unreadable(message),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        fault.into_failure()
    }
}

/// One failed attempt, or a failed call without its cloud and action.
///
/// A decoder makes it by the vendor's table of codes. Class `Transient` means "a fault of the vendor"; whether
/// the call may have acted is added by the stack, from the request's [`Idempotency`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the failure permits.
    pub class: CallClass,
    /// The reason told to a caller of Sampan.
    pub reason: Reason,
    /// The vendor's code, to the letter.
    pub code: Option<String>,
    /// The vendor's message; scrubbed before it leaves the stack.
    pub message: String,
    /// The vendor's request id.
    pub request_id: Option<String>,
    /// HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// When the vendor wants the next attempt.
    pub retry_after: Option<Duration>,
    /// Credentials that are fetched anew may be accepted: the attempt is repeated once with them.
    pub renew_credentials: bool,
    /// Nothing left this machine, so the call surely had no effect.
    pub(super) never_sent: bool,
    /// Attempts made when the failure was returned.
    pub(super) attempts: u32,
}

impl Failure {
    /// Makes a failure without code, status and hint.
    pub fn new(class: CallClass, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            class,
            reason,
            code: None,
            message: message.into(),
            request_id: None,
            http_status: None,
            retry_after: None,
            renew_credentials: false,
            never_sent: false,
            attempts: 1,
        }
    }

    /// Makes the failure of an answer that is not understood; `what` is a phrase.
    pub fn unreadable(what: impl Into<String>) -> Self {
        Self::new(CallClass::Transient, Reason::CloudAnswerUnreadable, what)
    }

    pub(super) fn unsent(mut self) -> Self {
        self.never_sent = true;
        self
    }

    /// Returns whether the cloud may have acted on the attempt.
    pub(super) fn may_have_acted(&self) -> bool {
        match self.class {
            CallClass::UnknownOutcome => true,
            CallClass::Transient => !self.never_sent,
            CallClass::Throttled
            | CallClass::Busy
            | CallClass::Quota
            | CallClass::Caller
            | CallClass::NotFound
            | CallClass::Permission
            | CallClass::Credentials => false,
        }
    }

    /// Turns the failure of the last attempt into the error of the call.
    pub(super) fn into_error(self, head: &Head) -> CallError {
        let acted = head.idempotency != Idempotency::Safe && self.may_have_acted();
        CallError {
            cloud: head.cloud,
            action: head.action,
            class: if acted { CallClass::UnknownOutcome } else { self.class },
            reason: self.reason,
            code: self.code,
            message: scrub(&self.message),
            request_id: self.request_id,
            http_status: self.http_status,
            retry_after: self.retry_after,
            attempts: self.attempts,
        }
    }

    /// Turns a failure to read `reply` into the error of the call.
    pub(super) fn after(mut self, head: &Head, reply: &Reply) -> CallError {
        self.http_status = Some(reply.status);
        self.request_id = reply.request_id.clone();
        self.attempts = reply.attempts;
        self.into_error(head)
    }
}
