//! A proxy before Redis that loses answers: the script runs, and the connection is cut before its answer arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A running proxy; ends with the value.
pub(super) struct Proxy {
    port: u16,
    to_lose: Arc<AtomicU32>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy before the given port.
    pub(super) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to_lose = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&to_lose);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                    connections.spawn(carry(client, server, Arc::clone(&shared)));
                }
            }
        });
        Self { port, to_lose, _tasks: tasks }
    }

    pub(super) fn url(&self, prefix: &str) -> String {
        format!("redis://127.0.0.1:{}?prefix={prefix}", self.port)
    }

    /// Loses the answers of the next `count` calls of scripts.
    pub(super) fn lose(&self, count: u32) {
        self.to_lose.store(count, Ordering::SeqCst);
    }

    /// Returns how many answers are still to be lost.
    pub(super) fn left(&self) -> u32 {
        self.to_lose.load(Ordering::SeqCst)
    }
}

async fn carry(client: TcpStream, server: TcpStream, to_lose: Arc<AtomicU32>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let is_armed = AtomicBool::new(false);
    // Whichever side ends first ends both.
    tokio::select! {
        () = requests(from_client, to_server, &is_armed, &to_lose) => {}
        () = answers(from_server, to_client, &is_armed) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_armed: &AtomicBool, to_lose: &AtomicU32) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let part = &bytes[..count];
        let is_script = part.windows(7).any(|window| window == b"EVALSHA");
        let take = |left: u32| left.checked_sub(1);
        if is_script && to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
            is_armed.store(true, Ordering::SeqCst);
        }
        if to.write_all(part).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_armed: &AtomicBool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if is_armed.load(Ordering::SeqCst) || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
