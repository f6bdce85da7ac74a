//! Decides whether a cloud accepts an export, and starts it.

use jiff::{SignedDuration, Timestamp};
use sampan_core::{Cloud, DiskRole, ImageFormat};

use super::image::{Disk, Image, ImageState, Origin};
use super::limits::has_other_formats;
use super::refusal::ExportRefusal;
use super::state::State;
use super::task::{ObjectPlan, Packaging, Spoiled, Task, TaskObject, TaskRecord, TaskStatus};
use super::{Pace, prepare};
use crate::content::Content;

/// What the name of an exported object is made of.
#[derive(Debug)]
pub struct Naming<'a> {
    /// Prefix that the caller asked for; may be empty.
    pub prefix: &'a str,
    /// The image.
    pub image: &'a Image,
    /// The disk.
    pub disk: &'a Disk,
    /// Format of the object.
    pub format: ImageFormat,
}

/// One image of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportItem {
    /// Image id.
    pub image_id: String,
    /// Prefix of its objects; may be empty.
    pub prefix: String,
}

/// An export, after the vendor module has read and checked its own wire format.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The cloud.
    pub cloud: Cloud,
    /// The caller's account number.
    pub account: String,
    /// Region of the images.
    pub region: String,
    /// Vendor action, under which faults for tasks are ordered.
    pub action: &'static str,
    /// The images: at least one; Tencent takes several.
    pub items: Vec<ExportItem>,
    /// Full bucket name.
    pub bucket: String,
    /// Role that the image service shall assume.
    pub role: String,
    /// Format of the objects.
    pub format: ImageFormat,
    /// How the objects are wrapped.
    pub packaging: Packaging,
    /// True to leave the data disks out.
    pub root_disk_only: bool,
    /// True to check only.
    pub dry_run: bool,
    /// Makes an object's key, without a leading slash: the vendor's naming scheme.
    pub name_object: fn(&Naming<'_>) -> String,
}

/// What an accepted export gives.
#[derive(Debug, Clone)]
pub enum Accepted {
    /// The check passed; nothing was started or spent.
    Checked {
        /// Keys that the export would write.
        keys: Vec<String>,
    },
    /// The export runs.
    Started(Box<Task>),
}

impl State {
    /// Checks `request` and, unless it is a dry run, spends one operation and starts the export.
    ///
    /// One call is one operation, whatever the number of its images. A refused call and a dry run spend nothing.
    pub(super) fn export(
        &mut self,
        request: &ExportRequest,
        now: Timestamp,
        pace: Pace,
    ) -> Result<Accepted, ExportRefusal> {
        let images = request
            .items
            .iter()
            .map(|item| self.exportable_image(request, &item.image_id))
            .collect::<Result<Vec<_>, _>>()?;
        self.check_bucket(request)?;
        self.check_load(request, now)?;
        let mut disks = Vec::new();
        for (item, image) in request.items.iter().zip(&images) {
            for disk in image.disks.iter().filter(|disk| !request.root_disk_only || disk.role == DiskRole::System) {
                let naming = Naming { prefix: &item.prefix, image, disk, format: request.format };
                disks.push((image.id.clone(), disk.clone(), (request.name_object)(&naming)));
            }
        }
        if request.dry_run {
            return Ok(Accepted::Checked { keys: disks.into_iter().map(|(_, _, key)| key).collect() });
        }
        self.spend(request.cloud, &request.account, &request.region, 1, now);
        Ok(Accepted::Started(Box::new(self.start_task(request, disks, now, pace))))
    }

    fn exportable_image(&self, request: &ExportRequest, id: &str) -> Result<Image, ExportRefusal> {
        let image_id = || id.to_owned();
        let image = self
            .visible_image(request.cloud, &request.account, &request.region, id)
            .ok_or_else(|| ExportRefusal::ImageNotFound { image: image_id() })?;
        if image.origin != Origin::Custom {
            return Err(ExportRefusal::Origin { image: image_id(), origin: image.origin });
        }
        if image.is_windows() {
            return Err(ExportRefusal::Windows { image: image_id() });
        }
        if request.cloud == Cloud::Tencent && image.is_red_hat() {
            return Err(ExportRefusal::RedHat { image: image_id() });
        }
        if image.encrypted {
            return Err(ExportRefusal::Encrypted { image: image_id() });
        }
        if image.state != ImageState::Ready {
            return Err(ExportRefusal::NotReady { image: image_id() });
        }
        if self.is_exporting(request.cloud, &request.region, id) {
            return Err(ExportRefusal::AlreadyExporting { image: image_id() });
        }
        self.check_disks(request, &image)?;
        if request.format != ImageFormat::Raw && !has_other_formats(request.cloud, &request.region) {
            return Err(ExportRefusal::FormatNotInRegion { format: request.format });
        }
        Ok(image)
    }

    fn check_disks(&self, request: &ExportRequest, image: &Image) -> Result<(), ExportRefusal> {
        let limits = self.limits(request.cloud, &request.account);
        let count = u32::try_from(image.data_disks().count()).unwrap_or(u32::MAX);
        if !request.root_disk_only && count > limits.data_disks {
            return Err(ExportRefusal::TooManyDataDisks { image: image.id.clone(), count, limit: limits.data_disks });
        }
        for disk in &image.disks {
            let limit_gib = match disk.role {
                DiskRole::System => limits.system_disk_gib,
                DiskRole::Data if request.root_disk_only => None,
                DiskRole::Data => Some(limits.data_disk_gib),
            };
            if let Some(limit_gib) = limit_gib.filter(|limit| disk.size_gib > *limit) {
                return Err(ExportRefusal::DiskTooLarge {
                    image: image.id.clone(),
                    device: disk.device.clone(),
                    role: disk.role,
                    size_gib: disk.size_gib,
                    limit_gib,
                });
            }
        }
        Ok(())
    }

    fn check_bucket(&self, request: &ExportRequest) -> Result<(), ExportRefusal> {
        let name = || request.bucket.clone();
        let bucket = self
            .buckets
            .iter()
            .find(|bucket| bucket.cloud == request.cloud && bucket.name == request.bucket)
            .ok_or_else(|| ExportRefusal::BucketAbsent { bucket: name() })?;
        if bucket.account != request.account {
            return Err(ExportRefusal::BucketForeign { bucket: name() });
        }
        if bucket.region != request.region {
            return Err(ExportRefusal::BucketElsewhere { bucket: name(), region: bucket.region.clone() });
        }
        let account = self.account(request.cloud, &request.account);
        if !account.is_some_and(|account| account.export_roles.contains(&request.role)) {
            return Err(ExportRefusal::RoleMissing { role: request.role.clone() });
        }
        if request.cloud == Cloud::Alibaba && bucket.encrypted {
            return Err(ExportRefusal::BucketEncrypted { bucket: name() });
        }
        if !bucket.writable {
            return Err(ExportRefusal::BucketNotWritable { bucket: name() });
        }
        Ok(())
    }

    fn check_load(&self, request: &ExportRequest, now: Timestamp) -> Result<(), ExportRefusal> {
        let limits = self.limits(request.cloud, &request.account);
        if !limits.export_enabled {
            return Err(ExportRefusal::NotEnabled);
        }
        let running = self.running_exports(request.cloud, &request.account, &request.region);
        if running >= limits.running_exports {
            return Err(ExportRefusal::TooManyRunning { running, limit: limits.running_exports });
        }
        let used = self.used_operations(request.cloud, &request.account, &request.region, now);
        match limits.daily_operations {
            Some(limit) if used >= limit => {
                Err(ExportRefusal::DailyOperationsUsedUp { limit, day: super::quota_day(now) })
            }
            _ => Ok(()),
        }
    }

    fn start_task(
        &mut self,
        request: &ExportRequest,
        disks: Vec<(String, Disk, String)>,
        now: Timestamp,
        pace: Pace,
    ) -> Task {
        let spoiled = self
            .faults
            .take(request.cloud, request.action, &request.region, true)
            .and_then(|fault| Spoiled::by(fault.kind));
        let duration = pace.duration_of(disks.iter().map(|(_, disk, _)| &disk.content));
        let (id, number) = self.ids.task(&request.region);
        let count = i32::try_from(disks.len()).unwrap_or(i32::MAX).max(1);
        let mut plans = Vec::with_capacity(disks.len());
        let mut objects = Vec::with_capacity(disks.len());
        for (position, (image_id, disk, key)) in (1..).zip(disks) {
            let due_at = now.checked_add(duration * position / count).unwrap_or(now);
            let preparation = prepare::begin(&disk.content, request.format, request.packaging, &key, &self.data_dir);
            plans.push(ObjectPlan { due_at, preparation });
            objects.push(TaskObject {
                key,
                image_id,
                device: disk.device,
                snapshot_id: disk.snapshot_id,
                written: false,
            });
        }
        let view = Task {
            cloud: request.cloud,
            account: request.account.clone(),
            region: request.region.clone(),
            id,
            number,
            action: request.action.to_owned(),
            image_ids: request.items.iter().map(|item| item.image_id.clone()).collect(),
            bucket: request.bucket.clone(),
            format: request.format,
            status: TaskStatus::Running,
            progress: 0,
            created_at: now,
            finished_at: None,
            objects,
        };
        self.tasks.push(TaskRecord { view: view.clone(), plans, duration, spoiled });
        view
    }
}

impl Pace {
    /// Returns how long an export of these disks takes: at least the floor, more for much data and many disks.
    pub(super) fn duration_of<'a>(&self, disks: impl Iterator<Item = &'a Content>) -> SignedDuration {
        const GIB: f64 = 1_073_741_824.0;
        let (count, data) = disks.fold((0_i32, 0_u64), |(count, data), disk| (count + 1, data + disk.data_len()));
        #[expect(clippy::cast_precision_loss, reason = "a duration needs no exact bytes")]
        let by_data = self.per_used_gib.mul_f64(data as f64 / GIB);
        let base = SignedDuration::try_from(self.floor.max(by_data)).unwrap_or(SignedDuration::ZERO);
        base + SignedDuration::try_from(self.per_further_disk).unwrap_or(SignedDuration::ZERO) * (count - 1).max(0)
    }
}
