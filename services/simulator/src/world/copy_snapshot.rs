//! Decides whether Alibaba copies a snapshot to another region, and starts it.

use jiff::Timestamp;
use sampan_core::Cloud;

use super::copy::Encryption;
use super::image::{CopySource, Tag};
use super::image_refusal::ImageRefusal;
use super::job::{Job, JobKind};
use super::snapshot::{Snapshot, SnapshotState};
use super::state::State;
use super::task::Spoiled;
use super::tokens::{ClientToken, Replay};

/// A copy of a snapshot, after the vendor module has read and checked its own wire format.
#[derive(Debug, Clone)]
pub struct CopySnapshotRequest {
    /// The caller's account number.
    pub account: String,
    /// Region of the source.
    pub region: String,
    /// The source.
    pub snapshot_id: String,
    /// A region that the cloud has, other than the source's.
    pub destination: String,
    /// Name of the copy.
    pub name: String,
    /// Description of the copy.
    pub description: String,
    /// Days after which the copy is removed.
    pub retention_days: Option<u32>,
    /// Encryption of the copy; `None` asks for a plain one.
    pub encryption: Option<Encryption>,
    /// Tags of the copy.
    pub tags: Vec<Tag>,
    /// Makes a repeated call harmless.
    pub token: Option<ClientToken>,
}

/// Vendor action, under which faults for tasks are ordered.
const ACTION: &str = "CopySnapshot";

impl State {
    /// Checks `request` and starts the copy. Returns its id. Snapshots are no images: no operation is spent.
    pub(super) fn copy_snapshot(
        &mut self,
        request: &CopySnapshotRequest,
        now: Timestamp,
    ) -> Result<String, ImageRefusal> {
        let cloud = Cloud::Alibaba;
        match self.tokens.look(&request.account, ACTION, request.token.as_ref()) {
            Replay::New => {}
            Replay::Same(id) => return Ok(id),
            Replay::Other => return Err(ImageRefusal::TokenReused),
        }
        let source = self.own_snapshot(cloud, &request.account, &request.region, &request.snapshot_id)?.clone();
        let id = || source.id.clone();
        if source.state != SnapshotState::Ready {
            return Err(ImageRefusal::SnapshotNotReady { snapshot: id() });
        }
        if source.encrypted && request.encryption.is_none() {
            return Err(ImageRefusal::SnapshotEncrypted { snapshot: id() });
        }
        if let Some(encryption) = &request.encryption {
            self.check_key(cloud, &request.account, encryption.kms_key.as_deref())?;
        }
        let is_under_way = |job: &Job| {
            job.kind == JobKind::CopySnapshot
                && job.region == request.destination
                && job.source.as_ref().is_some_and(|of| of.id == source.id && of.region == source.region)
        };
        if self.jobs.iter().any(is_under_way) {
            return Err(ImageRefusal::SnapshotBeingCopied { snapshot: id(), region: request.destination.clone() });
        }
        self.check_snapshot_quota(cloud, &request.account, &request.destination, 1)?;
        let made = self.start_snapshot(request, source, now);
        self.tokens.keep(&request.account, ACTION, request.token.as_ref(), &made);
        Ok(made)
    }

    fn start_snapshot(&mut self, request: &CopySnapshotRequest, source: Snapshot, now: Timestamp) -> String {
        let spoiled = self.faults.take(Cloud::Alibaba, ACTION, &request.destination, true);
        let origin = CopySource { region: source.region.clone(), id: source.id.clone() };
        let id = self.ids.snapshot(Cloud::Alibaba, &request.destination);
        let snapshot = Snapshot {
            region: request.destination.clone(),
            id: id.clone(),
            name: request.name.clone(),
            description: request.description.clone(),
            encrypted: request.encryption.is_some(),
            kms_key: request.encryption.as_ref().and_then(|encryption| encryption.kms_key.clone()),
            state: SnapshotState::Progressing,
            progress: 0,
            copied_from: Some(origin.clone()),
            retention_days: request.retention_days,
            tags: request.tags.clone(),
            created_at: now,
            ..source
        };
        let job = Job {
            kind: JobKind::CopySnapshot,
            cloud: Cloud::Alibaba,
            account: request.account.clone(),
            region: request.destination.clone(),
            image: None,
            snapshots: vec![id.clone()],
            source: Some(origin),
            started_at: None,
            duration: self.pace.duration_of(std::iter::once(&snapshot.content)),
            spoiled: spoiled.and_then(|fault| Spoiled::by(fault.kind)),
        };
        self.snapshots.push(snapshot);
        self.begin(job, now);
        id
    }
}
