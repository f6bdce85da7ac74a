//! A Redis server that several processes share, on a free port and in a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Times that another port is tried: it may be taken between its choice and its use.
const TRIES: usize = 5;

/// A Redis server at work. Dropping it ends it.
#[derive(Debug)]
pub struct Redis {
    process: Option<Child>,
    port: u16,
    options: Vec<String>,
    folder: TempDir,
}

impl Redis {
    /// Starts a server with an append-only file; `None` when there is none to start and none is required.
    ///
    /// # Panics
    /// When there is none although `SAMPAN_REQUIRE_REDIS=1` says that there must be.
    pub async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// Starts a server with further options of its command line; otherwise as [`Redis::start`].
    ///
    /// # Panics
    /// As [`Redis::start`], and when it starts on no port.
    pub async fn start_with(options: &[&str]) -> Option<Self> {
        if !is_installed("redis-server", "--version", "SAMPAN_REQUIRE_REDIS") {
            return None;
        }
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { process: None, port: 0, options, folder: tempfile::tempdir().expect("a folder") };
        for _ in 0..TRIES {
            server.port = free_port();
            if server.run().await {
                return Some(server);
            }
        }
        panic!("redis-server starts on no port");
    }

    /// Returns the address of the store.
    pub fn store(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends the process at once (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts the process that was killed, on the same port and files.
    pub async fn start_again(&mut self) {
        assert!(self.run().await, "Redis does not start again on port {}", self.port);
    }

    /// Starts the process and returns whether it became ready.
    async fn run(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "yes"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        self.process = tokio::task::spawn_blocking(move || ready(command)).await.expect("no panic");
        self.process.is_some()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a server and waits until it has read its files; `None` when it ended before.
fn ready(mut command: Command) -> Option<Child> {
    let mut process = command.spawn().expect("redis-server starts");
    let output = process.stdout.take().expect("standard output is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let is_ready = lines.any(|line| line.contains("Ready to accept connections"));
    // It goes on writing, and a full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    if is_ready {
        return Some(process);
    }
    let _ = process.wait();
    None
}

/// Returns a port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// Returns whether a program of the Debian package of the same name is there; says so when it is not.
///
/// - `required`: the variable that is 1 where it must be there.
pub(crate) fn is_installed(program: &str, version: &str, required: &str) -> bool {
    let probe = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = probe.is_ok_and(|status| status.success());
    if !found {
        let is_required = std::env::var(required).is_ok_and(|value| value == "1");
        assert!(!is_required, "{program} is not installed, and {required}=1 requires it");
        eprintln!("SKIPPED: {program} is not installed (Debian package {program})");
    }
    found
}
