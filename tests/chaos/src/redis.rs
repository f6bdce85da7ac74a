//! One Redis server with an append-only file, which a test kills and starts again.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Times that another port is tried: one may be taken between its choice and its use.
const TRIES: usize = 5;

/// Returns whether there is a Redis server to test with; says so when there is none.
///
/// # Panics
/// When there is none although `SAMPAN_REQUIRE_REDIS=1` says that there must be.
pub fn is_there() -> bool {
    let probe = Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = probe.is_ok_and(|status| status.success());
    if !found {
        let is_required = std::env::var("SAMPAN_REQUIRE_REDIS").is_ok_and(|value| value == "1");
        assert!(!is_required, "redis-server is not installed, and SAMPAN_REQUIRE_REDIS=1 requires it");
        eprintln!("SKIPPED: redis-server is not installed (Debian package redis-server)");
    }
    found
}

/// A running server; ends with the value.
#[derive(Debug)]
pub struct RedisServer {
    folder: std::path::PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl RedisServer {
    /// Starts a server whose files lie in `folder`.
    pub async fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut server = Self { folder: folder.to_owned(), port: 0, child: None };
        for _ in 0..TRIES {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.run().await {
                return server;
            }
        }
        panic!("no Redis server starts: {}", server.log());
    }

    /// Returns the URL of the store.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends the process at once, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts the process that was killed, on the same port and files.
    pub async fn start_again(&mut self) {
        assert!(self.run().await, "Redis does not start again: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    async fn run(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--dir", &self.folder.display().to_string(), "--logfile", "log"]);
        command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while started.elapsed() < PATIENCE && child.try_wait().unwrap().is_none() {
            if self.answers().await {
                self.child = Some(child);
                return true;
            }
            sleep(Duration::from_millis(10)).await;
        }
        let _ = child.kill();
        child.wait().unwrap();
        false
    }

    /// Asks which folder it works in: another server's port says another one.
    async fn answers(&self) -> bool {
        let ask = async {
            let mut connection = TcpStream::connect(("127.0.0.1", self.port)).await?;
            connection.write_all(b"CONFIG GET dir\r\nQUIT\r\n").await?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let told = tokio::time::timeout(Duration::from_secs(1), ask).await;
        told.is_ok_and(|answer| answer.is_ok_and(|answer| answer.contains(&*self.folder.to_string_lossy())))
    }
}
