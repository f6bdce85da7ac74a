//! Says how one rule that a request breaks is told to the caller.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a broken rule stops the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The request is refused.
    Enforced,
    /// The request goes on; the caller is told.
    Warning,
}

/// One rule that a request or the state of the cloud breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Stable identity of the rule, such as `export.image.windows`.
    pub rule: String,
    /// Path of the request field that is at fault, such as `spec.bucket`; empty when no field is.
    pub field: String,
    /// What is wrong, as one sentence without a final stop.
    pub message: String,
    /// The permitted value, as text with its unit; empty where the rule has none.
    pub limit: String,
    /// The value that was found, as text with its unit; empty where there is none.
    pub observed: String,
    /// The document that the rule comes from.
    pub source: String,
    /// Date of that document, as `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; empty when it carries none.
    pub source_date: String,
    /// What the caller can do about it.
    pub fix: String,
    /// Configuration key that overrides the rule; empty when it cannot be overridden.
    pub override_key: String,
    /// Whether it stops the request.
    pub severity: Severity,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}
