//! `sampan serve`: the services, until the process is told to stop.

use std::io::IsTerminal as _;

use sampan_chassis::telemetry::{self, LogFormat};
use sampan_core::clock;
use serde_json::json;

use crate::cli::ServeArgs;
use crate::client::Failure;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::words;
use crate::wiring::{Parts, System, open_metrics, stop_signal};

/// Serves until SIGTERM or Ctrl-C; prints one JSON line when ready.
///
/// # Errors
/// [`Failure`] that says which part could not start.
pub async fn serve(args: ServeArgs) -> Result<Exit, Failure> {
    let config = Config::load(&args).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    if args.print_config {
        let text = config.redacted().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        words::line(text.trim_end()).map_err(broken_output)?;
        return Ok(Exit::Done);
    }
    let telemetry =
        telemetry::init(&telemetry_options(&config)).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let metrics = open_metrics(&config)?;
    let system = System::start(&config, &Parts { clock: clock::system(), metrics: metrics.clone() }).await?;
    let ready = json!({
        "ready": true,
        "listeners": listeners(&system),
        "roles": system.roles(),
        "store": config.store.to_string(),
    });
    words::line(&ready.to_string()).map_err(broken_output)?;
    stop_signal().await;
    let records = system.drain().await;
    // At once, so that a collector that is away costs the end of the process its bound once.
    tokio::join!(
        async {
            if let Some(records) = records {
                records.flush().await;
            }
        },
        async {
            if let Some(metrics) = metrics {
                metrics.flush().await;
            }
        },
        telemetry.flush(),
    );
    Ok(Exit::Done)
}

fn listeners(system: &System) -> Vec<serde_json::Value> {
    let grpc = json!({ "name": "grpc", "address": system.address().to_string(), "url": system.url() });
    let metrics = system.metrics_address().map(
        |address| json!({ "name": "metrics", "address": address.to_string(), "url": format!("http://{address}/metrics") }),
    );
    std::iter::once(grpc).chain(metrics).collect()
}

/// Returns the name of the process in traces, metrics and records.
pub fn service_name(config: &Config) -> String {
    match config.server.roles.as_slice() {
        [role] => format!("sampan-{role}"),
        _ => "sampan".to_owned(),
    }
}

/// Returns how logs are written.
pub fn telemetry_options(config: &Config) -> telemetry::Options {
    let service_name = service_name(config);
    let config = &config.telemetry;
    let json = config.json.unwrap_or_else(|| !std::io::stderr().is_terminal());
    telemetry::Options {
        filter: Some(config.log.clone()),
        format: if json { LogFormat::Json } else { LogFormat::Pretty },
        otlp_endpoint: config.otlp_endpoint.clone(),
        service_name,
    }
}

fn broken_output(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the ready line could not be written: {error:#}"))
}
