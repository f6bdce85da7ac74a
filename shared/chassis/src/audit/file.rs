//! The file of audit records: one JSON object a line, appended only.
//!
//! One thread writes everything that waits in one go, with one sync for all of it. The file is opened anew when it
//! was renamed or removed, so that it can be rotated, and after every failure.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use sampan_cloud::audit::{AuditError, AuditLog, AuditRecord};
use tokio::sync::oneshot;

use crate::telemetry::redact::redact;

/// Records that may wait for the disk.
const QUEUE: usize = 8192;
/// Records in one go at most.
const BATCH: usize = 1024;
/// How long the disk may take before a call is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// A record on its way to the disk.
struct Entry {
    line: Vec<u8>,
    /// Told when it is on disk; nobody waits for a record of what has been done.
    kept: Option<oneshot::Sender<Result<(), AuditError>>>,
}

#[derive(Debug, Default)]
struct Health {
    is_failing: AtomicBool,
    failures: AtomicU64,
    /// The file is to be opened anew, whatever it is.
    reopens: AtomicBool,
}

/// The file. Dropping it writes what waits.
pub struct AuditFile {
    path: PathBuf,
    queue: Option<mpsc::SyncSender<Entry>>,
    health: Arc<Health>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for AuditFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl AuditFile {
    /// Opens the file, or makes it, readable for its owner alone.
    ///
    /// # Errors
    /// What the system says. A disk without room is none: only records need room.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = Open::at(path)?;
        let health = Arc::<Health>::default();
        let (queue, entries) = mpsc::sync_channel(QUEUE);
        let writer = Writer { path: path.to_owned(), file: Some(file), health: Arc::clone(&health), torn: false };
        let writer = std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&entries))?;
        Ok(Self { path: path.to_owned(), queue: Some(queue), health, writer: Mutex::new(Some(writer)) })
    }

    /// Returns how many records could not be kept.
    pub fn failures(&self) -> u64 {
        self.health.failures.load(Ordering::Relaxed)
    }

    /// Opens the file anew with the next record.
    pub fn reopen(&self) {
        self.health.reopens.store(true, Ordering::Relaxed);
    }

    /// Returns when everything that was noted before is on disk, or cannot be.
    pub async fn flush(&self) {
        let (kept, answer) = oneshot::channel();
        let entry = Entry { line: Vec::new(), kept: Some(kept) };
        if self.queue.as_ref().is_some_and(|queue| queue.try_send(entry).is_ok()) {
            // Whoever noted the record was told when it was lost.
            let _ = tokio::time::timeout(PATIENCE, answer).await;
        }
    }

    fn put(
        &self,
        record: &AuditRecord,
        kept: Option<oneshot::Sender<Result<(), AuditError>>>,
    ) -> Result<(), AuditError> {
        let mut line = serde_json::to_string(record).map_err(|error| AuditError(error.to_string()))?;
        line.push('\n');
        // Addresses in other people's messages are the way by which a signature could slip in.
        let line = redact(&line).into_owned().into_bytes();
        let queue = self.queue.as_ref().ok_or_else(|| AuditError("the file is closed".to_owned()))?;
        queue.try_send(Entry { line, kept }).map_err(|error| {
            let told = match error {
                mpsc::TrySendError::Full(_) => "too many records wait for the disk",
                mpsc::TrySendError::Disconnected(_) => "the writer has ended",
            };
            self.health.fail(1, &self.path, told);
            AuditError(told.to_owned())
        })
    }
}

impl Drop for AuditFile {
    fn drop(&mut self) {
        self.queue = None;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked has told so; there is nothing left to wait for.
            let _ = writer.join();
        }
    }
}

#[async_trait]
impl AuditLog for AuditFile {
    async fn announce(&self, record: &AuditRecord) -> Result<(), AuditError> {
        let (kept, answer) = oneshot::channel();
        self.put(record, Some(kept))?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(AuditError("the writer has ended".to_owned())),
            Err(_) => {
                let told = format!("the disk took longer than {} s", PATIENCE.as_secs());
                self.health.fail(1, &self.path, &told);
                Err(AuditError(told))
            }
        }
    }

    fn note(&self, record: &AuditRecord) {
        if let Err(error) = self.put(record, None) {
            tracing::error!(%error, phase = record.event.phase(), "audit record lost");
        }
    }

    fn is_failing(&self) -> bool {
        self.health.is_failing.load(Ordering::Relaxed)
    }
}

impl Health {
    fn fail(&self, records: u64, path: &Path, told: &str) {
        self.failures.fetch_add(records, Ordering::Relaxed);
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::error!(path = %path.display(), told, "audit file cannot be written: no call that changes something is made");
        }
    }

    fn recover(&self, path: &Path) {
        if self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!(path = %path.display(), "audit file is written again");
        }
    }
}

/// An open file, and which one it is.
struct Open {
    file: File,
    device: u64,
    inode: u64,
    /// Pipes and devices have nothing to sync.
    is_regular: bool,
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let metadata = file.metadata()?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), is_regular: metadata.is_file(), file })
    }

    fn is_still_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode))
    }
}

struct Writer {
    path: PathBuf,
    file: Option<Open>,
    health: Arc<Health>,
    /// The last write may have ended in the middle of a line. It is never cut off, because others may append too.
    torn: bool,
}

impl Writer {
    /// Runs until the last sender is gone and everything is written.
    fn run(mut self, entries: &mpsc::Receiver<Entry>) {
        let mut batch = Vec::with_capacity(BATCH);
        while let Ok(first) = entries.recv() {
            batch.push(first);
            batch.extend(entries.try_iter().take(BATCH - 1));
            let written = self.write(&batch).map_err(|error| AuditError(error.to_string()));
            match &written {
                Ok(()) => self.health.recover(&self.path),
                Err(error) => {
                    self.file = None;
                    self.health.fail(u64::try_from(batch.len()).unwrap_or(u64::MAX), &self.path, &error.0);
                }
            }
            for entry in batch.drain(..) {
                if let Some(kept) = entry.kept {
                    // Nobody listens any more when the caller gave up.
                    let _ = kept.send(written.clone());
                }
            }
        }
    }

    fn write(&mut self, batch: &[Entry]) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) if !self.health.reopens.swap(false, Ordering::Relaxed) && file.is_still_at(&self.path) => file,
            Some(_) | None => Open::at(&self.path)?,
        };
        if file.is_regular && file.file.metadata()?.len() == 0 {
            self.torn = false;
        }
        let file = self.file.insert(file);
        let mut bytes: Vec<u8> = Vec::with_capacity(batch.iter().map(|entry| entry.line.len()).sum::<usize>() + 1);
        if self.torn {
            bytes.push(b'\n');
        }
        bytes.extend(batch.iter().flat_map(|entry| entry.line.iter()));
        self.torn = true;
        file.file.write_all(&bytes)?;
        self.torn = false;
        if file.is_regular && batch.iter().any(|entry| entry.kept.is_some()) {
            file.file.sync_data()?;
        }
        Ok(())
    }
}
