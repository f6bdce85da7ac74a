//! What a refused call told its caller.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A status, unpacked.
#[derive(Debug)]
pub struct Refusal {
    /// The canonical code.
    pub code: Code,
    /// The sentence.
    pub message: String,
    /// The unpacked details.
    pub details: ErrorDetails,
}

impl Refusal {
    /// Unpacks a status.
    pub fn of(status: &Status) -> Self {
        Self { code: status.code(), message: status.message().to_owned(), details: status.get_error_details() }
    }

    /// Returns the reason of the ErrorInfo; empty without one.
    pub fn reason(&self) -> &str {
        self.details.error_info().map_or("", |info| info.reason.as_str())
    }

    /// Returns what the ErrorInfo tells the caller to do; empty when it says nothing.
    pub fn remedy(&self) -> &str {
        self.fact("remedy")
    }

    /// Returns a fact of the ErrorInfo; empty when it is not told.
    pub fn fact(&self, key: &str) -> &str {
        self.details.error_info().and_then(|info| info.metadata.get(key)).map_or("", String::as_str)
    }

    /// Returns the fields that are wrong, each with its reason.
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let violations = self.details.bad_request().map_or(&[][..], |request| &request.field_violations);
        violations.iter().map(|violation| (violation.field.as_str(), violation.reason.as_str())).collect()
    }
}

/// Returns whether a call may go through when it is made again: a server died or stops, or its store is away.
pub fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded | Code::Internal
    )
}
