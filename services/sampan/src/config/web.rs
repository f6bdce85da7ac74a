//! Which browsers are served.

use serde::{Deserialize, Serialize};

/// gRPC-Web on the gRPC listener, for pages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Whether gRPC-Web is spoken.
    pub grpc_web: bool,
    /// Origins whose pages may call, such as `https://console.example`; pages of others may not.
    pub origins: Vec<String>,
}
