//! The embedded backend: one redb file with a journal on one machine, or memory; for one process at a time.
//!
//! Every decision is one function over the rows of a transaction ([`ledger`], [`record`]); [`writer`] runs many of
//! them in one durable commit. Reads see what is durable and never wait for the writer.

mod admission;
mod batch;
mod commit;
mod core;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod journal;
mod keys;
mod lanes;
mod ledger;
mod line;
mod open;
mod operations;
mod overlay;
mod quota;
mod record;
mod rows;
mod shown;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::clock::SharedClock;
use tokio::sync::{mpsc, oneshot};

use crate::Health;
use crate::error::Error;

use self::batch::Batch;
use self::core::Core;
use self::open::Medium;
pub use self::open::OpenError;
use self::rows::{Halt, Rows};
use self::writer::{Decision, Job};

/// The embedded store.
///
/// Dropping it waits for the decisions that are queued, then gives the file free.
pub struct Embedded {
    core: Arc<Core>,
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    // Held, never read: its lock keeps other processes out.
    _lock: Option<File>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

impl Embedded {
    /// Opens the store in the folder `dir`, or makes folder and store when they are not there.
    ///
    /// - The store is the file `sampan.redb`, after a crash together with `sampan.journal`; `sampan.lock` beside them
    ///   says who uses it.
    /// - `clock`: the store's time, which due times, leases and quota days follow.
    ///
    /// Blocks on the disk for some milliseconds: call it before serving.
    ///
    /// # Errors
    /// One [`OpenError`] per cause; a file that cannot be read is left as it is, byte for byte.
    pub fn open(dir: &Path, clock: SharedClock) -> Result<Arc<Self>, OpenError> {
        let (medium, database, lock) = open::open_file(dir)?;
        Self::start(Core::new(medium, database, clock), Some(lock))
    }

    /// Makes an empty store in memory, which ends with the value.
    ///
    /// # Errors
    /// [`OpenError::Failed`] when the system refuses a thread.
    pub fn in_memory(clock: SharedClock) -> Result<Arc<Self>, OpenError> {
        Self::on(Medium::memory(), clock)
    }

    fn on(medium: Medium, clock: SharedClock) -> Result<Arc<Self>, OpenError> {
        let database = medium.open()?;
        Self::start(Core::new(medium, database, clock), None)
    }

    fn start(core: Core, lock: Option<File>) -> Result<Arc<Self>, OpenError> {
        let core = Arc::new(core);
        let (queue, decisions) = mpsc::channel(writer::QUEUE);
        let shared = Arc::clone(&core);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer::run(&shared, decisions))
            .map_err(|problem| OpenError::Failed {
                path: core.place().to_string().into(),
                message: format!("its writer cannot be started: {problem}"),
            })?;
        Ok(Arc::new(Self { core, queue: Some(queue), writer: Some(writer), _lock: lock }))
    }

    /// Hands a decision to the writer and waits until it is durable.
    ///
    /// # Cancellation
    /// A decision that was handed over is made whether or not somebody waits for it.
    async fn decide<T, F>(&self, decide: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>, Timestamp) -> Result<T, Halt> + Send + 'static,
    {
        let stopped = || Error::Unavailable("the store is being closed".to_owned());
        let core = Arc::clone(&self.core);
        let (reply, answer) = oneshot::channel();
        // The time is read when the decision is made, not when it was queued.
        let decide = move |batch: &mut Batch<'_>| decide(batch, core.now());
        let job = Box::new(Decision { decide: Some(decide), made: None, reply });
        self.queue.as_ref().ok_or_else(stopped)?.send(job).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so already.
            drop(writer.join());
        }
        self.core.close();
    }
}

#[async_trait]
impl Health for Embedded {
    async fn now(&self) -> Result<Timestamp, Error> {
        Ok(self.core.now())
    }

    async fn check(&self) -> Result<(), Error> {
        let written = self
            .decide(|batch, now| {
                let value = now.as_microsecond();
                batch.put(keys::CHECK, &value.to_be_bytes());
                Ok(value)
            })
            .await?;
        let read = self.core.read(|rows| rows.get(keys::CHECK))?;
        match read {
            Some(_) => Ok(()),
            None => Err(Error::Unavailable(format!("what was written at {written} cannot be read back"))),
        }
    }
}
