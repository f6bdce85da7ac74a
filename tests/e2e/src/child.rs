//! Decides how a child process is started, watched and ended: always by its own id.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

/// How long a child may take until its first line; a debug build on a loaded machine is slow.
const READY: Duration = Duration::from_secs(60);

/// A child process whose output goes to files. Dropping it ends it.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    copier: Option<JoinHandle<()>>,
    stderr: PathBuf,
}

impl Child {
    /// Starts the binary and returns it with the JSON of its first line.
    ///
    /// - `stem`: path without ending; output is added to `STEM.stdout` and `STEM.stderr`.
    ///
    /// # Errors
    /// How it ended and what it wrote to standard error, when it ended without a line.
    pub async fn start(arguments: &[&str], stem: &Path) -> Result<(Self, Value), (ExitStatus, String)> {
        let mut command = command();
        command.args(arguments);
        Self::spawn(command, stem).await
    }

    /// Starts a prepared command; otherwise as [`Child::start`].
    ///
    /// # Errors
    /// As [`Child::start`].
    pub async fn spawn(mut command: Command, stem: &Path) -> Result<(Self, Value), (ExitStatus, String)> {
        let stderr = stem.with_extension("stderr");
        let written_before = std::fs::metadata(&stderr).map_or(0, |metadata| metadata.len());
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(appended(&stderr))
            .spawn()
            .expect("the binary starts");
        let (ready, first) = oneshot::channel();
        let output = process.stdout.take().expect("standard output is piped");
        let mut copy = appended(&stem.with_extension("stdout"));
        let copier = std::thread::spawn(move || {
            let mut ready = Some(ready);
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The copy serves the test that looks for secrets; without it that test fails by itself.
                let _ = writeln!(copy, "{line}");
                if let Some(ready) = ready.take() {
                    let _ = ready.send(line);
                }
            }
        });
        let mut child = Self { process, copier: Some(copier), stderr };
        let first = tokio::time::timeout(READY, first).await.expect("the child is ready in time");
        match first {
            Ok(line) => Ok((child, serde_json::from_str(&line).expect("the first line is JSON"))),
            Err(_) => {
                let status = child.process.wait().expect("the child can be waited for");
                Err((status, child.stderr_since(written_before)))
            }
        }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it at once (SIGKILL), as a power cut or an out-of-memory kill would.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(copier) = self.copier.take() {
            let _ = copier.join();
        }
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        tokio::task::spawn_blocking(move || self.process.wait().expect("the child can be waited for"))
            .await
            .expect("the wait does not panic")
    }

    /// Sends a signal, such as `TERM` or `STOP`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "process {} takes no {signal}", self.id());
    }

    fn stderr_since(&self, offset: u64) -> String {
        let text = std::fs::read(&self.stderr).unwrap_or_default();
        let offset = usize::try_from(offset).unwrap_or(0);
        String::from_utf8_lossy(text.get(offset..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the command of the binary, without anything of the tester's own environment that it listens to.
pub fn command() -> Command {
    command_of(super::binary())
}

/// Returns the command of an executable, as [`command`] does.
pub fn command_of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    let ours = |name: &str| {
        ["SAMPAN_", "TENCENTCLOUD_", "ALIBABA_CLOUD_", "RUST_LOG", "OTEL_"].iter().any(|start| name.starts_with(start))
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
    command.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
    command
}

fn appended(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a file for the output")
}
