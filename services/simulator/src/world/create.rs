//! Decides whether a cloud makes an image of snapshots, and starts it.

use jiff::Timestamp;
use sampan_core::{Cloud, DiskRole};

use super::image::{Disk, Image, ImageState, Origin, Tag};
use super::image_refusal::ImageRefusal;
use super::job::{Job, JobKind};
use super::snapshot::{Snapshot, SnapshotState};
use super::state::State;
use super::task::Spoiled;
use super::tokens::{ClientToken, Replay};

/// One disk of an image to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskOfSnapshot {
    /// The snapshot.
    pub snapshot_id: String,
    /// What the disk shall be; `None` takes what the snapshot's disk was.
    pub role: Option<DiskRole>,
    /// Device path; `None` takes the next free one.
    pub device: Option<String>,
    /// Size in GiB; `None` takes the snapshot's.
    pub size_gib: Option<u64>,
}

/// An image to make, after the vendor module has read and checked its own wire format.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The cloud.
    pub cloud: Cloud,
    /// The caller's account number.
    pub account: String,
    /// Region code.
    pub region: String,
    /// Its disks, at least one.
    pub disks: Vec<DiskOfSnapshot>,
    /// Name; `None` takes the image's id.
    pub name: Option<String>,
    /// Description.
    pub description: String,
    /// Platform word; `None` takes the vendor's default.
    pub platform: Option<String>,
    /// True when platform and architecture are both given.
    pub tells_system: bool,
    /// Boot mode; `None` takes `BIOS`.
    pub boot_mode: Option<String>,
    /// Resource group.
    pub resource_group: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Makes a repeated call harmless.
    pub token: Option<ClientToken>,
    /// True to check only.
    pub dry_run: bool,
}

/// Vendor action, the same word for both clouds, under which faults for tasks are ordered.
const ACTION: &str = "CreateImage";

impl State {
    /// Checks `request` and, unless it is a dry run, spends one operation and starts to make the image.
    ///
    /// Returns the image's id, or `None` for a dry run that would be accepted.
    pub(super) fn create(&mut self, request: &CreateRequest, now: Timestamp) -> Result<Option<String>, ImageRefusal> {
        match self.tokens.look(&request.account, ACTION, request.token.as_ref()) {
            Replay::New => {}
            Replay::Same(image_id) => return Ok(Some(image_id)),
            Replay::Other => return Err(ImageRefusal::TokenReused),
        }
        let snapshots = self.read_snapshots(request)?;
        check_roles(request, &snapshots)?;
        let name = request.name.clone().unwrap_or_default();
        self.check_name(request.cloud, &request.account, &request.region, &name)?;
        self.check_image_quota(request.cloud, &request.account, &request.region)?;
        self.check_group(request.cloud, &request.account, request.resource_group.as_deref())?;
        self.check_day(request.cloud, &request.account, &request.region, now)?;
        if request.dry_run {
            return Ok(None);
        }
        self.spend(request.cloud, &request.account, &request.region, 1, now);
        let id = self.start_create(request, &snapshots, now);
        self.tokens.keep(&request.account, ACTION, request.token.as_ref(), &id);
        Ok(Some(id))
    }

    fn read_snapshots(&self, request: &CreateRequest) -> Result<Vec<Snapshot>, ImageRefusal> {
        let read = |disk: &DiskOfSnapshot| {
            let snapshot = self.own_snapshot(request.cloud, &request.account, &request.region, &disk.snapshot_id)?;
            let id = || snapshot.id.clone();
            if snapshot.state != SnapshotState::Ready {
                return Err(ImageRefusal::SnapshotNotReady { snapshot: id() });
            }
            if snapshot.encrypted {
                return Err(ImageRefusal::SnapshotEncrypted { snapshot: id() });
            }
            if disk.size_gib.is_some_and(|size| size < snapshot.size_gib) {
                return Err(ImageRefusal::DiskTooSmall { snapshot: id(), least_gib: snapshot.size_gib });
            }
            Ok(snapshot.clone())
        };
        request.disks.iter().map(read).collect()
    }

    /// Finds a snapshot of the account in a region.
    pub(super) fn own_snapshot(
        &self,
        cloud: Cloud,
        account: &str,
        region: &str,
        id: &str,
    ) -> Result<&Snapshot, ImageRefusal> {
        let found = self.own_snapshots(cloud, account, region).find(|snapshot| snapshot.id == id);
        found.ok_or_else(|| ImageRefusal::SnapshotNotFound { snapshot: id.to_owned() })
    }

    /// Returns the snapshots of an account in a region, oldest first.
    pub(super) fn own_snapshots(&self, cloud: Cloud, account: &str, region: &str) -> impl Iterator<Item = &Snapshot> {
        self.snapshots
            .iter()
            .filter(move |known| known.cloud == cloud && known.account == account && known.region == region)
    }

    fn start_create(&mut self, request: &CreateRequest, snapshots: &[Snapshot], now: Timestamp) -> String {
        let spoiled = self.faults.take(request.cloud, ACTION, &request.region, true);
        let id = self.ids.image(request.cloud, &request.region);
        let platform = request.platform.clone().unwrap_or_else(|| match request.cloud {
            Cloud::Tencent => "CentOS".to_owned(),
            Cloud::Alibaba => "Others Linux".to_owned(),
        });
        let disks = place(&request.disks, snapshots);
        let is_marketplace = snapshots.iter().any(|snapshot| snapshot.of_marketplace);
        let image = Image {
            cloud: request.cloud,
            account: request.account.clone(),
            owner: None,
            region: request.region.clone(),
            name: request.name.clone().unwrap_or_else(|| id.clone()),
            id: id.clone(),
            description: request.description.clone(),
            os_name: platform.clone(),
            platform,
            origin: if is_marketplace { Origin::Marketplace } else { Origin::Custom },
            encrypted: false,
            kms_key: None,
            state: ImageState::Creating,
            progress: 0,
            hidden_until: None,
            boot_mode: request.boot_mode.clone().unwrap_or_else(|| "BIOS".to_owned()),
            own_licence: false,
            copied_from: None,
            in_use: false,
            resource_group: request.resource_group.clone(),
            tags: request.tags.clone(),
            created_at: now,
            disks,
        };
        let job = Job {
            kind: JobKind::CreateImage,
            cloud: request.cloud,
            account: request.account.clone(),
            region: request.region.clone(),
            image: Some(id.clone()),
            // The snapshots are there already: what happens to the image is not theirs.
            snapshots: Vec::new(),
            source: None,
            started_at: None,
            duration: self.pace.duration_of(image.disks.iter().map(|disk| &disk.content)),
            spoiled: spoiled.and_then(|fault| Spoiled::by(fault.kind)),
        };
        self.images.push(image);
        self.begin(job, now);
        id
    }
}

/// Returns what the disk of a snapshot is to be: as asked for, else as it was.
fn role(disk: &DiskOfSnapshot, snapshot: &Snapshot) -> DiskRole {
    disk.role.unwrap_or(snapshot.role)
}

/// One disk is the system disk. Alibaba wants to be told the system when it does not know the snapshot as one.
fn check_roles(request: &CreateRequest, snapshots: &[Snapshot]) -> Result<(), ImageRefusal> {
    let mut systems = request.disks.iter().zip(snapshots).filter(|(disk, of)| role(disk, of) == DiskRole::System);
    let Some((_, system)) = systems.next() else { return Err(ImageRefusal::NoSystemSnapshot) };
    if systems.next().is_some() {
        return Err(ImageRefusal::SystemSnapshots);
    }
    let is_known = system.role == DiskRole::System && system.copied_from.is_none();
    if request.cloud == Cloud::Alibaba && !is_known && !request.tells_system {
        return Err(ImageRefusal::PlatformNeeded { snapshot: system.id.clone() });
    }
    Ok(())
}

/// Puts the disks on their devices, the system disk first.
fn place(wanted: &[DiskOfSnapshot], snapshots: &[Snapshot]) -> Vec<Disk> {
    let mut disks: Vec<Disk> = Vec::with_capacity(wanted.len());
    let mut pairs: Vec<_> = wanted.iter().zip(snapshots).collect();
    // Those with a device of their own first, so that nobody else gets it.
    pairs.sort_by_key(|(disk, _)| disk.device.is_none());
    for (disk, snapshot) in pairs {
        let role = role(disk, snapshot);
        let first = if role == DiskRole::System { 'a' } else { 'b' };
        let is_free = |path: &String| !disks.iter().any(|known| known.device == *path);
        let next = (first..='z').map(|letter| format!("/dev/xvd{letter}")).find(is_free);
        disks.push(Disk {
            role,
            device: disk.device.clone().or(next).unwrap_or_else(|| "/dev/xvdz".to_owned()),
            size_gib: disk.size_gib.unwrap_or(snapshot.size_gib),
            snapshot_id: snapshot.id.clone(),
            content: snapshot.content.clone(),
        });
    }
    disks.sort_by(|one, two| (one.role, &one.device).cmp(&(two.role, &two.device)));
    disks
}
