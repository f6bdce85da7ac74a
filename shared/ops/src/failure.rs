//! Decides in which words an operation fails.

use sampan_cloud::CallError;
use sampan_core::Reason;
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
