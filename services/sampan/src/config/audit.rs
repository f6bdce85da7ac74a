//! Where records of changes at the clouds and of refused requests are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Audit records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// File that records are appended to, one JSON object a line. While it cannot be written, no call that changes
    /// something is made. A collector of `telemetry.otlp_endpoint` gets the records too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}
