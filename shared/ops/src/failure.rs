//! Decides in which words an operation fails.

use sampan_cloud::CallError;
use sampan_core::{Reason, Violation};
use sampan_state::operation::Failure;

/// Tells a failed cloud call.
pub fn of_call(error: &CallError) -> Failure {
    Failure {
        reason: error.reason.as_str().to_owned(),
        message: error.to_string(),
        vendor_code: error.code.clone(),
        vendor_request_id: error.request_id.clone(),
        violations: Vec::new(),
    }
}

/// Tells a failure that no cloud has caused.
pub fn of_reason(reason: Reason, message: impl Into<String>) -> Failure {
    Failure {
        reason: reason.as_str().to_owned(),
        message: message.into(),
        vendor_code: None,
        vendor_request_id: None,
        violations: Vec::new(),
    }
}

/// Tells broken rules, of which the first gives the reason; never empty.
pub fn of_rules(violations: Vec<Violation>) -> Failure {
    let first = violations.first();
    let reason = first.map(|violation| violation.rule.clone()).unwrap_or_default();
    let message = match (first, violations.len()) {
        (Some(first), 1) => first.message.clone(),
        (Some(first), 2) => format!("{}, and 1 more rule is broken", first.message),
        (Some(first), count) => format!("{}, and {} more rules are broken", first.message, count - 1),
        (None, _) => String::new(),
    };
    Failure { reason, message, vendor_code: None, vendor_request_id: None, violations }
}
