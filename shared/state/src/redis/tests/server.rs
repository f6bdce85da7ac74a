//! A Redis server that a test starts on a free port, in a folder of its own, and ends.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Times that another port is tried: it may be taken between its choice and its use.
const TRIES: usize = 5;
/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns whether there is a Redis server to test with.
///
/// # Panics
/// When there is none although `SAMPAN_REQUIRE_REDIS=1` says that there must be.
pub(super) fn is_there() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| {
        let probe = Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    });
    if !found {
        let is_required = std::env::var("SAMPAN_REQUIRE_REDIS").is_ok_and(|value| value == "1");
        assert!(!is_required, "redis-server is not installed, and SAMPAN_REQUIRE_REDIS=1 requires it");
        eprintln!("SKIPPED: redis-server is not installed (Debian package redis-server)");
    }
    found
}

/// A running server; ends with the value.
pub(super) struct Server {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    /// Starts a server with an append-only file and further options.
    pub(super) async fn start(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("sampan-redis-").tempdir().unwrap();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { folder, port: 0, options, child: Mutex::new(None) };
        for _ in 0..TRIES {
            server.port = free_port();
            if server.run().await {
                return server;
            }
        }
        panic!("no Redis server starts: {}", server.log());
    }

    /// Returns the server that many tests of this process share: each uses a prefix of its own.
    pub(super) async fn shared() -> Arc<Self> {
        static SHARED: tokio::sync::Mutex<Weak<Server>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        match shared.upgrade() {
            Some(server) => server,
            None => {
                let server = Arc::new(Self::start(&[]).await);
                *shared = Arc::downgrade(&server);
                server
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL of a store under a prefix.
    pub(super) fn url(&self, prefix: &str) -> String {
        format!("redis://127.0.0.1:{}?prefix={prefix}", self.port)
    }

    /// Starts the process that was killed before, on the same port and files.
    pub(super) async fn start_again(&self) {
        assert!(self.run().await, "the server does not start again: {}", self.log());
    }

    /// Ends the process at once, as a crash would.
    pub(super) fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends one command of a person.
    pub(super) async fn query(&self, words: &[&str]) -> redis::Value {
        self.try_query(words).await.unwrap()
    }

    pub(super) async fn try_query(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn run(&self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--dir", &self.folder.path().display().to_string(), "--logfile", "log"]);
        command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        command.args(&self.options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            // Any answer will do, also that a password is missing; another server's port says another folder.
            if self.answers().await {
                *self.child.lock().unwrap() = Some(child);
                return true;
            }
            sleep(Duration::from_millis(10)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        false
    }

    async fn answers(&self) -> bool {
        match self.try_query(&["CONFIG", "GET", "dir"]).await {
            Ok(answer) => format!("{answer:?}").contains(&*self.folder.path().to_string_lossy()),
            Err(error) => matches!(error.code(), Some("NOAUTH")),
        }
    }
}

/// Returns a port that was free a moment ago, and ten thousand above it another that a port can have.
pub(super) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 55_000 {
            return port;
        }
    }
}
