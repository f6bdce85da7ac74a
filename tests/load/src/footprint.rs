//! Size of the binary, time until ready, memory at rest.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::child::Server;
use crate::stats::{Spread, line};

/// Prints the figures of a server without load.
pub async fn print(sampan: &Path, rounds: usize) -> Result<()> {
    println!("footprint");
    let size = std::fs::metadata(sampan)?.len();
    line("binary", format!("{:.1} MB", size as f64 / 1e6), "at most 25 MB, stripped");
    let (mut started, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(5) {
        let folder = tempfile::tempdir()?;
        let store = format!("embedded:{}", folder.path().display());
        let server = Server::start(sampan, &["serve", "--listen", "127.0.0.1:0", "--store", &store]).await?;
        started.push(server.started_in.as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle.push(server.memory_mib().0);
        server.stop().await?;
    }
    line("start until ready, embedded store, ms", format!("{:.1}", Spread::of(&started)), "at most 100 ms");
    line("memory at rest, MiB", format!("{:.1}", Spread::of(&idle)), "at most 20 MiB");
    Ok(())
}
