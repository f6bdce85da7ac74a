//! The configuration: file, then environment, then flags; later ones win.
//!
//! Unknown keys are refused with the nearest right name. What the parts are made of is decided in `wiring`.

mod account;
mod audit;
mod billing;
mod environment;
mod metrics;
mod peers;
mod read;
mod security;
mod server;
mod store;
mod web;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use sampan_core::AccountName;
use sampan_core::limits::LimitChoices;
use sampan_core::quota_day::CHINA_OFFSET_MINUTES;
use serde::{Deserialize, Serialize};

pub use account::{AccountConfig, CredentialsConfig, EndpointsConfig, SecretText, SiteWord};
pub use audit::AuditConfig;
pub use billing::BillingConfig;
pub use metrics::MetricsConfig;
pub use peers::PeersConfig;
pub use read::Error;
pub use security::{AuthConfig, TlsConfig};
pub use server::ServerConfig;
pub use store::StoreChoice;
pub use web::WebConfig;

use crate::cli::ServeArgs;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Listener, roles and bounds.
    pub server: ServerConfig,
    /// Certificates of the listener.
    pub tls: TlsConfig,
    /// Who may call, and what.
    pub auth: AuthConfig,
    /// Which browsers are served.
    pub web: WebConfig,
    /// Where operations are kept: `embedded[:DIR]` or `memory`.
    pub store: StoreChoice,
    /// Accounts by name. Without any, `tencent` and `alibaba` exist with the vendors' own credential chains.
    pub accounts: BTreeMap<AccountName, AccountConfig>,
    /// Vendor limits.
    pub limits: LimitChoices,
    /// Durable operations.
    pub operations: OperationsConfig,
    /// Calls to the clouds.
    pub cloud_calls: CloudCallsConfig,
    /// Where the roles are that run in other processes.
    pub peers: PeersConfig,
    /// Prices of the estimator.
    pub billing: BillingConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// Records of changes and refusals.
    pub audit: AuditConfig,
    /// Metrics for Prometheus.
    pub metrics: MetricsConfig,
}

/// Durable operations.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperationsConfig {
    /// Operations that one process works on at once.
    pub concurrency: usize,
    /// Factor on every pause between two looks at the cloud; below 1 only for trials against a simulator.
    pub poll_scale: f64,
    /// Seconds after which others take over what a killed process was working on.
    pub lease_seconds: u64,
    /// Offset of the quota day from UTC in minutes; the default is 480 (UTC+8).
    pub quota_day_offset_minutes: i16,
}

impl Default for OperationsConfig {
    fn default() -> Self {
        Self { concurrency: 64, poll_scale: 1.0, lease_seconds: 30, quota_day_offset_minutes: CHINA_OFFSET_MINUTES }
    }
}

/// Calls to the clouds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CloudCallsConfig {
    /// Attempts of one call in all.
    pub max_attempts: u32,
    /// Milliseconds before the second attempt; later ones wait longer.
    pub first_delay_millis: u64,
    /// Seconds that one attempt may take.
    pub attempt_timeout_seconds: u64,
    /// Seconds that one call may take with all its attempts.
    pub deadline_seconds: u64,
}

impl Default for CloudCallsConfig {
    fn default() -> Self {
        Self { max_attempts: 6, first_delay_millis: 500, attempt_timeout_seconds: 20, deadline_seconds: 120 }
    }
}

impl CloudCallsConfig {
    /// Returns the time of one attempt.
    pub fn attempt_timeout(&self) -> Duration {
        Duration::from_secs(self.attempt_timeout_seconds)
    }

    /// Returns the time of one call.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }
}

/// Logs and traces.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Filter of the log, such as `info` or `sampan_ops=debug,info`.
    pub log: String,
    /// Whether log lines are JSON; by default they are when standard error is no terminal.
    pub json: Option<bool>,
    /// Address of an OTLP collector over gRPC; nothing is exported without one.
    pub otlp_endpoint: Option<String>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "info".to_owned(), json: None, otlp_endpoint: None }
    }
}

impl Config {
    /// Reads the file, if one is named, and lays the environment and then the flags over it.
    ///
    /// # Errors
    /// [`Error`] with a sentence for each wrong key or value.
    pub fn load(args: &ServeArgs) -> Result<Self, Error> {
        let file = args.config.as_deref().map(read::file).transpose()?;
        let file = file.as_ref().map(|(path, text)| (path.as_str(), text.as_str()));
        let mut config = Self::parse(file, std::env::vars_os())?;
        if let Some(listen) = &args.listen {
            config.server.listen.clone_from(listen);
        }
        if !args.roles.is_empty() {
            config.server.roles.clone_from(&args.roles);
        }
        if let Some(store) = &args.store {
            config.store = store.parse()?;
        }
        Ok(config)
    }

    /// Reads the text of a file, if there is one, and lays variables over it.
    ///
    /// - `file`: the file's name, for messages, and its text.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(
        file: Option<(&str, &str)>,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Error> {
        read::layered(file, variables)
    }

    /// Returns the configuration as TOML, every secret replaced by `***`.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it cannot be written as TOML.
    pub fn redacted(&self) -> Result<String, Error> {
        toml::to_string_pretty(self)
            .map_err(|error| Error::Malformed { path: "the configuration".to_owned(), message: error.to_string() })
    }
}
