//! An L7 proxy in front of the replicas: haproxy, which speaks HTTP/2 on both sides and picks the role by the path.
//!
//! Which replicas it uses is told to it while it runs, as an orchestrator tells a mesh.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::redis::{free_port, is_installed};

/// Times that another port is tried: it may be taken between its choice and its use.
const TRIES: usize = 5;
/// How long it may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Replicas are reached by any path that no role has of its own: operations, quotas, health.
const ANY: &str = "any";

/// A proxy at work. Dropping it ends it.
#[derive(Debug)]
pub struct Proxy {
    process: Child,
    port: u16,
    /// One command at a time: its queue is short.
    control: Mutex<PathBuf>,
    _folder: TempDir,
}

impl Proxy {
    /// Starts a proxy with `places` empty places for the replicas of each role; `None` when there is no haproxy and
    /// none is required.
    ///
    /// - `quiet`: how long a waiting call may have no news before it is cut; `None` lets it wait.
    ///
    /// # Panics
    /// When there is no haproxy although `SAMPAN_REQUIRE_HAPROXY=1` says that there must be.
    pub async fn start(roles: &[&str], places: usize, quiet: Option<Duration>) -> Option<Self> {
        if !is_installed("haproxy", "-v", "SAMPAN_REQUIRE_HAPROXY") {
            return None;
        }
        for _ in 0..TRIES {
            if let Some(proxy) = Self::try_start(roles, places, quiet).await {
                return Some(proxy);
            }
        }
        panic!("haproxy does not start");
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends calls to the replica at `url` from now on, in a place of its role.
    pub async fn admit(&self, role: &str, place: usize, url: &str) {
        let (_, port) = url.rsplit_once(':').expect("a port");
        for backend in [role, ANY] {
            let told = self.tell(&format!("set server {backend}/{role}-{place} addr 127.0.0.1 port {port}")).await;
            assert!(told.contains("port"), "{told}");
            self.set_state(backend, role, place, "ready").await;
        }
    }

    /// Sends no more calls to a place; those that are there may end.
    pub async fn leave_out(&self, role: &str, place: usize) {
        for backend in [role, ANY] {
            self.set_state(backend, role, place, "drain").await;
        }
    }

    /// Returns how many calls to its role a place has at this moment.
    pub async fn calls(&self, role: &str, place: usize) -> usize {
        let table = self.tell("show stat").await;
        let start = format!("{role},{role}-{place},");
        let row = table.lines().find(|line| line.starts_with(&start)).expect("the place is in the table");
        // Name, place, queued, most queued, current.
        row.split(',').nth(4).and_then(|count| count.parse().ok()).expect("a count")
    }

    /// Cuts every call that is with a place at this moment.
    pub async fn cut(&self, role: &str, place: usize) {
        for backend in [role, ANY] {
            let told = self.tell(&format!("shutdown sessions server {backend}/{role}-{place}")).await;
            assert!(told.trim().is_empty(), "{told}");
        }
    }

    async fn set_state(&self, backend: &str, role: &str, place: usize, state: &str) {
        let told = self.tell(&format!("set server {backend}/{role}-{place} state {state}")).await;
        assert!(told.trim().is_empty(), "{told}");
    }

    async fn tell(&self, command: &str) -> String {
        let control = self.control.lock().await;
        ask(&control, command).await.expect("the proxy answers")
    }

    async fn try_start(roles: &[&str], places: usize, quiet: Option<Duration>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let control = folder.path().join("control");
        let config = folder.path().join("haproxy.cfg");
        std::fs::write(&config, configuration(roles, places, quiet, port, &control)).expect("the configuration");
        let process = Command::new("haproxy")
            .args(["-db", "-q", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).expect("a log"))
            .spawn()
            .expect("haproxy starts");
        let mut proxy = Self { process, port, control: Mutex::new(control.clone()), _folder: folder };
        let started = Instant::now();
        while started.elapsed() < PATIENCE && proxy.process.try_wait().expect("a child").is_none() {
            // It opens this socket together with its port, and ends when it cannot open both.
            if ask(&control, "show info").await.is_ok_and(|told| told.contains("Stopping: 0")) {
                return Some(proxy);
            }
            sleep(Duration::from_millis(10)).await;
        }
        None
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn ask(control: &Path, command: &str) -> std::io::Result<String> {
    let mut socket = UnixStream::connect(control).await?;
    socket.write_all(format!("{command}\n").as_bytes()).await?;
    let mut told = String::new();
    socket.read_to_string(&mut told).await?;
    Ok(told)
}

/// Writes the configuration: connections that are refused go to another replica, and nothing else is repeated.
fn configuration(roles: &[&str], places: usize, quiet: Option<Duration>, port: u16, control: &Path) -> String {
    let mut text = format!(
        "global\n  noreuseport\n  nbthread 1\n  stats socket {} mode 600 level admin\n\
         defaults\n  mode http\n  timeout connect 2s\n  timeout client 10m\n  timeout server 10m\n  \
         retries 3\n  option redispatch 1\n\
         frontend callers\n  bind 127.0.0.1:{port} proto h2\n",
        control.display()
    );
    for role in roles {
        let _ = writeln!(text, "  use_backend {role} if {{ path_beg /sampan.{role}.v1. }}");
    }
    let _ = writeln!(text, "  default_backend {ANY}");
    let mut backend = |name: &str, of: &[&str]| {
        let _ = writeln!(text, "backend {name}\n  balance roundrobin");
        if let Some(quiet) = quiet {
            let limit = format!("http-request set-timeout server {}ms", quiet.as_millis());
            let _ = writeln!(text, "  {limit} if {{ path_end /WatchOperation /WaitOperation }}");
        }
        for role in of {
            for place in 0..places {
                let _ = writeln!(text, "  server {role}-{place} 127.0.0.1:9 proto h2 disabled");
            }
        }
    };
    for role in roles {
        backend(role, &[role]);
    }
    backend(ANY, roles);
    text
}
