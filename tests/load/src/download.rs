//! Downloads beside curl, aria2c and rclone: the same object of the same bucket on loopback, fresh files, in turn.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::child::{Server, measure};
use crate::stats::{Spread, line};

const MIB: u64 = 1024 * 1024;

/// Prints the rates of every tool that is installed, in GB/s, and our peak memory.
///
/// The time of each ends when the bytes are on the disk (fdatasync): ours syncs itself, and nothing is left for the
/// sync that ends the time of the others. Before each run as many bytes are written and removed again, so that all
/// find the same free memory.
pub async fn print(sampan: &Path, rounds: usize, mib: u64) -> Result<()> {
    println!("download of {mib} MiB on loopback until it is on the disk, CRC-64 checked by ours alone");
    let bench = Bench::start(sampan, mib).await?;
    let tools: Vec<_> = Tool::ALL.into_iter().filter(|tool| tool.is_installed()).collect();
    let mut rates = vec![Vec::new(); tools.len()];
    let mut memory = vec![Vec::new(); tools.len()];
    // The first round warms up and does not count; who begins changes.
    for round in 0..=rounds {
        for turn in 0..tools.len() {
            let index = (round + turn) % tools.len();
            let (time, peak) = bench.run(tools[index]).await?;
            if round > 0 {
                rates[index].push((mib * MIB) as f64 / time.as_secs_f64() / 1e9);
                memory[index].push(peak);
            }
        }
    }
    for (index, tool) in tools.iter().enumerate() {
        line(&format!("{} GB/s", tool.name()), Spread::of(&rates[index]), "");
        let goal = if index == 0 { "at most 64 MiB" } else { "" };
        line("  peak memory, MiB", format!("{:.0}", Spread::of(&memory[index])), goal);
    }
    let best: Vec<f64> = (0..rounds)
        .map(|round| rates.iter().skip(1).filter_map(|rates| rates.get(round)).copied().fold(0.0, f64::max))
        .collect();
    line("sampan of the best other tool of each round", Spread::of_ratios(&rates[0], &best), "at least 1.1");
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Tool {
    Sampan,
    Curl,
    Aria2,
    Rclone,
    RcloneStreams,
}

impl Tool {
    const ALL: [Self; 5] = [Self::Sampan, Self::Curl, Self::Aria2, Self::Rclone, Self::RcloneStreams];

    fn name(self) -> &'static str {
        match self {
            Self::Sampan => "sampan, 8 streams",
            Self::Curl => "curl, 1 stream",
            Self::Aria2 => "aria2c, 8 streams",
            Self::Rclone => "rclone, 1 stream",
            Self::RcloneStreams => "rclone, 8 streams",
        }
    }

    fn is_installed(self) -> bool {
        let program = match self {
            Self::Sampan => return true,
            Self::Curl => "curl",
            Self::Aria2 => "aria2c",
            Self::Rclone | Self::RcloneStreams => "rclone",
        };
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
    }
}

/// The bucket, and where the files go.
struct Bench {
    sampan: PathBuf,
    folder: tempfile::TempDir,
    bucket: Server,
    url: String,
    mib: u64,
}

impl Bench {
    async fn start(sampan: &Path, mib: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let bucket = Server::start(&std::env::current_exe()?, &["bucket", "--mib", &mib.to_string()]).await?;
        let url = bucket.ready["object"].as_str().context("no object")?.to_owned();
        Ok(Self { sampan: sampan.to_owned(), folder, bucket, url, mib })
    }

    fn command(&self, tool: Tool, to: &Path) -> Command {
        let (folder, file) = (to.display().to_string(), to.join("file").display().to_string());
        match tool {
            Tool::Sampan => {
                let mut command = Command::new(&self.sampan);
                let endpoint = self.bucket.url();
                command.args(["download", "operations/01a1febf-0808-74c0-88a0-68d18d3ff70b", "--streams", "8"]);
                command.args(["--to", &folder, "--endpoint", &endpoint]);
                command
            }
            Tool::Curl => {
                let mut command = Command::new("curl");
                command.args(["--silent", "--fail", "--output", &file, &self.url]);
                command
            }
            Tool::Aria2 => {
                let mut command = Command::new("aria2c");
                command.args(["-q", "-x8", "-s8", "-k8M", "--file-allocation=none", "--auto-file-renaming=false"]);
                command.args(["-d", &folder, "-o", "file", &self.url]);
                command
            }
            Tool::Rclone => {
                let mut command = Command::new("rclone");
                command.args(["copyurl", &self.url, &file]);
                command
            }
            Tool::RcloneStreams => {
                let mut command = Command::new("rclone");
                let (host, key) = self.url.rsplit_once('/').unwrap_or_default();
                command.args(["copyto", "--multi-thread-streams=8", "--multi-thread-cutoff=64M", "--http-url", host]);
                command.args([&format!(":http:{key}"), &file]);
                command
            }
        }
    }

    async fn run(&self, tool: Tool) -> Result<(Duration, f64)> {
        self.warm_up()?;
        let to = self.folder.path().join("out");
        std::fs::create_dir(&to)?;
        let (time, peak) = measure(&mut self.command(tool, &to)).await?;
        let begun = Instant::now();
        let mut bytes = 0;
        for entry in std::fs::read_dir(&to)? {
            let file = File::open(entry?.path())?;
            file.sync_data()?;
            bytes += file.metadata()?.len();
        }
        let synced = begun.elapsed();
        anyhow::ensure!(bytes == self.mib * MIB, "{} brought {bytes} bytes", tool.name());
        std::fs::remove_dir_all(&to)?;
        Ok((time + synced, peak))
    }

    fn warm_up(&self) -> Result<()> {
        let path = self.folder.path().join("warm-up");
        let mut file = File::create(&path)?;
        let block = vec![1; 1024 * 1024];
        for _ in 0..self.mib {
            file.write_all(&block)?;
        }
        file.sync_data()?;
        Ok(std::fs::remove_file(&path)?)
    }
}
