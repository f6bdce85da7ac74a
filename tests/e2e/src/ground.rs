//! Simulated clouds, and the files of processes that work on them.

use std::path::Path;

use tempfile::TempDir;
use toml::{Table, Value};

use crate::server::ServerFolder;
use crate::simulator::Simulator;
use crate::world::{Setup, prepare};

/// Simulated clouds and a folder; both end with the value, so processes have to end before it.
#[derive(Debug)]
pub struct Ground {
    /// The clouds.
    pub clouds: Simulator,
    files: ServerFolder,
    folder: TempDir,
}

impl Ground {
    /// Starts the clouds.
    pub async fn new(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clouds = Simulator::start(&folder.path().join("sampan.toml"), &folder.path().join("clouds")).await;
        clouds.pace(setup.export_takes).await;
        Self { files: prepare(folder.path(), setup), clouds, folder }
    }

    /// Returns the temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the files of a process with a store and the addresses of its peers, by their roles.
    pub fn process(&self, name: &str, store: &str, peers: &[(&str, &[String])]) -> ServerFolder {
        let text = std::fs::read_to_string(&self.files.config).expect("the configuration");
        let mut table: Table = toml::from_str(&text).expect("TOML");
        if !peers.is_empty() {
            let urls = |urls: &[String]| Value::Array(urls.iter().cloned().map(Value::from).collect());
            let mut peers: Table = peers.iter().map(|(role, of)| ((*role).to_owned(), urls(of))).collect();
            peers.insert("resolve_seconds".to_owned(), 1.into());
            table.insert("peers".to_owned(), Value::Table(peers));
        }
        let config = self.folder.path().join(format!("{name}.toml"));
        std::fs::write(&config, toml::to_string(&table).expect("TOML")).expect("the configuration is written");
        ServerFolder { config, store: store.to_owned(), stem: self.folder.path().join(name) }
    }
}
