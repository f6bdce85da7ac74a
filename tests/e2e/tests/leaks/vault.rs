//! A Redis that asks for a password.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use sampan_tests_e2e::Redis;

/// What it asks for.
pub(crate) const PASSWORD: &str = "0penSesameOfTheStore";

/// The server, and where it keeps its files.
pub(crate) struct Vault {
    redis: Redis,
    folder: PathBuf,
}

impl Vault {
    /// Starts a server; `None` when there is none to start and none is required.
    pub(crate) async fn start() -> Option<Self> {
        let redis = Redis::start().await?;
        let address = redis.store().trim_start_matches("redis://").to_owned();
        let mut link = TcpStream::connect(address).unwrap();
        let told = ask(&mut link, "CONFIG GET dir");
        let folder = told.lines().last().expect("a folder").trim().to_owned();
        assert!(ask(&mut link, &format!("CONFIG SET requirepass {PASSWORD}")).starts_with("+OK"));
        Some(Self { redis, folder: PathBuf::from(folder) })
    }

    /// Returns the address of the store, password included.
    pub(crate) fn store(&self) -> String {
        self.redis.store().replace("redis://", &format!("redis://:{PASSWORD}@"))
    }

    /// Returns the folder of its files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }
}

fn ask(link: &mut TcpStream, command: &str) -> String {
    link.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = [0; 4096];
    let length = link.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}
