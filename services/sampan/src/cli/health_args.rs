//! The options of `health`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{ConnectionArgs, ServeArgs, examples, parse};

/// Options of `health`.
#[derive(Debug, Args)]
#[command(after_help = examples::HEALTH)]
pub struct HealthArgs {
    /// Address of the server; default: where `serve` with the same configuration listens.
    #[arg(long, env = "SAMPAN_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,
    /// Configuration file of the server to ask, when no address is given.
    #[arg(long, env = "SAMPAN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address that the server listens on, when it is not that of the configuration.
    #[arg(long, env = "SAMPAN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Service to ask for, such as sampan.export.v1.ExportService or sampan.liveness; default: the whole server.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    pub service: String,
    /// How long to wait for the answer.
    #[arg(long, default_value = "2s", value_parser = parse::parse_duration, value_name = "DURATION")]
    pub timeout: Duration,
    /// Tokens and certificates.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

impl HealthArgs {
    /// Returns what `serve` would be told, to read the same configuration.
    pub fn serving(&self) -> ServeArgs {
        ServeArgs { listen: self.listen.clone(), config: self.config.clone(), ..ServeArgs::default() }
    }
}
