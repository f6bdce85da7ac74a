//! Decides how a failed cloud call looks, and what its class permits the caller to do.
//!
//! Which vendor code falls into which class is decided in the one table of each vendor package.

use std::time::Duration;

use sampan_core::{Cloud, Reason};

/// What a failed call permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallClass {
    /// Network, overload or a fault of the vendor, before any effect: the same call can be repeated soon.
    Transient,
    /// The vendor asks for fewer requests per second or minute: repeat after its hint.
    Throttled,
    /// Other work holds the resource (image being exported or copied, task list full): repeat after minutes.
    Busy,
    /// A quota of the vendor is used up: nothing helps before its reset.
    Quota,
    /// The request is wrong or its subject forbids it: never repeat it unchanged.
    Caller,
    /// The named thing does not exist: never repeat it unchanged.
    NotFound,
    /// The identity is known and not permitted.
    Permission,
    /// The credentials are not accepted.
    Credentials,
    /// The call may have taken effect: look for the effect before anything else.
    UnknownOutcome,
}

/// Failure of one cloud call after its last permitted attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cloud} {action} failed: {}{message}", code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default())]
pub struct CallError {
    /// The cloud that was called.
    pub cloud: Cloud,
    /// The vendor's name of the action, such as `ExportImages` or `HeadObject`.
    pub action: &'static str,
    /// What the failure permits.
    pub class: CallClass,
    /// The reason under which the failure is told to a caller of Sampan.
    pub reason: Reason,
    /// The vendor's code, to the letter; `None` when no answer was decoded.
    pub code: Option<String>,
    /// The vendor's message without secrets and signed texts, at most 500 characters.
    pub message: String,
    /// The vendor's request id, for its support.
    pub request_id: Option<String>,
    /// HTTP status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// The vendor's own hint about when to come back.
    pub retry_after: Option<Duration>,
    /// Attempts made, the first included.
    pub attempts: u32,
}

impl CallError {
    /// Returns whether the call surely never took effect.
    pub fn is_without_effect(&self) -> bool {
        self.class != CallClass::UnknownOutcome
    }
}
