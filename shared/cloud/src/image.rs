//! The image port: neutral types and the calls that every cloud offers under its own names.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Cloud, DiskRole, ImageFormat, ImageId, Region};
use serde::{Deserialize, Serialize};

use crate::error::CallError;

/// Where an image comes from, seen from the account that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageOrigin {
    /// Made or imported by the account.
    Custom,
    /// Offered by the vendor to everybody, or published by its owner.
    Public,
    /// From the vendor's marketplace, or known to derive from it.
    Marketplace,
    /// Belongs to another account that shares it.
    Shared,
}

/// What can be done with an image now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageState {
    /// Usable.
    Ready,
    /// Being made, imported or copied; also every state that this version does not know.
    Pending,
    /// Will never be usable.
    Failed,
    /// Withdrawn by its owner.
    Deprecated,
}

/// One disk of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What the disk is to the machine.
    pub role: DiskRole,
    /// Device name without `/dev/`, such as `xvda`, where the cloud tells it.
    pub device: Option<String>,
    /// Capacity in GiB.
    pub size_gib: u64,
    /// Snapshot behind the disk, where the cloud tells it.
    pub snapshot_id: Option<String>,
    /// Whether the snapshot is encrypted; `None` when the cloud did not tell.
    pub encrypted: Option<bool>,
}

/// An image as one cloud describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Id at the cloud.
    pub id: ImageId,
    /// Name at the cloud.
    pub name: String,
    /// Where it comes from.
    pub origin: ImageOrigin,
    /// What can be done with it now.
    pub state: ImageState,
    /// The vendor's own word for the state.
    pub raw_state: String,
    /// The vendor's word for the system on it, such as `CentOS` or `Windows`.
    pub platform: String,
    /// Whether the system is a Windows.
    pub is_windows: bool,
    /// Whether the system is a Red Hat Enterprise Linux.
    pub is_red_hat: bool,
    /// Processor architecture, in the vendor's word.
    pub architecture: String,
    /// How a machine boots from it, in the vendor's word, such as `UEFI`; `None` where the cloud does not tell.
    pub boot_mode: Option<String>,
    /// Disks: the system disk first, then data disks in device order; never empty for a custom image.
    pub disks: Vec<Disk>,
    /// Time of creation.
    pub created: Option<Timestamp>,
}

impl Image {
    /// Returns the number of data disks.
    pub fn data_disks(&self) -> usize {
        self.disks.iter().filter(|disk| disk.role == DiskRole::Data).count()
    }

    /// Returns the capacity of all disks, in GiB.
    pub fn total_gib(&self) -> u64 {
        self.disks.iter().map(|disk| disk.size_gib).sum()
    }

    /// Returns whether any disk is encrypted; `None` when that is not known of every disk.
    pub fn is_encrypted(&self) -> Option<bool> {
        if self.disks.iter().any(|disk| disk.encrypted == Some(true)) {
            return Some(true);
        }
        self.disks.iter().all(|disk| disk.encrypted == Some(false)).then_some(false)
    }
}

/// What an export call says to the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCall {
    /// Region of the image and of the bucket.
    pub region: Region,
    /// The image.
    pub image: ImageId,
    /// The bucket, in the form that the cloud wants (`name-APPID` on COS).
    pub bucket: String,
    /// Beginning of the names of the exported files; `None` leaves them to the cloud.
    pub prefix: Option<String>,
    /// File format.
    pub format: ImageFormat,
    /// Whether data disks are left out; only where [`ExportTraits::root_disk_only`].
    pub root_disk_only: bool,
    /// Role by which the cloud writes to the bucket; `None` means the vendor's default role.
    pub role_name: Option<String>,
}

/// The cloud's acceptance of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportStarted {
    /// Task id as text, where the cloud gives one.
    pub task_id: Option<String>,
    /// Object keys that the cloud promises, without a leading slash; empty where it promises none.
    pub objects: Vec<String>,
    /// The vendor's request id.
    pub request_id: String,
}

/// State of an export task at a cloud that reports tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportTaskState {
    /// Waits for its turn at the vendor; being queued is no stall.
    Queued,
    /// Runs.
    Running,
    /// Ended well.
    Finished,
    /// Ended badly.
    Failed {
        /// The vendor's code; may be empty.
        code: String,
        /// The vendor's message; may be empty.
        message: String,
    },
    /// Was cancelled.
    Cancelled,
}

/// An export task at a cloud that reports tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTask {
    /// Task id.
    pub task_id: String,
    /// What it does now.
    pub state: ExportTaskState,
    /// Percent done, 0 to 100, where the cloud tells it.
    pub percent: Option<u8>,
    /// Whether the vendor would accept a cancel now.
    pub can_cancel: bool,
    /// Object keys that it wrote or will write, where the cloud tells them.
    pub objects: Vec<String>,
    /// The image that it exports, where the cloud tells it.
    pub image: Option<ImageId>,
    /// The bucket that it writes to, where the cloud tells it.
    pub bucket: Option<String>,
    /// Time of its creation.
    pub created: Option<Timestamp>,
}

/// What a search for an export of unknown outcome found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportSearch {
    /// Tasks of that image created at or after the given time, oldest first; may be empty, and then the export
    /// surely does not exist.
    Tasks(Vec<ExportTask>),
    /// The cloud has no list of tasks, but says that the image is busy with one.
    Busy,
    /// The cloud has no list of tasks and would accept an export of the image now.
    Idle,
}

/// Answer to a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// The vendor stops the task.
    Accepted,
    /// The task had ended already; look at how.
    AlreadyEnded,
    /// The vendor has no such cancel, or refuses it for this task.
    Impossible,
}

/// What the export of a cloud can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportTraits {
    /// The vendor's name of the mutating call.
    pub action: &'static str,
    /// The cloud lists and describes export tasks, with progress.
    pub reports_tasks: bool,
    /// The cloud can cancel a running export.
    pub cancels: bool,
    /// The cloud can leave the data disks out.
    pub root_disk_only: bool,
    /// Role that the cloud writes by when the request names none.
    pub default_role: &'static str,
}

/// Image calls of one account of one cloud.
///
/// Every method makes at most a handful of vendor calls through the call stack: paced, timed out, retried within
/// the budget where that is safe, classified and redacted. Mutating calls whose answer is lost return
/// [`CallClass::UnknownOutcome`](crate::error::CallClass::UnknownOutcome) and are never repeated here.
#[async_trait]
pub trait ImageCloud: Send + Sync + fmt::Debug {
    /// Returns the cloud.
    fn cloud(&self) -> Cloud;

    /// Returns what exports can do on this cloud.
    fn export_traits(&self) -> ExportTraits;

    /// Describes one image with its disks, and with their encryption where the cloud can be asked.
    ///
    /// Returns `None` when the account has no such image in `region`. When the look-up of encryption alone is
    /// not permitted, the disks carry `encrypted: None`.
    async fn describe_image(&self, region: &Region, image: &ImageId) -> Result<Option<Image>, CallError>;

    /// Returns the ceiling of custom images in `region`, or `None` where the cloud cannot be asked.
    async fn image_quota(&self, region: &Region) -> Result<Option<u64>, CallError>;

    /// Asks the cloud whether it would accept the export, without starting it.
    ///
    /// # Errors
    /// What the export itself would be refused with.
    async fn check_export(&self, call: &ExportCall) -> Result<(), CallError>;

    /// Starts an export. Mutating: one unit of the lane's quota. Never repeated inside.
    async fn start_export(&self, call: &ExportCall) -> Result<ExportStarted, CallError>;

    /// Looks for an export of `call` that was started at or after `since`, the vendor's clock.
    async fn find_export(&self, call: &ExportCall, since: Timestamp) -> Result<ExportSearch, CallError>;

    /// Describes export tasks, in the order of `tasks`; `None` for a task that the cloud does not know.
    ///
    /// Returns all `None` where the cloud does not report tasks.
    async fn export_tasks(&self, region: &Region, tasks: &[String]) -> Result<Vec<Option<ExportTask>>, CallError>;

    /// Cancels an export task.
    async fn cancel_export(&self, region: &Region, task: &str) -> Result<CancelAnswer, CallError>;
}
