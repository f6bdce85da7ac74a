//! `sampan serve` as a child process.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

use serde_json::Value;

use crate::api::Api;
use crate::binary::binary;
use crate::child::{Child, command, command_of};

/// Where a server's configuration, store and output are.
#[derive(Debug, Clone)]
pub struct ServerFolder {
    /// The configuration file.
    pub config: PathBuf,
    /// The choice of the store, such as `memory` or `embedded:DIR`.
    pub store: String,
    /// Path of the output without its ending.
    pub stem: PathBuf,
}

/// A server at work. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts a server on a free port and returns when it is ready.
    pub async fn start(folder: &ServerFolder) -> Self {
        Self::try_start(folder).await.unwrap_or_else(|(status, told)| panic!("the server ended: {status}\n{told}"))
    }

    /// Starts a server on a free port.
    ///
    /// # Errors
    /// How it ended and what it wrote, when it did not become ready.
    pub async fn try_start(folder: &ServerFolder) -> Result<Self, (ExitStatus, String)> {
        let mut command = command();
        command.arg("serve");
        Self::spawn(command, folder, "127.0.0.1:0").await
    }

    /// Starts the executable of one role, `sampan-ROLE`, and returns when it is ready.
    pub async fn start_role(role: &str, folder: &ServerFolder, listen: &str) -> Self {
        let command = command_of(&binary().with_file_name(format!("sampan-{role}")));
        let started = Self::spawn(command, folder, listen).await;
        started.unwrap_or_else(|(status, told)| panic!("sampan-{role} ended: {status}\n{told}"))
    }

    async fn spawn(mut command: Command, folder: &ServerFolder, listen: &str) -> Result<Self, (ExitStatus, String)> {
        let config = folder.config.to_str().expect("a path in UTF-8");
        command.args(["--config", config, "--listen", listen, "--store", &folder.store]);
        let (child, ready) = Child::spawn(command, &folder.stem).await?;
        let url = ready.pointer("/listeners/0/url").and_then(Value::as_str).expect("a listener").to_owned();
        Ok(Self { child, url })
    }

    /// Returns fresh clients.
    pub fn api(&self) -> Api {
        Api::at(&self.url)
    }

    /// Returns the URL of the gRPC listener.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        self.child.signal(signal);
    }

    /// Kills it, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill();
    }

    /// Asks it to stop and returns how it ended.
    pub async fn stop(self) -> ExitStatus {
        self.child.stop().await
    }

    /// Runs a command of the binary against this server and returns what came of it.
    pub async fn command(&self, folder: &Path, arguments: &[&str]) -> Output {
        run_at(&self.url, folder, arguments).await
    }
}

/// Runs a command of the binary against the server at `url` and returns what came of it.
pub async fn run_at(url: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = command();
    command.args(arguments).env("SAMPAN_ENDPOINT", url).current_dir(folder);
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
}
