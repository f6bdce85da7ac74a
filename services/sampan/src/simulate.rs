//! `sampan simulate`: both clouds on loopback until Ctrl-C.

use std::path::Path;

use sampan_core::clock;
use sampan_simulator::{Options, Running};

use crate::cli::SimulateArgs;
use crate::client::Failure;
use crate::exit::Exit;
use crate::output::words;
use crate::{config, wiring};

/// Runs the simulator until the process is told to stop.
///
/// # Errors
/// [`Failure`] when the ports are taken or the configuration cannot be written.
pub async fn simulate(args: SimulateArgs) -> Result<Exit, Failure> {
    let options = Options { host: args.host, port: args.port, ..Options::new(clock::system()) };
    let running = sampan_simulator::start(options).await.map_err(|error| {
        Failure::new(Exit::Unavailable, error.to_string()).advice("choose another port with --port, or 0 for free ones")
    })?;
    if let Some(path) = &args.write_config {
        write_config(path, &running)?;
    }
    let shown = match args.json {
        true => words::line(&running.ready_line().to_string()),
        false => print(&running, args.write_config.as_deref()),
    };
    shown.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    wiring::stop_signal().await;
    running.shutdown().await;
    Ok(Exit::Done)
}

fn write_config(path: &Path, running: &Running) -> Result<(), Failure> {
    let text = wiring::accounts_toml(&wiring::simulated_accounts(running));
    std::fs::write(path, text).map_err(|error| {
        Failure::new(
            Exit::Failed,
            config::Error::Unreadable { path: path.display().to_string(), message: error.to_string() }.to_string(),
        )
    })
}

fn print(running: &Running, configuration: Option<&Path>) -> anyhow::Result<()> {
    let addresses = running.addresses();
    words::line("simulated clouds are ready (Ctrl-C ends them)")?;
    for (name, address) in [
        ("control", &addresses.control),
        ("CVM", &addresses.cvm),
        ("COS", &addresses.cos),
        ("ECS", &addresses.ecs),
        ("OSS", &addresses.oss),
    ] {
        words::line(&format!("  {name:8} {address}"))?;
    }
    words::line(&match configuration {
        Some(path) => format!("next: sampan serve --config {}", path.display()),
        None => "--json prints the demo keys too; --write-config FILE makes a configuration".to_owned(),
    })
}
