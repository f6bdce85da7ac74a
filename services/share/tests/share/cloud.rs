//! A small cloud in memory that follows a script: who has which image, what it answers, what it was asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sampan_cloud::image::{
    CancelAnswer, Disk, ExportCall, ExportSearch, ExportStarted, ExportTask, ExportTraits, Image, ImageCloud,
    ImageOrigin, ImageState,
};
use sampan_cloud::share::{Share, ShareCall, ShareCloud, ShareTraits};
use sampan_cloud::{CallClass, CallError};
use sampan_core::clock::{Clock as _, ManualClock};
use sampan_core::{Cloud, DiskRole, ImageId, Reason, Region};

/// What becomes of the next share call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It takes effect, and the answer is lost.
    Lost,
    /// It takes effect for the first accounts alone, and the answer is lost.
    PartlyLost(usize),
    /// It never arrives, and nobody knows.
    LostOnTheWay,
    /// It is refused without an effect.
    Refused(CallClass, Reason),
    /// It is accepted, and only the first accounts are looked at.
    Drops(usize),
    /// Somebody else is faster with this account, and then the call is refused.
    Overtaken(String),
}

/// What the cloud does with a call that names an account it does not like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixed {
    /// Nothing of the call takes effect.
    Nothing,
    /// The others take effect.
    Others,
}

/// A call that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub region: Region,
    pub image: ImageId,
    pub call: ShareCall,
    pub at: Timestamp,
}

/// What the cloud is and will do.
#[derive(Debug)]
pub struct Script {
    pub images: BTreeMap<(Region, ImageId), Image>,
    pub shares: BTreeMap<ImageId, BTreeMap<String, Timestamp>>,
    pub answers: VecDeque<Answer>,
    /// Looks at a list that succeed before `lists` counts.
    pub readable: u32,
    /// Failures of the next looks at a list.
    pub lists: VecDeque<(CallClass, Reason)>,
    pub disliked: BTreeMap<String, Reason>,
    pub mixed: Mixed,
    /// Whether a refusal names the account.
    pub names: bool,
    /// What somebody else adds (`true`) or removes after each of the next looks at a list.
    pub others: VecDeque<Vec<(String, bool)>>,
    /// A list shows an effect this much later.
    pub lag: SignedDuration,
    /// Every call that arrived, the refused ones too.
    pub arrived: Vec<Arrived>,
    /// Calls that took effect, wholly or in part.
    pub effects: u32,
}

/// The cloud.
#[derive(Debug)]
pub struct FakeCloud {
    pub cloud: Cloud,
    pub clock: Arc<ManualClock>,
    script: Mutex<Script>,
}

pub fn region(cloud: Cloud) -> Region {
    match cloud {
        Cloud::Tencent => "ap-guangzhou".parse().unwrap(),
        Cloud::Alibaba => "cn-hangzhou".parse().unwrap(),
    }
}

pub fn image_id(cloud: Cloud) -> ImageId {
    match cloud {
        Cloud::Tencent => "img-72n9mi0y".parse().unwrap(),
        Cloud::Alibaba => "m-bp67acfmxazb4p0001".parse().unwrap(),
    }
}

pub fn image(id: &ImageId) -> Image {
    Image {
        id: id.clone(),
        name: "web".to_owned(),
        origin: ImageOrigin::Custom,
        state: ImageState::Ready,
        raw_state: "NORMAL".to_owned(),
        platform: "Debian".to_owned(),
        is_windows: false,
        is_red_hat: false,
        architecture: "x86_64".to_owned(),
        boot_mode: None,
        disks: vec![disk(DiskRole::System)],
        created: None,
    }
}

pub fn disk(role: DiskRole) -> Disk {
    Disk { role, device: None, size_gib: 50, snapshot_id: Some("snap-aa".to_owned()), encrypted: Some(false) }
}

impl FakeCloud {
    /// A cloud with one image that nobody has.
    pub fn new(cloud: Cloud, clock: Arc<ManualClock>) -> Arc<Self> {
        let id = image_id(cloud);
        let script = Script {
            images: BTreeMap::from([((region(cloud), id.clone()), image(&id))]),
            shares: BTreeMap::new(),
            answers: VecDeque::new(),
            readable: 0,
            lists: VecDeque::new(),
            disliked: BTreeMap::new(),
            mixed: Mixed::Others,
            names: false,
            others: VecDeque::new(),
            lag: SignedDuration::ZERO,
            arrived: Vec::new(),
            effects: 0,
        };
        Arc::new(Self { cloud, clock, script: Mutex::new(script) })
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// The image is shared with these before anything happens.
    pub fn shared_with(&self, image: &ImageId, accounts: &[String]) {
        let long_ago = self.clock.now() - SignedDuration::from_hours(24);
        let shares = accounts.iter().map(|account| (account.clone(), long_ago));
        self.script().shares.entry(image.clone()).or_default().extend(shares);
    }

    /// Another image of the account.
    pub fn add_image(&self, region: &str, id: &str) {
        let (region, id): (Region, ImageId) = (region.parse().unwrap(), id.parse().unwrap());
        self.script().images.insert((region, id.clone()), image(&id));
    }

    /// Returns who has the image, as the cloud knows it.
    pub fn holders(&self, image: &ImageId) -> BTreeSet<String> {
        self.script().shares.get(image).map(|shares| shares.keys().cloned().collect()).unwrap_or_default()
    }

    pub fn calls(&self) -> Vec<Arrived> {
        self.script().arrived.clone()
    }

    fn error(&self, action: &'static str, class: CallClass, reason: Reason, message: &str) -> CallError {
        CallError {
            cloud: self.cloud,
            action,
            class,
            reason,
            code: Some(format!("Fake.{reason}")),
            message: message.to_owned(),
            request_id: Some("fake-request".to_owned()),
            http_status: None,
            retry_after: None,
            attempts: 1,
        }
    }

    /// Applies a call to at most `most` accounts, those that the cloud does not like left out.
    fn apply(&self, script: &mut Script, image: &ImageId, call: &ShareCall, most: usize) {
        let now = self.clock.now();
        let shares = script.shares.entry(image.clone()).or_default();
        let adds = call.add.iter().map(|account| (account, true));
        let all = adds.chain(call.remove.iter().map(|account| (account, false)));
        for (account, is_add) in all.take(most).filter(|(account, _)| !script.disliked.contains_key(*account)) {
            if is_add {
                shares.entry(account.clone()).or_insert(now);
            } else {
                shares.remove(account);
            }
        }
        script.effects += 1;
    }
}

#[async_trait]
impl ShareCloud for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    fn share_traits(&self) -> ShareTraits {
        let is_alibaba = self.cloud == Cloud::Alibaba;
        ShareTraits {
            action: "ModifyImageSharePermission",
            accounts_per_call: is_alibaba.then_some(10),
            adds_and_removes_at_once: is_alibaba,
        }
    }

    async fn change_shares(&self, region: &Region, image: &ImageId, call: &ShareCall) -> Result<String, CallError> {
        const ACTION: &str = "ModifyImageSharePermission";
        let traits = self.share_traits();
        let most = traits.accounts_per_call.unwrap_or(usize::MAX);
        assert!(call.add.len() <= most && call.remove.len() <= most, "{call:?}");
        assert!(!call.add.is_empty() || !call.remove.is_empty(), "an empty call");
        assert!(traits.adds_and_removes_at_once || call.add.is_empty() || call.remove.is_empty(), "{call:?}");
        let mut script = self.script();
        let at = self.clock.now();
        script.arrived.push(Arrived { region: region.clone(), image: image.clone(), call: call.clone(), at });
        let lost = || self.error(ACTION, CallClass::UnknownOutcome, Reason::CloudUnavailable, "no answer");
        match script.answers.pop_front() {
            Some(Answer::LostOnTheWay) => {
                script.arrived.pop();
                return Err(lost());
            }
            Some(Answer::Lost) => {
                self.apply(&mut script, image, call, usize::MAX);
                return Err(lost());
            }
            Some(Answer::PartlyLost(most)) => {
                self.apply(&mut script, image, call, most);
                return Err(lost());
            }
            Some(Answer::Refused(class, reason)) => return Err(self.error(ACTION, class, reason, "no")),
            Some(Answer::Drops(most)) => {
                self.apply(&mut script, image, call, most);
                return Ok("fake-request".to_owned());
            }
            Some(Answer::Overtaken(account)) => {
                script.shares.entry(image.clone()).or_default().insert(account, at);
                return Err(self.error(ACTION, CallClass::Caller, Reason::AlreadyShared, "somebody has it"));
            }
            None => {}
        }
        let bad = call.add.iter().find_map(|account| Some((account, *script.disliked.get(account)?)));
        let Some((account, reason)) = bad else {
            self.apply(&mut script, image, call, usize::MAX);
            return Ok("fake-request".to_owned());
        };
        let message = if script.names { format!("account [{account}] is bad") } else { "bad account".to_owned() };
        if script.mixed == Mixed::Others && call.add.len() + call.remove.len() > 1 {
            self.apply(&mut script, image, call, usize::MAX);
        }
        Err(self.error(ACTION, CallClass::Caller, reason, &message))
    }

    async fn shares(&self, region: &Region, image: &ImageId) -> Result<Vec<Share>, CallError> {
        const ACTION: &str = "DescribeImageSharePermission";
        let mut script = self.script();
        if script.readable > 0 {
            script.readable -= 1;
        } else if let Some((class, reason)) = script.lists.pop_front() {
            return Err(self.error(ACTION, class, reason, "no list"));
        }
        if !script.images.contains_key(&(region.clone(), image.clone())) {
            return Err(self.error(ACTION, CallClass::NotFound, Reason::ImageNotFound, "no such image"));
        }
        let visible = self.clock.now() - script.lag;
        let shares = script.shares.get(image).into_iter().flatten().filter(|(_, since)| **since <= visible);
        let told = shares.map(|(account, since)| Share { account_id: account.clone(), since: Some(*since) }).collect();
        let others = script.others.pop_front().unwrap_or_default();
        let now = self.clock.now();
        let holders = script.shares.entry(image.clone()).or_default();
        for (account, is_added) in others {
            if is_added {
                holders.insert(account, now);
            } else {
                holders.remove(&account);
            }
        }
        Ok(told)
    }
}

#[async_trait]
impl ImageCloud for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    fn export_traits(&self) -> ExportTraits {
        unreachable!("shares export nothing")
    }

    async fn describe_image(&self, region: &Region, id: &ImageId) -> Result<Option<Image>, CallError> {
        Ok(self.script().images.get(&(region.clone(), id.clone())).cloned())
    }

    async fn image_quota(&self, _: &Region) -> Result<Option<u64>, CallError> {
        unreachable!("shares make no images")
    }

    async fn check_export(&self, _: &ExportCall) -> Result<(), CallError> {
        unreachable!("shares export nothing")
    }

    async fn start_export(&self, _: &ExportCall) -> Result<ExportStarted, CallError> {
        unreachable!("shares export nothing")
    }

    async fn find_export(&self, _: &ExportCall, _: Timestamp) -> Result<ExportSearch, CallError> {
        unreachable!("shares export nothing")
    }

    async fn export_tasks(&self, _: &Region, _: &[String]) -> Result<Vec<Option<ExportTask>>, CallError> {
        unreachable!("shares export nothing")
    }

    async fn cancel_export(&self, _: &Region, _: &str) -> Result<CancelAnswer, CallError> {
        unreachable!("shares export nothing")
    }
}
