//! Starts and stops what the demo needs: simulated clouds, all roles, a store, a client, in one process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sampan_core::SharedClock;
use sampan_core::clock::OffsetClock;
use sampan_simulator::Running;
use sampan_simulator::world::Pace;
use sampan_state::ListQuery;
use tempfile::TempDir;

use super::disk::{self, Disks};
use super::{image, time};
use crate::cli::{ConnectionArgs, DemoArgs};
use crate::client::{Client, Failure};
use crate::config::{Config, OperationsConfig, ServerConfig, StoreChoice, TelemetryConfig};
use crate::exit::Exit;
use crate::wiring::{Parts, System, open_store, simulated_accounts};

/// Label of every operation that a demo starts; it tells a demo's store from others.
pub(super) const LABEL: (&str, &str) = ("started-by", "sampan-demo");
/// Label by which the copy service marks the shares that it asks for.
const SHARE_OF_COPY: &str = "sampan-copy";

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Stage {
    /// The clock of store, services and clouds.
    pub(super) clock: Arc<OffsetClock>,
    /// The clouds.
    pub(super) simulator: Running,
    /// A connection to the services, over the wire.
    pub(super) client: Client,
    /// Address of the services.
    pub(super) endpoint: String,
    /// The exported disks.
    pub(super) disks: Disks,
    /// Where the store is.
    pub(super) store: StoreChoice,
    system: System,
    folder: TempDir,
}

impl Stage {
    /// Starts everything.
    ///
    /// # Errors
    /// [`Failure`] that says which part could not start; nothing is left behind then.
    pub(super) async fn set(args: &DemoArgs) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("sampan-demo-").tempdir().map_err(no_folder)?;
        let clock = time::begin();
        let shared: SharedClock = clock.clone();
        let store = choose_store(args.store.as_deref(), folder.path())?;
        check_store(&store, &shared).await?;
        let disks = make_disks(folder.path(), args.disk.clone()).await?;
        let simulator = start_simulator(&shared, folder.path()).await?;
        let config = config(&simulator, &store);
        let system = System::start(&config, &Parts { clock: shared, metrics: None }).await?;
        let endpoint = format!("http://{}", system.address());
        let client = Client::connect_to(&endpoint, &ConnectionArgs::default()).await?;
        let stage = Self { clock, simulator, client, endpoint, disks, store, system, folder };
        // The disks are read once, which may take a while for a large one.
        tokio::task::block_in_place(|| image::plant(&stage.simulator, &stage.disks))?;
        Ok(stage)
    }

    /// Returns the folder for what is downloaded; it goes with the demo.
    pub(super) fn downloads(&self) -> std::path::PathBuf {
        self.folder.path().join("downloads")
    }

    /// Returns how long an export or a download may take before the demo gives up.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(90) + Duration::from_secs(120) * u32::try_from(self.disks.bytes >> 30).unwrap_or(500)
    }

    /// Stops everything, in order, and removes every file.
    pub(super) async fn strike(self) {
        let Self { simulator, system, folder, client, .. } = self;
        drop(client);
        system.shutdown().await;
        simulator.shutdown().await;
        if let Err(error) = folder.close() {
            eprintln!("the demo's temporary folder stays: {error}");
        }
    }
}

fn no_folder(error: std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("a temporary folder cannot be made: {error}"))
        .advice("name a writable folder with TMPDIR")
}

/// Without a folder of its own, the store lives and dies with the demo: the user's own one is never touched.
fn choose_store(text: Option<&str>, folder: &Path) -> Result<StoreChoice, Failure> {
    match text {
        None | Some("embedded") => Ok(StoreChoice::Embedded(folder.join("store"))),
        Some(text) => text.parse().map_err(|error: crate::config::Error| Failure::new(Exit::Usage, error.to_string())),
    }
}

/// Refuses a store with operations of others: the demo's runner would carry those on, in simulated clouds.
async fn check_store(choice: &StoreChoice, clock: &SharedClock) -> Result<(), Failure> {
    if *choice == StoreChoice::Memory {
        return Ok(());
    }
    let store = open_store(choice, clock.clone()).await?;
    let unreadable = |error: sampan_state::Error| Failure::new(Exit::Unavailable, error.to_string());
    let mut query = ListQuery { page_size: 1000, ..ListQuery::default() };
    loop {
        let page = store.list(&query).await.map_err(unreadable)?;
        let foreign = page.operations.iter().find(|known| !is_of_a_demo(&known.labels));
        if let Some(foreign) = foreign {
            return Err(Failure::new(
                Exit::Usage,
                format!("the store {choice} holds operations that no demo started, such as {}", foreign.id),
            )
            .advice("name an empty folder, or leave --store away"));
        }
        query.before = page.operations.last().map(|last| last.id);
        if !page.more || query.before.is_none() {
            return Ok(());
        }
    }
}

/// Tells by its labels whether a demo started an operation.
fn is_of_a_demo(labels: &BTreeMap<String, String>) -> bool {
    let (key, value) = LABEL;
    // The share of a copy names the copy in place of its labels; one of others comes with their copy, which tells.
    labels.get(key).is_some_and(|found| found == value) || labels.contains_key(SHARE_OF_COPY)
}

async fn make_disks(folder: &Path, own: Option<std::path::PathBuf>) -> Result<Disks, Failure> {
    let folder = folder.to_owned();
    let made = tokio::task::spawn_blocking(move || disk::make(&folder, own.as_deref())).await;
    made.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?
}

async fn start_simulator(clock: &SharedClock, folder: &Path) -> Result<Running, Failure> {
    let options = sampan_simulator::Options {
        data_dir: Some(folder.join("clouds")),
        // Slow enough to watch, fast enough to wait for.
        pace: Pace {
            floor: Duration::from_secs(3),
            per_used_gib: Duration::from_secs(1),
            per_further_disk: Duration::from_secs(1),
        },
        ..sampan_simulator::Options::new(clock.clone())
    };
    sampan_simulator::start(options).await.map_err(|error| Failure::new(Exit::Unavailable, error.to_string()))
}

fn config(simulator: &Running, store: &StoreChoice) -> Config {
    Config {
        server: ServerConfig { listen: "127.0.0.1:0".to_owned(), grace_seconds: 5, ..ServerConfig::default() },
        store: store.clone(),
        accounts: simulated_accounts(simulator).into_iter().collect(),
        operations: OperationsConfig { poll_scale: 0.05, ..OperationsConfig::default() },
        telemetry: TelemetryConfig::default(),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_demos_is_known_by_the_labels_of_what_they_started() {
        let is_ours = |key: &str, value: &str| is_of_a_demo(&[(key.to_owned(), value.to_owned())].into());
        assert!(is_ours(LABEL.0, LABEL.1));
        assert!(is_ours(SHARE_OF_COPY, "01a2040a-4193-7ff3-b24c-3eae6134361e"));
        assert!(!is_ours(LABEL.0, "somebody"));
        assert!(!is_of_a_demo(&BTreeMap::new()));
    }
}
