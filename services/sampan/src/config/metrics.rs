//! Where Prometheus scrapes.

use serde::{Deserialize, Serialize};

/// Metrics for Prometheus; a collector of `telemetry.otlp_endpoint` gets them too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Address of the listener for scrapes of `/metrics`, such as `127.0.0.1:9464`; port 0 picks a free one. Without
    /// it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Permits an address that other machines reach. What can be read there are names of accounts and regions, and
    /// numbers.
    pub insecure: bool,
}
