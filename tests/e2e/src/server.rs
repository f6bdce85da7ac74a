//! `sampan serve` as a child process.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};

use serde_json::Value;

use crate::api::Api;
use crate::child::{Child, command};

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
        let config = folder.config.to_str().expect("a path in UTF-8");
        let arguments = ["serve", "--config", config, "--listen", "127.0.0.1:0", "--store", &folder.store];
        let (child, ready) = Child::start(&arguments, &folder.stem).await?;
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
        let mut command = command();
        command.args(arguments).env("SAMPAN_ENDPOINT", &self.url).current_dir(folder);
        tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
    }
}
