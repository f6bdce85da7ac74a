//! Decides whether a cloud copies an image, and starts the copies.

use jiff::{SignedDuration, Timestamp};
use sampan_core::Cloud;

use super::fault::FaultKind;
use super::image::{CopySource, Disk, Image, ImageState, Origin, Tag};
use super::image_refusal::ImageRefusal;
use super::job::{Job, JobKind};
use super::limits::pair_is_served;
use super::snapshot::Snapshot;
use super::state::State;
use super::task::Spoiled;
use super::tokens::{ClientToken, Replay};

/// How the result of a copy is to be encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The account's own key; `None` takes the cloud's.
    pub kms_key: Option<String>,
}

/// A copy of one image, after the vendor module has read and checked its own wire format.
#[derive(Debug, Clone)]
pub struct CopyRequest {
    /// The cloud.
    pub cloud: Cloud,
    /// The caller's account number.
    pub account: String,
    /// Region of the source.
    pub region: String,
    /// The source.
    pub image_id: String,
    /// Vendor action, under which faults for tasks are ordered.
    pub action: &'static str,
    /// Regions that the cloud has, each once; Tencent takes several.
    pub destinations: Vec<String>,
    /// Name of the copies; `None` takes the vendor's default.
    pub name: Option<String>,
    /// Description of the copies.
    pub description: Option<String>,
    /// Encryption of the copies; `None` asks for plain ones.
    pub encryption: Option<Encryption>,
    /// Resource group of the copies.
    pub resource_group: Option<String>,
    /// Tags of the copies.
    pub tags: Vec<Tag>,
    /// Makes a repeated call harmless.
    pub token: Option<ClientToken>,
    /// True to check only.
    pub dry_run: bool,
}

/// One image in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Region that it arises in.
    pub region: String,
    /// Its id.
    pub image_id: String,
}

impl State {
    /// Checks `request` and, unless it is a dry run, spends one operation and starts a copy for each destination.
    ///
    /// All destinations are accepted, or none. Returns `None` for a dry run that would be accepted.
    pub(super) fn copy(&mut self, request: &CopyRequest, now: Timestamp) -> Result<Option<Vec<Placed>>, ImageRefusal> {
        match self.tokens.look(&request.account, request.action, request.token.as_ref()) {
            Replay::New => {}
            Replay::Same(image_id) => {
                let region = request.destinations.first().cloned().unwrap_or_default();
                return Ok(Some(vec![Placed { region, image_id }]));
            }
            Replay::Other => return Err(ImageRefusal::TokenReused),
        }
        let source = self.copyable(request)?;
        for destination in &request.destinations {
            self.check_route(request, &source, destination)?;
        }
        self.check_encryption(request, &source)?;
        self.check_busy(request)?;
        let name = request.name.clone().unwrap_or_else(|| match request.cloud {
            Cloud::Tencent => source.name.clone(),
            Cloud::Alibaba => String::new(),
        });
        for destination in &request.destinations {
            self.check_name(request.cloud, &request.account, destination, &name)?;
            self.check_image_quota(request.cloud, &request.account, destination)?;
            self.check_snapshot_quota(request.cloud, &request.account, destination, source.disks.len())?;
        }
        self.check_group(request.cloud, &request.account, request.resource_group.as_deref())?;
        self.check_day(request.cloud, &request.account, &request.region, now)?;
        if request.dry_run {
            return Ok(None);
        }
        self.spend(request.cloud, &request.account, &request.region, 1, now);
        let placed: Vec<Placed> =
            request.destinations.iter().map(|region| self.start_copy(request, &source, region, &name, now)).collect();
        if let Some(first) = placed.first() {
            self.tokens.keep(&request.account, request.action, request.token.as_ref(), &first.image_id);
        }
        Ok(Some(placed))
    }

    /// Finds the source and checks what it is by itself.
    fn copyable(&self, request: &CopyRequest) -> Result<Image, ImageRefusal> {
        let image_id = || request.image_id.clone();
        let source = self
            .visible_image(request.cloud, &request.account, &request.region, &request.image_id)
            .ok_or_else(|| ImageRefusal::ImageNotFound { image: image_id() })?;
        if source.origin == Origin::Public {
            return Err(ImageRefusal::Origin { image: image_id(), origin: source.origin });
        }
        if source.state != ImageState::Ready {
            return Err(ImageRefusal::NotReady { image: image_id() });
        }
        let limits = self.limits(request.cloud, &request.account);
        if !limits.data_disk_images && source.data_disks().next().is_some() {
            return Err(ImageRefusal::DataDisks { image: image_id() });
        }
        let size_gib = source.total_gib();
        let leaves = request.destinations.iter().any(|region| *region != request.region);
        if let Some(limit_gib) = limits.copy_image_gib.filter(|limit| leaves && size_gib > *limit) {
            return Err(ImageRefusal::TooLarge { image: image_id(), size_gib, limit_gib });
        }
        Ok(source)
    }

    fn check_route(&self, request: &CopyRequest, source: &Image, to: &str) -> Result<(), ImageRefusal> {
        let from = request.region.as_str();
        if source.origin == Origin::Shared {
            return if from == to { Ok(()) } else { Err(ImageRefusal::SharedElsewhere { region: to.to_owned() }) };
        }
        if from == to {
            let is_needed = request.encryption.is_some();
            return if is_needed { Ok(()) } else { Err(ImageRefusal::SameRegion { region: to.to_owned() }) };
        }
        let allowed = self.limits(request.cloud, &request.account).copy_regions;
        match allowed {
            Some(regions) if !regions.iter().any(|region| region == to) => {
                Err(ImageRefusal::RegionUnavailable { region: to.to_owned() })
            }
            Some(regions) if !regions.iter().any(|region| region == from) => {
                Err(ImageRefusal::RegionPair { from: from.to_owned(), to: to.to_owned() })
            }
            None if !pair_is_served(request.cloud, from, to) => {
                Err(ImageRefusal::RegionPair { from: from.to_owned(), to: to.to_owned() })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_encryption(&self, request: &CopyRequest, source: &Image) -> Result<(), ImageRefusal> {
        let image = || request.image_id.clone();
        // Tencent copies no encrypted image at all; Alibaba keeps encrypted what is encrypted.
        if source.encrypted && (request.cloud == Cloud::Tencent || request.encryption.is_none()) {
            return Err(ImageRefusal::Encrypted { image: image() });
        }
        let Some(encryption) = &request.encryption else { return Ok(()) };
        if request.cloud == Cloud::Tencent && source.origin == Origin::Shared {
            return Err(ImageRefusal::NotEncryptable { image: image() });
        }
        if !source.encrypted && request.destinations.iter().any(|region| *region != request.region) {
            return Err(ImageRefusal::EncryptionAcrossRegions { image: image() });
        }
        self.check_key(request.cloud, &request.account, encryption.kms_key.as_deref())
    }

    /// Checks that the key service is on, and a key there and switched on.
    pub(super) fn check_key(&self, cloud: Cloud, account: &str, key: Option<&str>) -> Result<(), ImageRefusal> {
        if !self.limits(cloud, account).kms_enabled {
            return Err(ImageRefusal::KmsOff);
        }
        let Some(key) = key else { return Ok(()) };
        let keys = self.account(cloud, account).map(|account| account.kms_keys.as_slice()).unwrap_or_default();
        match keys.iter().find(|known| known.id == key) {
            None => Err(ImageRefusal::KeyUnknown { key: key.to_owned() }),
            Some(known) if !known.enabled => Err(ImageRefusal::KeyDisabled { key: key.to_owned() }),
            Some(_) => Ok(()),
        }
    }

    /// One image is copied once at a time; Tencent does not copy what it exports.
    fn check_busy(&self, request: &CopyRequest) -> Result<(), ImageRefusal> {
        if self.is_being_copied(request.cloud, &request.region, &request.image_id) {
            return Err(ImageRefusal::BeingCopied { image: request.image_id.clone() });
        }
        if request.cloud == Cloud::Tencent && self.is_exporting(request.cloud, &request.region, &request.image_id) {
            return Err(ImageRefusal::BeingExported { image: request.image_id.clone() });
        }
        Ok(())
    }

    fn start_copy(
        &mut self,
        request: &CopyRequest,
        source: &Image,
        region: &str,
        name: &str,
        now: Timestamp,
    ) -> Placed {
        let fault = self.faults.take(request.cloud, request.action, region, true);
        let late = fault.as_ref().filter(|fault| fault.kind == FaultKind::LateTask);
        let hidden_until = late.and_then(|fault| now.checked_add(SignedDuration::try_from(fault.delay).ok()?).ok());
        let image = self.copied_image(request, source, region, name, now);
        let image = Image { hidden_until, ..image };
        let mut snapshots = Snapshot::of_image(&image);
        for (snapshot, disk) in snapshots.iter_mut().zip(&source.disks) {
            snapshot.copied_from = Some(CopySource { region: request.region.clone(), id: disk.snapshot_id.clone() });
        }
        let job = Job {
            kind: JobKind::CopyImage,
            cloud: request.cloud,
            account: request.account.clone(),
            region: region.to_owned(),
            image: Some(image.id.clone()),
            snapshots: snapshots.iter().map(|snapshot| snapshot.id.clone()).collect(),
            source: image.copied_from.clone(),
            started_at: None,
            duration: self.pace.duration_of(image.disks.iter().map(|disk| &disk.content)),
            spoiled: fault.and_then(|fault| Spoiled::by(fault.kind)),
        };
        let placed = Placed { region: region.to_owned(), image_id: image.id.clone() };
        self.images.push(image);
        self.snapshots.extend(snapshots);
        self.begin(job, now);
        placed
    }

    /// Makes the image of a copy as it is at the beginning.
    fn copied_image(
        &mut self,
        request: &CopyRequest,
        source: &Image,
        region: &str,
        name: &str,
        now: Timestamp,
    ) -> Image {
        let disks: Vec<Disk> = source
            .disks
            .iter()
            .map(|disk| Disk { snapshot_id: self.ids.snapshot(request.cloud, region), ..disk.clone() })
            .collect();
        Image {
            account: request.account.clone(),
            owner: None,
            region: region.to_owned(),
            id: self.ids.image(request.cloud, region),
            name: name.to_owned(),
            description: request.description.clone().unwrap_or_else(|| match request.cloud {
                Cloud::Tencent => source.description.clone(),
                Cloud::Alibaba => String::new(),
            }),
            // The receiver of a shared image owns the copy; what comes of the marketplace stays marked.
            origin: if source.origin == Origin::Marketplace { Origin::Marketplace } else { Origin::Custom },
            encrypted: request.encryption.is_some(),
            kms_key: request.encryption.as_ref().and_then(|encryption| encryption.kms_key.clone()),
            state: ImageState::Waiting,
            progress: 0,
            hidden_until: None,
            copied_from: Some(CopySource { region: request.region.clone(), id: source.id.clone() }),
            in_use: false,
            resource_group: request.resource_group.clone(),
            tags: request.tags.clone(),
            created_at: now,
            disks,
            ..source.clone()
        }
    }
}
