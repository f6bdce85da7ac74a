//! Replicas of each role, one Redis and the simulated clouds, all of them processes.

use std::path::Path;
use std::sync::RwLock;
use std::time::Duration;

use sampan_proto::operation::v1::{ListOperationsRequest, Operation};
use sampan_tests_e2e::{Api, Redis, Server, ServerFolder, Setup, Simulator, is_passing, prepare};
use tempfile::TempDir;
use tokio::sync::Mutex;
use toml::{Table, Value};

use crate::job::Job;

/// Replicas of each process.
pub const REPLICAS: usize = 3;
/// The roles of each process: a line more is a process more, three times. No roles mean all of them.
const PROCESSES: &[&[&str]] = &[&[]];
/// How long a call of the test may take before it is made again, to another replica.
const ANSWER: Duration = Duration::from_secs(10);
/// Pause before a call that failed is made again.
const AGAIN: Duration = Duration::from_millis(100);

/// One process of Sampan, dead or alive.
#[derive(Debug)]
pub struct Replica {
    /// How it is called in the table.
    pub name: String,
    files: ServerFolder,
    server: Mutex<Option<Server>>,
    api: RwLock<Option<Api>>,
}

/// Everything that runs.
#[derive(Debug)]
pub struct Fleet {
    /// The replicas.
    pub replicas: Vec<Replica>,
    /// The store.
    pub redis: Mutex<Redis>,
    /// The clouds.
    pub clouds: Simulator,
    _folder: TempDir,
}

impl Replica {
    /// Starts it; tries again while the store is away.
    pub async fn start(&self) {
        let mut server = self.server.lock().await;
        for _ in 0..20 {
            match Server::try_start(&self.files).await {
                Ok(started) => {
                    *self.api.write().unwrap() = Some(started.api());
                    *server = Some(started);
                    return;
                }
                Err((status, told)) => println!("{} did not start: {status} {}", self.name, last_line(&told)),
            }
        }
        panic!("{} does not start", self.name);
    }

    /// Kills it at once; returns whether it ran.
    pub async fn kill(&self) -> bool {
        let server = self.server.lock().await.take();
        *self.api.write().unwrap() = None;
        server.map(Server::kill).is_some()
    }

    /// Asks it to stop and waits until it has; returns whether it ran.
    pub async fn stop(&self) -> bool {
        let server = self.server.lock().await.take();
        *self.api.write().unwrap() = None;
        match server {
            Some(server) => server.stop().await.success(),
            None => false,
        }
    }

    /// Lets it stand still for a while, as a busy machine does; returns whether it ran.
    pub async fn pause(&self, span: Duration) -> bool {
        let server = self.server.lock().await;
        let Some(running) = server.as_ref() else { return false };
        running.signal("STOP");
        tokio::time::sleep(span).await;
        running.signal("CONT");
        true
    }

    /// Returns its clients while it runs.
    pub fn api(&self) -> Option<Api> {
        self.api.read().unwrap().clone()
    }
}

impl Fleet {
    /// Starts Redis, the clouds and all replicas; `None` when there is no Redis, and none is required.
    pub async fn start(setup: &Setup) -> Option<Self> {
        // What it has confirmed outlives a kill at any moment.
        let redis = Redis::start_with(&["--appendfsync", "always"]).await?;
        let folder = tempfile::tempdir().unwrap();
        let clouds = Simulator::start(&folder.path().join("sampan.toml"), &folder.path().join("clouds")).await;
        clouds.pace(setup.export_takes).await;
        let mut replicas = Vec::new();
        let files = ServerFolder { store: redis.store(), ..prepare(folder.path(), setup) };
        for roles in PROCESSES {
            for number in 1..=REPLICAS {
                let process = if roles.is_empty() { "all".to_owned() } else { roles.join("+") };
                let name = format!("{process}-{number}");
                let files = ServerFolder {
                    config: with_roles(&files.config, roles, &name),
                    stem: folder.path().join(&name),
                    store: files.store.clone(),
                };
                replicas.push(Replica { name, files, server: Mutex::default(), api: RwLock::default() });
            }
        }
        for replica in &replicas {
            replica.start().await;
        }
        Some(Self { replicas, redis: Mutex::new(redis), clouds, _folder: folder })
    }

    /// Returns clients of the first replica from `number` on that runs.
    pub async fn api(&self, number: usize) -> Api {
        loop {
            let order = self.replicas.iter().cycle().skip(number % self.replicas.len()).take(self.replicas.len());
            if let Some(api) = order.filter_map(Replica::api).next() {
                return api;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Asks for a job until it is answered, as a careful caller does: always with the same request id.
    pub async fn start_surely(&self, job: &Job, mut number: usize) -> String {
        loop {
            let api = self.api(number).await;
            match tokio::time::timeout(ANSWER, job.start(&api)).await {
                Ok(Ok(operation)) => return operation.name,
                Ok(Err(status)) => assert!(is_passing(&status), "{}: {status:?}", job.image),
                Err(_) => {}
            }
            number += 1;
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Returns every operation.
    pub async fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        let mut request = ListOperationsRequest { page_size: 200, ..Default::default() };
        let mut number = 0;
        loop {
            let api = self.api(number).await;
            let mut client = api.operations;
            match tokio::time::timeout(ANSWER, client.list_operations(request.clone())).await {
                Ok(Ok(page)) => {
                    let page = page.into_inner();
                    operations.extend(page.operations);
                    if page.next_page_token.is_empty() {
                        return operations;
                    }
                    request.page_token = page.next_page_token;
                }
                Ok(Err(status)) => assert!(is_passing(&status), "{status:?}"),
                Err(_) => {}
            }
            number += 1;
        }
    }
}

fn with_roles(config: &Path, roles: &[&str], name: &str) -> std::path::PathBuf {
    let mut table: Table = toml::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
    let roles: Vec<Value> = roles.iter().map(|role| Value::from(*role)).collect();
    table.insert("server".to_owned(), Value::Table(Table::from_iter([("roles".to_owned(), Value::Array(roles))])));
    let path = config.with_file_name(format!("{name}.toml"));
    std::fs::write(&path, toml::to_string(&table).unwrap()).unwrap();
    path
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or("")
}
