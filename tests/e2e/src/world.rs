//! Simulated clouds and a server that works on them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use toml::{Table, Value};

use crate::api::Api;
use crate::day;
use crate::server::{Server, ServerFolder};
use crate::simulator::Simulator;

/// How a world differs from the usual one.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Factor on the pauses between looks at the cloud: 0.02 makes 100 ms of 5 s.
    pub poll_scale: f64,
    /// Seconds after which the work of a killed server is taken over.
    pub lease_seconds: i64,
    /// Attempts of one call to a cloud.
    pub max_attempts: i64,
    /// Seconds of one attempt.
    pub attempt_timeout_seconds: i64,
    /// Filter of the server's log.
    pub log: &'static str,
    /// Whether operations are kept on disk; otherwise in memory.
    pub is_durable: bool,
    /// How long an export takes at the clouds.
    pub export_takes: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            poll_scale: 0.02,
            lease_seconds: 30,
            max_attempts: 4,
            attempt_timeout_seconds: 5,
            log: "info",
            is_durable: false,
            export_takes: Duration::from_millis(200),
        }
    }
}

/// Simulated clouds and a server that works on them; everything ends and vanishes when it is dropped.
#[derive(Debug)]
pub struct World {
    // The server goes first: it must not see its clouds vanish.
    server: Option<Server>,
    /// The clouds.
    pub clouds: Simulator,
    files: ServerFolder,
    folder: TempDir,
}

impl World {
    /// Starts the usual world.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts a world.
    pub async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("sampan.toml");
        let clouds = Simulator::start(&config, &folder.path().join("clouds")).await;
        clouds.pace(setup.export_takes).await;
        let files = prepare(folder.path(), &setup);
        let server = Server::start(&files).await;
        Self { server: Some(server), clouds, files, folder }
    }

    /// Returns the server.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// Returns fresh clients of the server.
    pub fn api(&self) -> Api {
        self.server().api()
    }

    /// Returns where the server's files are.
    pub fn files(&self) -> &ServerFolder {
        &self.files
    }

    /// Returns the temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the server out of this world, to stop it in some way.
    pub fn take_server(&mut self) -> Server {
        self.server.take().expect("the server runs")
    }

    /// Starts the server again on the same files.
    pub async fn start_again(&mut self) {
        self.server = Some(Server::start(&self.files).await);
    }
}

/// Turns the configuration that the simulator wrote in `folder` into that of a test.
///
/// # Panics
/// When it was not written.
pub fn prepare(folder: &Path, setup: &Setup) -> ServerFolder {
    let config = folder.join("sampan.toml");
    let text = std::fs::read_to_string(&config).expect("the simulator wrote the configuration");
    let mut table: Table = toml::from_str(&text).expect("TOML");
    table.insert("operations".to_owned(), Value::Table(operations(setup)));
    table.insert("cloud_calls".to_owned(), Value::Table(cloud_calls(setup)));
    table.insert("telemetry".to_owned(), Value::Table(Table::from_iter([("log".to_owned(), setup.log.into())])));
    std::fs::write(&config, toml::to_string(&table).expect("TOML")).expect("the configuration is written");
    let store = if setup.is_durable { format!("embedded:{}", store(folder).display()) } else { "memory".to_owned() };
    ServerFolder { config, store, stem: folder.join("server") }
}

fn store(folder: &Path) -> PathBuf {
    folder.join("store")
}

fn operations(setup: &Setup) -> Table {
    Table::from_iter([
        ("poll_scale".to_owned(), setup.poll_scale.into()),
        ("lease_seconds".to_owned(), setup.lease_seconds.into()),
        ("quota_day_offset_minutes".to_owned(), day::offset_of_noon().into()),
    ])
}

fn cloud_calls(setup: &Setup) -> Table {
    Table::from_iter([
        ("max_attempts".to_owned(), setup.max_attempts.into()),
        ("first_delay_millis".to_owned(), 20.into()),
        ("attempt_timeout_seconds".to_owned(), setup.attempt_timeout_seconds.into()),
    ])
}
