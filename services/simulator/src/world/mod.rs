//! Both clouds behind one lock: accounts, images, buckets, objects, tasks, daily operations, faults and the audit.
//!
//! Decides what the clouds hold, allow and do. It knows no wire format and no vendor code: the vendors' modules read
//! requests, call the world, and map its typed refusals. Nothing here runs in the background except the packing of
//! large disks: tasks are computed from the clock whenever somebody looks.

mod account;
mod audit;
mod bucket;
mod checks;
mod copy;
mod copy_snapshot;
mod create;
mod delete;
mod edit;
mod export;
mod fault;
mod ids;
mod image;
mod image_refusal;
mod images;
mod job;
mod limits;
mod new;
mod prepare;
mod quota;
mod refusal;
mod seed;
mod share;
mod snapshot;
mod state;
mod task;
mod time;
mod tokens;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_core::{Cloud, SharedClock};
use serde::Serialize;

pub use account::{Account, KmsKey};
pub use audit::{AuditLine, Call, Outcome};
pub use bucket::{Bucket, Object};
pub use copy::{CopyRequest, Encryption, Placed};
pub use copy_snapshot::CopySnapshotRequest;
pub use create::{CreateRequest, DiskOfSnapshot};
pub use delete::DeleteRequest;
pub use export::{Accepted, ExportItem, ExportRequest, Naming};
pub use fault::{Fault, FaultKind, Verdict, is_action, starts_task};
pub(crate) use ids::mix;
pub use image::{CopySource, Disk, Image, ImageState, Origin, Tag};
pub use image_refusal::ImageRefusal;
pub use images::ImageChange;
pub use limits::{Limits, has_other_formats, is_region, regions};
pub use new::{EditRefusal, NewAccount, NewBucket, NewDisk, NewImage};
pub use refusal::ExportRefusal;
pub use share::ShareRequest;
pub use snapshot::{Snapshot, SnapshotState};
pub use state::Share;
pub use task::{Packaging, Task, TaskObject, TaskStatus};
pub use time::quota_day;
pub use tokens::ClientToken;

use state::State;

/// How long exports take at speed 1; copies take as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Shortest time of an export.
    pub floor: Duration,
    /// Time per GiB of data (holes cost nothing).
    pub per_used_gib: Duration,
    /// Time that each disk after the first adds.
    pub per_further_disk: Duration,
}

impl Default for Pace {
    /// Lively enough for a demo, slow enough to show progress.
    fn default() -> Self {
        Self {
            floor: Duration::from_millis(1_500),
            per_used_gib: Duration::from_millis(400),
            per_further_disk: Duration::from_millis(500),
        }
    }
}

/// The simulated clouds.
#[derive(Debug)]
pub struct World {
    base: SharedClock,
    pace: Pace,
    data_dir: Arc<PathBuf>,
    state: Mutex<State>,
}

/// Why a task was not cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefusal {
    /// The account has no such task in the region.
    #[error("no such task")]
    NotFound,
    /// It has ended already.
    #[error("the task is not running")]
    NotRunning,
}

/// State of the world's clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClockView {
    /// World time.
    pub now: Timestamp,
    /// World seconds per second.
    pub speed: f64,
}

impl World {
    /// Makes the seeded world.
    ///
    /// - `base`: the clock behind the world's own.
    /// - `data_dir`: existing folder for packed object bytes; the world writes only below it.
    pub fn new(base: SharedClock, pace: Pace, data_dir: PathBuf) -> Self {
        let data_dir = Arc::new(data_dir);
        let mut state = State::empty(base.now(), pace, Arc::clone(&data_dir));
        seed::plant(&mut state);
        Self { base, pace, data_dir, state: Mutex::new(state) }
    }

    /// Returns to the seeded state: everything added, run, spent or ordered is gone, and the clock is unwarped.
    pub fn reset(&self) {
        let mut fresh = State::empty(self.base.now(), self.pace, Arc::clone(&self.data_dir));
        seed::plant(&mut fresh);
        *self.lock() = fresh;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held is a bug of ours; the data are still the best that there is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the state and brings every task to the present.
    fn settled(&self) -> (MutexGuard<'_, State>, Timestamp) {
        let mut state = self.lock();
        let now = state.clock.now(self.base.now());
        state.settle(now);
        (state, now)
    }

    // ---- clock ------------------------------------------------------------------------------------------------

    /// Returns the time of the clouds: tasks, creation times, Last-Modified and the quota day follow it.
    pub fn world_now(&self) -> Timestamp {
        let base_now = self.base.now();
        self.lock().clock.now(base_now)
    }

    /// Returns the unwarped time: signatures, `Date` headers and expiries of presigned URLs follow it, so that real
    /// clients keep working after a jump.
    pub fn auth_now(&self) -> Timestamp {
        self.base.now()
    }

    /// Returns the state of the world's clock.
    pub fn clock(&self) -> ClockView {
        let base_now = self.base.now();
        let state = self.lock();
        ClockView { now: state.clock.now(base_now), speed: state.clock.speed() }
    }

    /// Sets the speed, from now on. Returns false, and changes nothing, unless it is over 0 and at most 100 000.
    pub fn set_speed(&self, speed: f64) -> bool {
        if !speed.is_finite() || speed <= 0.0 || speed > time::MAX_SPEED {
            return false;
        }
        let base_now = self.base.now();
        self.lock().clock.set_speed(base_now, speed);
        true
    }

    /// Moves the world's time forward.
    pub fn jump(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.lock().clock.jump(by);
    }

    /// Returns how long exports take.
    pub fn pace(&self) -> Pace {
        self.lock().pace
    }

    /// Sets how long exports take that start from now on.
    pub fn set_pace(&self, pace: Pace) {
        self.lock().pace = pace;
    }

    // ---- accounts ---------------------------------------------------------------------------------------------

    /// Returns every account, in the order of their making.
    pub fn accounts(&self) -> Vec<Account> {
        self.lock().accounts.clone()
    }

    /// Finds an account by its number.
    pub fn account(&self, cloud: Cloud, id: &str) -> Option<Account> {
        self.lock().account(cloud, id).cloned()
    }

    /// Finds the account that a key belongs to.
    pub fn account_by_key(&self, cloud: Cloud, secret_id: &str) -> Option<Account> {
        self.lock().accounts.iter().find(|account| account.cloud == cloud && account.secret_id == secret_id).cloned()
    }

    // ---- buckets and objects ----------------------------------------------------------------------------------

    /// Finds a bucket by its full name; names are unique in a cloud.
    pub fn bucket(&self, cloud: Cloud, name: &str) -> Option<Bucket> {
        self.lock().buckets.iter().find(|bucket| bucket.cloud == cloud && bucket.name == name).cloned()
    }

    /// Returns every bucket of both clouds.
    pub fn buckets(&self) -> Vec<Bucket> {
        self.lock().buckets.clone()
    }

    /// Finds one object.
    pub fn object(&self, cloud: Cloud, bucket: &str, key: &str) -> Option<Object> {
        self.settled().0.objects.get(&(cloud, bucket.to_owned(), key.to_owned())).cloned()
    }

    /// Returns the objects of a bucket whose keys begin with `prefix`, in the order of their bytes.
    pub fn objects(&self, cloud: Cloud, bucket: &str, prefix: &str) -> Vec<Object> {
        let (state, _) = self.settled();
        let matching = state
            .objects
            .values()
            .filter(|object| object.cloud == cloud && object.bucket == bucket && object.key.starts_with(prefix));
        matching.cloned().collect()
    }

    /// Returns every object of both clouds.
    pub fn all_objects(&self) -> Vec<Object> {
        self.settled().0.objects.values().cloned().collect()
    }

    // ---- exports ----------------------------------------------------------------------------------------------

    /// Checks an export and, unless it is a dry run, spends one operation of the day and starts it.
    ///
    /// # Errors
    /// The first [`ExportRefusal`] that applies: image, then bucket, then load and quota. Nothing is spent then.
    pub fn export(&self, request: &ExportRequest) -> Result<Accepted, ExportRefusal> {
        let (mut state, now) = self.settled();
        let pace = state.pace;
        state.export(request, now, pace)
    }

    /// Returns the tasks of an account in a region, newest first.
    pub fn tasks(&self, cloud: Cloud, account: &str, region: &str) -> Vec<Task> {
        let (state, _) = self.settled();
        let own = state
            .tasks
            .iter()
            .rev()
            .map(|record| &record.view)
            .filter(|task| task.cloud == cloud && task.account == account && task.region == region);
        own.cloned().collect()
    }

    /// Returns every task of both clouds, oldest first.
    pub fn all_tasks(&self) -> Vec<Task> {
        self.settled().0.tasks.iter().map(|record| record.view.clone()).collect()
    }

    /// Finds one task of an account in a region by its id.
    pub fn task(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Option<Task> {
        self.tasks(cloud, account, region).into_iter().find(|task| task.id == id)
    }

    /// Cancels a running task; objects of finished disks stay.
    ///
    /// # Errors
    /// [`CancelRefusal`]; nothing is changed then.
    pub fn cancel_task(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Result<(), CancelRefusal> {
        let (mut state, now) = self.settled();
        let task = state
            .tasks
            .iter_mut()
            .map(|record| &mut record.view)
            .find(|task| task.cloud == cloud && task.account == account && task.region == region && task.id == id)
            .ok_or(CancelRefusal::NotFound)?;
        if task.status != TaskStatus::Running {
            return Err(CancelRefusal::NotRunning);
        }
        task.status = TaskStatus::Cancelled;
        task.finished_at = Some(now);
        Ok(())
    }

    // ---- daily operations -------------------------------------------------------------------------------------

    /// Returns how many operations of today are used in a region.
    pub fn used_operations(&self, cloud: Cloud, account: &str, region: &str) -> u32 {
        let (state, now) = self.settled();
        state.used_operations(cloud, account, region, now)
    }

    /// Spends `n` operations of today, as somebody in the web console does.
    pub fn spend_in_console(&self, cloud: Cloud, account: &str, region: &str, n: u32) {
        let (mut state, now) = self.settled();
        state.spend(cloud, account, region, n, now);
    }

    // ---- faults and audit -------------------------------------------------------------------------------------

    /// Orders calls or tasks to go wrong.
    pub fn order_fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Returns the orders that are not used up.
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().faults.list()
    }

    /// Takes the next ordered fault for a call, waits for its pause, and says what to do with the call.
    ///
    /// Call it once for each request, after the caller is known and before anything is done.
    ///
    /// # Cancellation
    /// A dropped future has used up the order.
    pub async fn verdict(&self, cloud: Cloud, action: &str, region: &str) -> Verdict {
        let taken = self.lock().faults.take(cloud, action, region, false);
        let Some(fault) = taken else { return Verdict::Serve };
        if !fault.delay.is_zero() {
            tokio::time::sleep(fault.delay).await;
        }
        fault.verdict()
    }

    /// Writes a call and its outcome into the audit log; once for each call. Returns its number.
    pub fn record(&self, call: Call, outcome: &Outcome) -> u64 {
        let base_now = self.base.now();
        let mut state = self.lock();
        let now = state.clock.now(base_now);
        state.audit.push(now, quota_day(now), call, outcome)
    }

    /// Returns the calls since the start or the last reset, oldest first.
    pub fn audit(&self) -> Vec<AuditLine> {
        self.lock().audit.lines()
    }
}
