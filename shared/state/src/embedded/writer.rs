//! Decides what is written together: one thread takes every queued decision into one transaction.
//!
//! Each decision is accepted or refused on its own, seeing what the ones before it wrote; all are answered after
//! the one commit that makes them durable. What a decision says belongs to the modules that make it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use sampan_core::OperationId;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::batch::Batch;
use super::core::Core;
use super::rows::{Halt, ROWS};
use crate::error::Error;

/// Decisions in one transaction at most.
const BATCH: usize = 1024;
/// Longest wait for a group as large as the last one: about a sync of a fast disk.
const PATIENCE: Duration = Duration::from_micros(150);
/// Decisions that may queue before callers wait.
pub(super) const QUEUE: usize = 4 * BATCH;

/// A decision that waits for the writer, and the way back to who asked.
pub(super) trait Job: Send {
    /// Decides; only a broken file is an error here.
    fn decide(&mut self, batch: &mut Batch<'_>) -> Result<(), Halt>;

    /// Answers, once the transaction is durable or has failed.
    fn answer(self: Box<Self>, outcome: Result<(), &str>);
}

/// A decision made by a function.
pub(super) struct Decision<T, F> {
    pub(super) decide: Option<F>,
    pub(super) made: Option<Result<T, Error>>,
    pub(super) reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Job for Decision<T, F>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> Result<T, Halt> + Send,
{
    fn decide(&mut self, batch: &mut Batch<'_>) -> Result<(), Halt> {
        let Some(decide) = self.decide.take() else { return Ok(()) };
        self.made = match decide(batch) {
            Ok(value) => {
                batch.accept();
                Some(Ok(value))
            }
            Err(Halt::Refused(error)) => {
                batch.refuse();
                Some(Err(error))
            }
            Err(broken) => return Err(broken),
        };
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), &str>) {
        let made = self.made.unwrap_or_else(|| Err(Error::Unavailable("the decision was not made".to_owned())));
        let answer = match outcome {
            Ok(()) => made,
            Err(message) => Err(Error::Unavailable(message.to_owned())),
        };
        // Nobody listens any more when the caller gave up; what was decided stands.
        drop(self.reply.send(answer));
    }
}

/// Runs until the last sender is gone.
pub(super) fn run(core: &Arc<Core>, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut jobs = Vec::with_capacity(BATCH);
    let mut was_broken = false;
    let mut last = 1;
    while let Some(first) = queue.blocking_recv() {
        jobs.push(first);
        last = gather(&mut queue, &mut jobs, last);
        // A corrupt page makes redb panic: that is a broken file, and must not take the writer with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| write(core, &mut jobs)))
            .unwrap_or_else(|_| Err(Halt::broken("the store's file is damaged")));
        match outcome {
            Ok(written) => {
                if std::mem::take(&mut was_broken) {
                    info!(store = %core.place(), "store writes again");
                }
                core.announce(&written.changed, written.earliest_due);
                jobs.drain(..).for_each(|job| job.answer(Ok(())));
            }
            Err(halt) => {
                let message = Error::from(halt).to_string();
                if !std::mem::replace(&mut was_broken, true) {
                    error!(store = %core.place(), message, "store does not write");
                }
                // After a failed write redb wants to be closed and opened again; the next batch does.
                core.close();
                jobs.drain(..).for_each(|job| job.answer(Err(&message)));
            }
        }
    }
}

/// Takes what is queued, and returns how many that were.
///
/// Callers that were just answered mostly come again at once: it waits a moment for as many as the last group had,
/// because two small groups cost twice the sync of one. A lone caller never waits.
fn gather(queue: &mut mpsc::Receiver<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>, last: usize) -> usize {
    let begun = Instant::now();
    while jobs.len() < BATCH {
        match queue.try_recv() {
            Ok(next) => jobs.push(next),
            Err(_) if jobs.len() < last && begun.elapsed() < PATIENCE => std::thread::yield_now(),
            Err(_) => break,
        }
    }
    jobs.len()
}

/// What a transaction did.
#[derive(Default)]
struct Written {
    changed: Vec<OperationId>,
    earliest_due: Option<i64>,
}

fn write(core: &Core, jobs: &mut [Box<dyn Job>]) -> Result<Written, Halt> {
    core.ensure_open()?;
    let guard = core.database.read().unwrap_or_else(PoisonError::into_inner);
    let database = guard.as_ref().ok_or_else(|| Halt::broken("the store is closed"))?;
    // Without redb's quick repair: one sync a commit instead of two, and a fifth fewer pages. The price is a walk
    // over the file after a crash, about 5 ms per MiB, which also proves every checksum.
    let transaction = database.begin_write()?;
    let mut batch = Batch::new(transaction.open_table(ROWS)?);
    for job in jobs.iter_mut() {
        job.decide(&mut batch)?;
    }
    let (is_dirty, changed, earliest_due) = batch.finish()?;
    if is_dirty {
        transaction.commit()?;
        Ok(Written { changed, earliest_due })
    } else {
        transaction.abort()?;
        Ok(Written::default())
    }
}
