//! A Redis server that several processes share, on a free port and in a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Times that another port is tried: it may be taken between its choice and its use.
const TRIES: usize = 5;

/// A Redis server at work. Dropping it ends it.
#[derive(Debug)]
pub struct Redis {
    process: std::process::Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    /// Starts a server; `None` when there is none to start and none is required.
    ///
    /// # Panics
    /// When there is none although `SAMPAN_REQUIRE_REDIS=1` says that there must be.
    pub async fn start() -> Option<Self> {
        if !is_installed("redis-server", "--version", "SAMPAN_REQUIRE_REDIS") {
            return None;
        }
        tokio::task::spawn_blocking(|| (0..TRIES).find_map(|_| Self::try_start())).await.expect("no panic")
    }

    /// Returns the address of the store.
    pub fn store(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn try_start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes"])
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let output = process.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let is_ready = lines.any(|line| line.contains("Ready to accept connections"));
        // It goes on writing, and a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { process, port, _folder: folder };
        is_ready.then_some(server)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
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
