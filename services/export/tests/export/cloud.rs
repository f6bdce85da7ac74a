//! A small cloud in memory that follows a script: what it accepted, what it wrote, what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sampan_cloud::bucket::{Bucket, BucketRef, BucketStore, Object, ObjectPage, PresignedUrl};
use sampan_cloud::image::{
    CancelAnswer, Disk, ExportCall, ExportSearch, ExportStarted, ExportTask, ExportTaskState, ExportTraits, Image,
    ImageCloud, ImageOrigin, ImageState,
};
use sampan_cloud::{CallClass, CallError};
use sampan_core::clock::{Clock as _, ManualClock};
use sampan_core::{Cloud, DiskRole, ImageId, Reason, Region};

/// What becomes of the next call that starts an export.
#[derive(Debug, Clone)]
pub enum Start {
    /// It starts, and the answer is lost.
    Lost,
    /// It never arrives, and nobody knows.
    LostOnTheWay,
    Refused(CallClass, Reason),
}

/// A bucket that nobody looks into.
pub const ELSEWHERE: &str = "elsewhere";

/// An export that the cloud has accepted.
#[derive(Debug, Clone)]
pub struct Export {
    pub task: String,
    pub call: ExportCall,
    pub started: Timestamp,
    /// When its objects are there, in the order of the disks; `None` never.
    pub arrivals: Vec<(String, Option<Timestamp>)>,
    pub ends: Timestamp,
    pub stopped: Option<(Timestamp, ExportTaskState)>,
    pub by_console: bool,
}

/// What the cloud is and will do.
#[derive(Debug)]
pub struct Script {
    pub image: Option<Image>,
    pub bucket: Option<Bucket>,
    pub starts: VecDeque<Start>,
    /// Answers to the next trial runs.
    pub checks: VecDeque<(CallClass, Reason)>,
    /// Answers to the next searches.
    pub finds: VecDeque<(CallClass, Reason)>,
    /// How long an export takes.
    pub takes: Duration,
    /// Disks whose object comes later than the others, by index, or never.
    pub late: BTreeMap<usize, Option<Duration>>,
    /// Whether a trial run tells that the image is busy, and a second export is refused.
    pub tells_busy: bool,
    /// Object names that a finished task tells.
    pub names_told: usize,
    /// How the next task ends.
    pub fails: Option<ExportTaskState>,
    pub cancel: CancelAnswer,
    /// Listings of objects follow a write with this delay.
    pub listing_delay: Duration,
    pub exports: Vec<Export>,
    pub objects: BTreeMap<String, Object>,
    pub deleted: Vec<String>,
    pub cancels: u32,
    pub start_calls: u32,
    pub running_word: ExportTaskState,
}

/// The cloud. Every mutating call is counted.
#[derive(Debug)]
pub struct FakeCloud {
    pub cloud: Cloud,
    pub clock: Arc<ManualClock>,
    script: Mutex<Script>,
}

pub fn disk(role: DiskRole, device: &str, size_gib: u64, snapshot: &str) -> Disk {
    Disk {
        role,
        device: (!device.is_empty()).then(|| device.to_owned()),
        size_gib,
        snapshot_id: (!snapshot.is_empty()).then(|| snapshot.to_owned()),
        encrypted: Some(false),
    }
}

pub fn image(id: &str, disks: Vec<Disk>) -> Image {
    Image {
        id: id.parse().unwrap(),
        name: "web".to_owned(),
        origin: ImageOrigin::Custom,
        state: ImageState::Ready,
        raw_state: "NORMAL".to_owned(),
        platform: "Debian".to_owned(),
        is_windows: false,
        is_red_hat: false,
        architecture: "x86_64".to_owned(),
        boot_mode: None,
        disks,
        created: None,
    }
}

impl FakeCloud {
    /// A cloud with one image of a system disk and a data disk, and an empty bucket.
    pub fn new(cloud: Cloud, clock: Arc<ManualClock>) -> Arc<Self> {
        let (id, devices) = match cloud {
            Cloud::Tencent => ("img-72n9mi0y", ["", ""]),
            Cloud::Alibaba => ("m-bp67acfmxazb4p0001", ["xvda", "xvdb"]),
        };
        let disks =
            vec![disk(DiskRole::System, devices[0], 50, "snap-aa"), disk(DiskRole::Data, devices[1], 100, "snap-bb")];
        let region = region(cloud).to_string();
        let script = Script {
            image: Some(image(id, disks)),
            bucket: Some(Bucket {
                region: Some(region),
                storage_class: None,
                encrypted: Some(false),
                server_time: None,
            }),
            starts: VecDeque::new(),
            checks: VecDeque::new(),
            finds: VecDeque::new(),
            takes: Duration::from_secs(600),
            late: BTreeMap::new(),
            tells_busy: true,
            names_told: usize::MAX,
            fails: None,
            cancel: CancelAnswer::Accepted,
            listing_delay: Duration::ZERO,
            exports: Vec::new(),
            objects: BTreeMap::new(),
            deleted: Vec::new(),
            cancels: 0,
            start_calls: 0,
            running_word: ExportTaskState::Running,
        };
        Arc::new(Self { cloud, clock, script: Mutex::new(script) })
    }

    /// Returns the script, brought up to now.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        let mut script = self.script.lock().unwrap();
        let now = self.clock.now();
        let Script { exports, objects, deleted, .. } = &mut *script;
        for export in exports.iter().filter(|export| export.call.bucket != ELSEWHERE) {
            let until = export.stopped.as_ref().map_or(now, |(at, _)| *at);
            for (key, at) in &export.arrivals {
                let Some(at) = at.filter(|at| *at <= until && *at <= now) else { continue };
                let is_there = objects.get(key).is_some_and(|object| object.last_modified >= Some(at));
                if !is_there && !deleted.contains(key) {
                    objects.insert(key.clone(), object(key, &export.task, at));
                }
            }
        }
        script
    }

    /// Somebody puts an object into the bucket.
    pub fn put(&self, key: &str) {
        let object = object(key, "by hand", self.clock.now());
        self.script().objects.insert(key.to_owned(), object);
    }

    /// Somebody removes the first object whose key holds `part`.
    pub fn remove(&self, part: &str) -> Object {
        let mut script = self.script();
        let key = script.objects.keys().find(|key| key.contains(part)).cloned().expect("an object");
        script.deleted.push(key.clone());
        script.objects.remove(&key).expect("just seen")
    }

    /// Somebody exports the image in the console.
    pub fn console(&self, call: &ExportCall) {
        self.accept(call, true);
    }

    /// Returns how many exports of ours were accepted.
    pub fn accepted(&self) -> usize {
        self.script().exports.iter().filter(|export| !export.by_console).count()
    }

    fn accept(&self, call: &ExportCall, by_console: bool) -> Export {
        let now = self.clock.now();
        let mut script = self.script();
        let task = format!("t-{}", script.exports.len() + 1);
        let after = |wait: Duration| now + SignedDuration::try_from(wait).unwrap();
        let disks = script.image.clone().unwrap().disks;
        let disks = disks.iter().filter(|disk| !call.root_disk_only || disk.role == DiskRole::System);
        let arrivals = disks.enumerate().map(|(index, disk)| {
            let takes = script.late.get(&index).copied().unwrap_or(Some(script.takes));
            (key(self.cloud, call, disk), takes.map(after))
        });
        let arrivals: Vec<_> = arrivals.collect();
        let ends = arrivals.iter().filter_map(|(_, at)| *at).max().unwrap_or(after(script.takes));
        let stopped = script.fails.take().map(|state| (ends, state));
        let export = Export { task, call: call.clone(), started: now, arrivals, ends, stopped, by_console };
        script.exports.push(export.clone());
        export
    }

    fn is_exporting(&self) -> bool {
        let now = self.clock.now();
        let script = self.script();
        script.tells_busy && script.exports.iter().any(|export| export.ends > now && export.stopped.is_none())
    }

    fn busy(&self, action: &'static str) -> CallError {
        let reason = match self.cloud {
            Cloud::Tencent => Reason::CloudBusy,
            Cloud::Alibaba => Reason::ExportAlreadyRunning,
        };
        self.error(action, CallClass::Busy, reason)
    }

    fn error(&self, action: &'static str, class: CallClass, reason: Reason) -> CallError {
        CallError {
            cloud: self.cloud,
            action,
            class,
            reason,
            code: Some(format!("Fake.{reason}")),
            message: "the fake cloud says no".to_owned(),
            request_id: Some("fake-request".to_owned()),
            http_status: None,
            retry_after: None,
            attempts: 1,
        }
    }

    fn task(&self, export: &Export, names_told: usize) -> ExportTask {
        let now = self.clock.now();
        let state = match &export.stopped {
            Some((at, state)) if *at <= now => state.clone(),
            _ if export.ends <= now => ExportTaskState::Finished,
            _ => self.script().running_word.clone(),
        };
        let ended = state == ExportTaskState::Finished;
        let objects = export.arrivals.iter().filter(|_| ended).map(|(key, _)| key.clone()).take(names_told).collect();
        let span = (export.ends.as_second() - export.started.as_second()).max(1);
        let percent = (now.as_second() - export.started.as_second()) * 100 / span;
        ExportTask {
            task_id: export.task.clone(),
            state,
            percent: u8::try_from(percent.clamp(0, 100)).ok(),
            can_cancel: !ended,
            objects,
            image: Some(export.call.image.clone()),
            bucket: ended.then(|| export.call.bucket.clone()),
            created: Some(minute(export.started)),
        }
    }

    fn action(&self) -> &'static str {
        match self.cloud {
            Cloud::Tencent => "ExportImages",
            Cloud::Alibaba => "ExportImage",
        }
    }
}

pub fn region(cloud: Cloud) -> Region {
    match cloud {
        Cloud::Tencent => "ap-guangzhou".parse().unwrap(),
        Cloud::Alibaba => "cn-hangzhou".parse().unwrap(),
    }
}

/// The names that both vendors document, written down once more: the judge shares no code with the judged.
fn key(cloud: Cloud, call: &ExportCall, disk: &Disk) -> String {
    let prefix = call.prefix.as_ref().map(|prefix| format!("{prefix}_")).unwrap_or_default();
    let image = &call.image;
    match (cloud, disk.role) {
        (Cloud::Tencent, role) => {
            format!("{prefix}{image}_{role}_{}.{}", disk.snapshot_id.as_deref().unwrap_or_default(), call.format)
        }
        (Cloud::Alibaba, DiskRole::System) => format!("{prefix}{image}_system.raw.tar.gz"),
        (Cloud::Alibaba, DiskRole::Data) => {
            format!("{prefix}{image}_data_{}.raw.tar.gz", disk.device.as_deref().unwrap_or_default())
        }
    }
}

fn object(key: &str, content: &str, at: Timestamp) -> Object {
    let second = Timestamp::from_second(at.as_second()).unwrap();
    Object {
        key: key.to_owned(),
        size_bytes: 4096,
        etag: format!("{content}-{}", at.as_second()),
        last_modified: Some(second),
        crc64: Some(7),
        storage_class: None,
    }
}

fn minute(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() / 60 * 60).unwrap()
}

#[async_trait]
impl ImageCloud for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    fn export_traits(&self) -> ExportTraits {
        let lists_tasks = self.cloud == Cloud::Alibaba;
        ExportTraits {
            action: self.action(),
            reports_tasks: lists_tasks,
            cancels: lists_tasks,
            root_disk_only: !lists_tasks,
            default_role: "Writer",
        }
    }

    async fn describe_image(&self, _: &Region, id: &ImageId) -> Result<Option<Image>, CallError> {
        Ok(self.script().image.clone().filter(|image| image.id == *id))
    }

    async fn image_quota(&self, _: &Region) -> Result<Option<u64>, CallError> {
        Ok(None)
    }

    async fn check_export(&self, _: &ExportCall) -> Result<(), CallError> {
        let scripted = self.script().checks.pop_front();
        match scripted {
            Some((class, reason)) => Err(self.error(self.action(), class, reason)),
            None if self.is_exporting() => Err(self.busy(self.action())),
            None => Ok(()),
        }
    }

    async fn start_export(&self, call: &ExportCall) -> Result<ExportStarted, CallError> {
        let scripted = {
            let mut script = self.script();
            script.start_calls += 1;
            script.starts.pop_front()
        };
        if let Some(Start::Refused(class, reason)) = scripted {
            return Err(self.error(self.action(), class, reason));
        }
        let lost = || self.error(self.action(), CallClass::UnknownOutcome, Reason::CloudUnavailable);
        if let Some(Start::LostOnTheWay) = scripted {
            return Err(lost());
        }
        if self.is_exporting() {
            return Err(self.busy(self.action()));
        }
        let export = self.accept(call, false);
        if let Some(Start::Lost) = scripted {
            return Err(lost());
        }
        let objects = match self.cloud {
            Cloud::Tencent => export.arrivals.into_iter().map(|(key, _)| key).collect(),
            Cloud::Alibaba => Vec::new(),
        };
        Ok(ExportStarted { task_id: Some(export.task), objects, request_id: "fake-request".to_owned() })
    }

    async fn find_export(&self, call: &ExportCall, since: Timestamp) -> Result<ExportSearch, CallError> {
        let scripted = self.script().finds.pop_front();
        if let Some((class, reason)) = scripted {
            return Err(self.error("Find", class, reason));
        }
        if self.cloud == Cloud::Tencent {
            return Ok(if self.is_exporting() { ExportSearch::Busy } else { ExportSearch::Idle });
        }
        let (exports, told) = {
            let script = self.script();
            (script.exports.clone(), script.names_told)
        };
        let tasks =
            exports.iter().filter(|export| export.call.image == call.image && minute(export.started) >= minute(since));
        Ok(ExportSearch::Tasks(tasks.map(|export| self.task(export, told)).collect()))
    }

    async fn export_tasks(&self, _: &Region, tasks: &[String]) -> Result<Vec<Option<ExportTask>>, CallError> {
        let (exports, told) = {
            let script = self.script();
            (script.exports.clone(), script.names_told)
        };
        let find = |id: &String| exports.iter().find(|export| export.task == *id).map(|export| self.task(export, told));
        Ok(tasks.iter().map(find).collect())
    }

    async fn cancel_export(&self, _: &Region, task: &str) -> Result<CancelAnswer, CallError> {
        let now = self.clock.now();
        let mut script = self.script();
        script.cancels += 1;
        let answer = script.cancel;
        let Some(export) = script.exports.iter_mut().find(|export| export.task == task) else {
            return Ok(CancelAnswer::AlreadyEnded);
        };
        if export.ends <= now || export.stopped.is_some() {
            return Ok(CancelAnswer::AlreadyEnded);
        }
        if answer == CancelAnswer::Accepted {
            export.stopped = Some((now, ExportTaskState::Cancelled));
        }
        Ok(answer)
    }
}

#[async_trait]
impl BucketStore for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    async fn head_bucket(&self, _: &BucketRef) -> Result<Option<Bucket>, CallError> {
        let now = self.clock.now();
        Ok(self.script().bucket.clone().map(|bucket| Bucket { server_time: Some(now), ..bucket }))
    }

    async fn head_object(&self, _: &BucketRef, key: &str) -> Result<Option<Object>, CallError> {
        Ok(self.script().objects.get(key).cloned())
    }

    async fn list_objects(&self, _: &BucketRef, prefix: &str, _: Option<&str>) -> Result<ObjectPage, CallError> {
        let now = self.clock.now();
        let script = self.script();
        let delay = SignedDuration::try_from(script.listing_delay).unwrap();
        let listed = script
            .objects
            .values()
            .filter(|object| object.key.starts_with(prefix) && object.last_modified.is_none_or(|at| at + delay <= now));
        let objects = listed.map(|object| Object { crc64: None, ..object.clone() }).collect();
        Ok(ObjectPage { objects, next: None })
    }

    async fn delete_object(&self, _: &BucketRef, key: &str) -> Result<(), CallError> {
        let mut script = self.script();
        script.objects.remove(key);
        script.deleted.push(key.to_owned());
        Ok(())
    }

    async fn presign_get(&self, _: &BucketRef, key: &str, valid_for: Duration) -> Result<PresignedUrl, CallError> {
        let expires = self.clock.now() + SignedDuration::try_from(valid_for).unwrap();
        Ok(PresignedUrl { url: format!("https://bucket.example/{key}?signature"), expires })
    }
}
