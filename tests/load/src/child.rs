//! Child processes: started, asked for their ready line, measured, ended by process id.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A server in a process of its own; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The JSON line that it printed when it was ready.
    pub ready: Value,
    /// Time from the start of the process to that line.
    pub started_in: Duration,
}

impl Server {
    /// Starts `program` and waits for its ready line.
    pub async fn start(program: &Path, arguments: &[&str]) -> Result<Self> {
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started; build it with --release", program.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let line = BufReader::new(stdout).lines().next_line().await?.context("the server ended before it was ready")?;
        let started_in = begun.elapsed();
        Ok(Self { child, ready: serde_json::from_str(&line)?, started_in })
    }

    /// Returns the address of its gRPC listener.
    pub fn url(&self) -> String {
        self.ready["listeners"][0]["url"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns resident memory and its peak so far, in MiB.
    pub fn memory_mib(&self) -> (f64, f64) {
        self.child.id().map_or((0.0, 0.0), memory_mib)
    }

    /// Returns the processor time used so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        self.child.id().map_or(0.0, cpu_seconds)
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// Runs a command to its end; returns its time and its peak memory in MiB.
pub async fn measure(command: &mut Command) -> Result<(Duration, f64)> {
    let begun = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
    let pid = child.id().context("it ended at once")?;
    let mut peak = 0.0_f64;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = tick.tick() => peak = peak.max(memory_mib(pid).1),
        }
    };
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok((begun.elapsed(), peak))
}

/// Returns the resident memory of this process in MiB.
pub fn own_memory_mib() -> f64 {
    memory_mib(std::process::id()).0
}

fn memory_mib(pid: u32) -> (f64, f64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    };
    (field("VmRSS:"), field("VmHWM:"))
}

fn cpu_seconds(pid: u32) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}
