//! Decides what each documented code of CVM, CBS, STS and COS permits, and under which reason it is told: the one
//! class table of this vendor.
//!
//! A code is matched in full, for its action before the others, then by the part before its first dot, then it is
//! unknown. What a lost answer means is decided by the call stack.
//!
//! Sources: the error lists of the 2017-03-12 API in the vendor's Go SDK 1.3.166, the common error codes
//! (document 1388/114322) and the COS error codes (document 436/7730), all as of 2026-11-21.

mod action;
mod api;
mod cos;

use sampan_cloud::CallClass::{self, Caller, Credentials, NotFound, Permission, Throttled, Transient, UnknownOutcome};
use sampan_core::Reason;

/// The code by which a dry run may say that the call would have succeeded.
pub(crate) const DRY_RUN_SUCCESS: &str = "DryRunOperation";

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What the failure permits.
    pub class: CallClass,
    /// The reason that a caller of Sampan is told.
    pub reason: Reason,
    /// Whether credentials that are fetched anew may be accepted.
    pub renew_credentials: bool,
}

struct Row {
    meaning: Meaning,
    codes: &'static [&'static str],
}

const fn row(class: CallClass, reason: Reason, codes: &'static [&'static str]) -> Row {
    Row { meaning: Meaning { class, reason, renew_credentials: false }, codes }
}

/// Rows of refused temporary credentials: others may have been issued meanwhile.
const fn stale(codes: &'static [&'static str]) -> Row {
    let meaning = Meaning { class: Credentials, reason: Reason::CloudCredentialsRejected, renew_credentials: true };
    Row { meaning, codes }
}

/// Returns what a code of the API (CVM, CBS, STS) means as `action` gave it; a code of an unknown family has an unknown
/// outcome.
pub fn of_api(action: &str, code: &str) -> Meaning {
    let family = code.split('.').next().unwrap_or(code);
    let own = find(action::rows(action), code);
    own.or_else(|| find(api::ANY_ACTION, code)).or_else(|| find(api::ANY_ACTION, family)).unwrap_or(Meaning {
        class: UnknownOutcome,
        reason: Reason::CloudRefused,
        renew_credentials: false,
    })
}

/// Returns what an error answer of COS means.
///
/// - `code`: the code of its body; `None` for answers without one, as HEAD gets them.
/// - `status`: its HTTP status, which decides when the code is unknown.
pub fn of_cos(code: Option<&str>, status: u16) -> Meaning {
    if let Some(meaning) = code.and_then(|code| find(cos::ANY_OPERATION, code)) {
        return meaning;
    }
    let (class, reason) = match status {
        401 | 403 => (Permission, Reason::BucketNotAccessible),
        404 => (NotFound, Reason::CloudRefused),
        408 => (Transient, Reason::CloudUnavailable),
        429 => (Throttled, Reason::CloudThrottled),
        500.. => (Transient, Reason::CloudUnavailable),
        _ => (Caller, Reason::CloudRefused),
    };
    Meaning { class, reason, renew_credentials: false }
}

fn find(table: &[Row], code: &str) -> Option<Meaning> {
    table.iter().find(|row| row.codes.contains(&code)).map(|row| row.meaning)
}

#[cfg(test)]
mod tests;
