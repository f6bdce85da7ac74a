//! A small cloud in memory that follows a script: what it accepted, what it holds, what it was asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_cloud::copy::{CopiedImage, CopyState, Snapshot};
use sampan_cloud::image::{Disk, Image, ImageOrigin, ImageState};
use sampan_cloud::{CallClass, CallError};
use sampan_core::clock::{Clock as _, ManualClock};
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Cloud, DiskRole, ImageId, Reason, Region};

/// What becomes of the next call of that action.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is done, and the answer is lost.
    Lost,
    /// It never arrives, and nobody knows.
    LostOnTheWay,
    Refused(CallClass, Reason),
}

/// An image of the account.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: ImageId,
    pub name: String,
    pub made: Timestamp,
    /// When it is usable; `None` never.
    pub ready: Option<Timestamp>,
    /// When it fails.
    pub fails: Option<Timestamp>,
    pub is_copy: bool,
    pub by_console: bool,
    pub snapshots: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct HeldSnapshot {
    pub id: String,
    pub name: String,
    pub made: Timestamp,
    pub ready: Timestamp,
    pub source: String,
}

/// What the cloud is and will do.
#[derive(Debug)]
pub struct Script {
    pub image: Option<Image>,
    pub images: BTreeMap<Region, Vec<Held>>,
    pub snapshots: BTreeMap<Region, Vec<HeldSnapshot>>,
    pub answers: BTreeMap<&'static str, VecDeque<Answer>>,
    /// Answers to the next looks at images by id.
    pub looks: VecDeque<(CallClass, Reason)>,
    /// Regions whose ceiling the cloud tells.
    pub ceilings: BTreeMap<Region, u64>,
    /// How long a copy takes.
    pub takes: Duration,
    /// Regions where the next copy fails when it would be done.
    pub fails_in: BTreeSet<Region>,
    /// How long a new image stays out of sight.
    pub hidden_for: Duration,
    /// Whether the answer to a copy tells the new images.
    pub tells_ids: bool,
    /// The largest image that is copied in one piece, in GiB; above it the call is refused.
    pub largest_gib: u64,
    pub usable: Option<Vec<Region>>,
    tokens: BTreeMap<String, ImageId>,
    made: u32,
    /// Every call that reached the cloud: action, region.
    pub calls: Vec<(&'static str, Region)>,
    /// Mutating image calls that were accepted, by region and day.
    accepted: BTreeMap<(Region, jiff::civil::Date), u32>,
    /// Mutating image calls of the day that reached a region whose day was spent.
    pub beyond_the_day: u32,
}

/// The cloud. Every call is noted.
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
        boot_mode: Some("UEFI".to_owned()),
        disks,
        created: None,
    }
}

pub fn home(cloud: Cloud) -> Region {
    match cloud {
        Cloud::Tencent => region("ap-guangzhou"),
        Cloud::Alibaba => region("cn-hangzhou"),
    }
}

pub fn region(text: &str) -> Region {
    text.parse().unwrap()
}

/// The China day, counted once more: the judge shares no rule with the judged.
const CALLS_A_DAY: u32 = 5;

impl FakeCloud {
    /// A cloud with one image of a system disk, and empty regions.
    pub fn new(cloud: Cloud, clock: Arc<ManualClock>) -> Arc<Self> {
        let (id, snapshot) = match cloud {
            Cloud::Tencent => ("img-72n9mi0y", "snap-aa"),
            Cloud::Alibaba => ("m-bp67acfmxazb4p0001", "s-aa"),
        };
        let script = Script {
            image: Some(image(id, vec![disk(DiskRole::System, "xvda", 50, snapshot)])),
            images: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            answers: BTreeMap::new(),
            looks: VecDeque::new(),
            ceilings: BTreeMap::new(),
            takes: Duration::from_secs(600),
            fails_in: BTreeSet::new(),
            hidden_for: Duration::ZERO,
            tells_ids: true,
            largest_gib: u64::MAX,
            usable: None,
            tokens: BTreeMap::new(),
            made: 0,
            calls: Vec::new(),
            accepted: BTreeMap::new(),
            beyond_the_day: 0,
        };
        Arc::new(Self { cloud, clock, script: Mutex::new(script) })
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Sets what becomes of the next calls of an action.
    pub fn answer(&self, action: &'static str, answers: impl IntoIterator<Item = Answer>) {
        self.script().answers.entry(action).or_default().extend(answers);
    }

    pub fn copy_action(&self) -> &'static str {
        match self.cloud {
            Cloud::Tencent => "SyncImages",
            Cloud::Alibaba => "CopyImage",
        }
    }

    pub fn delete_action(&self) -> &'static str {
        match self.cloud {
            Cloud::Tencent => "DeleteImages",
            Cloud::Alibaba => "DeleteImage",
        }
    }

    /// Returns how often an action reached the cloud.
    pub fn count(&self, action: &str) -> usize {
        self.script().calls.iter().filter(|(known, _)| *known == action).count()
    }

    /// Returns the images of a region that no console made.
    pub fn copies_in(&self, region: &Region) -> Vec<Held> {
        let script = self.script();
        script.images.get(region).into_iter().flatten().filter(|held| !held.by_console).cloned().collect()
    }

    /// Returns how many images our calls have left in all regions together.
    pub fn copies(&self) -> usize {
        self.script().images.values().flatten().filter(|held| !held.by_console).count()
    }

    /// Somebody makes an image in the console.
    pub fn console(&self, region: &Region, name: &str, is_copy: bool) -> ImageId {
        let now = self.clock.now();
        let mut script = self.script();
        script.made += 1;
        let id: ImageId = format!("{}console{}", self.prefix(), script.made).parse().unwrap();
        let held = Held {
            id: id.clone(),
            name: name.to_owned(),
            made: now,
            ready: Some(now),
            fails: None,
            is_copy,
            by_console: true,
            snapshots: Vec::new(),
        };
        script.images.entry(region.clone()).or_default().push(held);
        id
    }

    /// Somebody removes an image in the console.
    pub fn vanish(&self, region: &Region) {
        self.script().images.remove(region).expect("an image");
    }

    fn prefix(&self) -> &'static str {
        match self.cloud {
            Cloud::Tencent => "img-",
            Cloud::Alibaba => "m-",
        }
    }

    /// Somebody in the console spends `calls` of the region's day.
    pub fn spend_by_console(&self, region: &Region, calls: u32) {
        let day = QuotaRule::per_china_day(CALLS_A_DAY).day(self.clock.now());
        *self.script().accepted.entry((region.clone(), day)).or_default() += calls;
    }

    /// Notes a call, and returns what the script wants of it.
    pub(crate) fn arrive(&self, action: &'static str, region: &Region) -> Result<Option<Answer>, CallError> {
        let answer = {
            let mut script = self.script();
            script.calls.push((action, region.clone()));
            script.answers.get_mut(action).and_then(VecDeque::pop_front)
        };
        match answer {
            Some(Answer::Refused(class, reason)) => Err(self.error(action, class, reason)),
            Some(Answer::LostOnTheWay) => Err(self.lost(action)),
            other => Ok(other),
        }
    }

    /// Counts a mutating image call in its day; the sixth is refused.
    pub(crate) fn accept(&self, action: &'static str, region: &Region) -> Result<(), CallError> {
        if self.cloud == Cloud::Alibaba {
            return Ok(());
        }
        let day = QuotaRule::per_china_day(CALLS_A_DAY).day(self.clock.now());
        let mut script = self.script();
        let used = script.accepted.entry((region.clone(), day)).or_default();
        if *used >= CALLS_A_DAY {
            script.beyond_the_day += 1;
            drop(script);
            return Err(self.error(action, CallClass::Quota, Reason::CloudQuotaSpent));
        }
        *used += 1;
        Ok(())
    }

    /// Makes a copy that is done after the time that the script says.
    pub(crate) fn make(&self, region: &Region, name: &str, token: Option<&String>, is_copy: bool) -> ImageId {
        let now = self.clock.now();
        let mut script = self.script();
        if let Some(known) = token.and_then(|token| script.tokens.get(token)) {
            return known.clone();
        }
        script.made += 1;
        let id: ImageId = format!("{}copy{}", self.prefix(), script.made).parse().unwrap();
        let done = now + SignedDuration::try_from(script.takes).unwrap();
        let fails = script.fails_in.remove(region);
        let held = Held {
            id: id.clone(),
            name: name.to_owned(),
            made: now,
            ready: (!fails).then_some(done),
            fails: fails.then_some(done),
            is_copy,
            by_console: false,
            snapshots: vec![format!("{}-{}", script.snapshot_word(self.cloud), script.made)],
        };
        if let Some(token) = token {
            script.tokens.insert(token.clone(), id.clone());
        }
        for snapshot in &held.snapshots {
            let held = HeldSnapshot {
                id: snapshot.clone(),
                name: String::new(),
                made: now,
                ready: done,
                source: String::new(),
            };
            script.snapshots.entry(region.clone()).or_default().push(held);
        }
        script.images.entry(region.clone()).or_default().push(held);
        id
    }

    pub(crate) fn knows(&self, token: &str) -> bool {
        self.script().tokens.contains_key(token)
    }

    pub(crate) fn lost(&self, action: &'static str) -> CallError {
        self.error(action, CallClass::UnknownOutcome, Reason::CloudUnavailable)
    }

    pub(crate) fn error(&self, action: &'static str, class: CallClass, reason: Reason) -> CallError {
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

    /// Whether a copy of the image runs anywhere.
    pub(crate) fn is_copying(&self) -> bool {
        let now = self.clock.now();
        let script = self.script();
        let runs = |held: &Held| held.is_copy && held.ready.or(held.fails).is_none_or(|end| end > now);
        script.images.values().flatten().any(runs)
    }

    /// Returns an image as the cloud describes it now; `None` while it is hidden.
    pub(crate) fn told(&self, held: &Held) -> Option<CopiedImage> {
        let now = self.clock.now();
        let script = self.script();
        if !held.by_console && held.made + SignedDuration::try_from(script.hidden_for).unwrap() > now {
            return None;
        }
        let state = match (held.ready, held.fails) {
            (Some(ready), _) if ready <= now => CopyState::Ready,
            (_, Some(fails)) if fails <= now => CopyState::Failed,
            _ => CopyState::Copying,
        };
        let end = held.ready.or(held.fails).unwrap_or(now);
        let span = (end.as_second() - held.made.as_second()).max(1);
        let percent = (now.as_second() - held.made.as_second()) * 100 / span;
        let disks = script.image.as_ref().map(|image| image.disks.clone()).unwrap_or_default();
        let snapshots = held.snapshots.iter().map(|id| Some(id.clone())).chain(std::iter::repeat(None));
        let disks = disks.into_iter().zip(snapshots).map(|(disk, snapshot_id)| Disk { snapshot_id, ..disk });
        let raw_state = if state == CopyState::Failed { "CREATEFAILED" } else { "NORMAL" };
        Some(CopiedImage {
            image: Image {
                name: held.name.clone(),
                created: Some(held.made),
                raw_state: raw_state.to_owned(),
                ..image(held.id.as_str(), disks.collect())
            },
            state,
            percent: u8::try_from(percent.clamp(0, 100)).ok(),
            is_copy: (self.cloud == Cloud::Alibaba).then_some(held.is_copy),
        })
    }

    pub(crate) fn told_snapshot(&self, held: &HeldSnapshot) -> Snapshot {
        let is_ready = held.ready <= self.clock.now();
        Snapshot {
            id: held.id.clone(),
            name: held.name.clone(),
            state: if is_ready { CopyState::Ready } else { CopyState::Copying },
            percent: Some(if is_ready { 100 } else { 40 }),
            size_gib: 50,
            encrypted: Some(false),
            created: Some(held.made),
        }
    }
}

impl Script {
    pub(crate) fn snapshot_word(&self, cloud: Cloud) -> &'static str {
        match cloud {
            Cloud::Tencent => "snap-copy",
            Cloud::Alibaba => "s-copy",
        }
    }

    pub(crate) fn next_snapshot(&mut self) -> String {
        self.made += 1;
        format!("s-way-{}", self.made)
    }
}
