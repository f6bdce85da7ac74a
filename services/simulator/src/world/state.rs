//! Decides what the clouds hold: the plain data behind the world's lock, and the look-ups in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use sampan_core::Cloud;
use serde::Serialize;

use super::Pace;
use super::account::Account;
use super::audit::AuditLog;
use super::bucket::{Bucket, Object};
use super::fault::Faults;
use super::ids::IdSource;
use super::image::{Image, Origin};
use super::job::Job;
use super::limits::Limits;
use super::quota::Ledger;
use super::snapshot::Snapshot;
use super::task::{TaskRecord, TaskStatus};
use super::time::WarpedClock;
use super::tokens::Tokens;

/// One permission to use another account's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The cloud of both accounts.
    pub cloud: Cloud,
    /// The account that owns the image.
    pub account: String,
    /// Region of the image.
    pub region: String,
    /// Image id.
    pub image: String,
    /// The account that may use it.
    pub receiver: String,
    /// Since when, on the world's clock.
    pub shared_at: Timestamp,
}

impl Share {
    /// Returns whether it is a permission to use `image`.
    pub(super) fn is_of(&self, image: &Image) -> bool {
        self.cloud == image.cloud
            && self.image == image.id
            && self.region == image.region
            && self.account == image.account
    }
}

/// Everything that a reset throws away.
#[derive(Debug)]
pub(super) struct State {
    pub(super) planted_at: Timestamp,
    pub(super) clock: WarpedClock,
    pub(super) pace: Pace,
    pub(super) ids: IdSource,
    pub(super) accounts: Vec<Account>,
    pub(super) images: Vec<Image>,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) jobs: Vec<Job>,
    pub(super) tokens: Tokens,
    pub(super) buckets: Vec<Bucket>,
    pub(super) objects: BTreeMap<(Cloud, String, String), Object>,
    pub(super) shares: Vec<Share>,
    pub(super) tasks: Vec<TaskRecord>,
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) audit: AuditLog,
    pub(super) data_dir: Arc<PathBuf>,
}

impl State {
    /// Makes clouds without accounts, images and buckets.
    pub(super) fn empty(base_now: Timestamp, pace: Pace, data_dir: Arc<PathBuf>) -> Self {
        Self {
            planted_at: base_now,
            clock: WarpedClock::new(base_now),
            pace,
            ids: IdSource::new(),
            accounts: Vec::new(),
            images: Vec::new(),
            snapshots: Vec::new(),
            jobs: Vec::new(),
            tokens: Tokens::default(),
            buckets: Vec::new(),
            objects: BTreeMap::new(),
            shares: Vec::new(),
            tasks: Vec::new(),
            ledger: Ledger::default(),
            faults: Faults::default(),
            audit: AuditLog::default(),
            data_dir,
        }
    }

    /// Brings every running task and job to `now`: objects appear, images are made, tasks end.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.settle_jobs(now);
        for task in &mut self.tasks {
            for due in task.settle(now) {
                let (view, buckets) = (&task.view, &self.buckets);
                let Some(planned) = view.objects.get(due.index) else {
                    continue;
                };
                let class = buckets
                    .iter()
                    .find(|bucket| bucket.cloud == view.cloud && bucket.name == view.bucket)
                    .map(|bucket| bucket.storage_class.clone())
                    .unwrap_or_default();
                let object = Object {
                    cloud: view.cloud,
                    bucket: view.bucket.clone(),
                    key: planned.key.clone(),
                    size: due.prepared.content.len(),
                    etag: due.prepared.etag,
                    crc64: due.prepared.crc64,
                    last_modified: due.at,
                    storage_class: class,
                    multipart: true,
                    content: due.prepared.content,
                };
                self.objects.insert((object.cloud, object.bucket.clone(), object.key.clone()), object);
            }
        }
    }

    pub(super) fn account(&self, cloud: Cloud, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.cloud == cloud && account.id == id)
    }

    pub(super) fn limits(&self, cloud: Cloud, account: &str) -> Limits {
        self.account(cloud, account).map_or_else(|| Limits::of(cloud), |account| account.limits.clone())
    }

    pub(super) fn visible_image(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Option<Image> {
        self.visible_images(cloud, account, region).find(|image| image.id == id)
    }

    /// Returns the account's own images, public ones, and those that others share with it, as the account sees them.
    pub(super) fn visible_images(
        &self,
        cloud: Cloud,
        account: &str,
        region: &str,
    ) -> impl Iterator<Item = Image> + use<'_> {
        let (account, region) = (account.to_owned(), region.to_owned());
        let here = self.images.iter().filter(move |image| image.cloud == cloud && image.region == region);
        here.filter_map(move |image| {
            if image.account == account || image.origin == Origin::Public {
                return Some(image.clone());
            }
            let is_shared = self.shares.iter().any(|share| share.is_of(image) && share.receiver == account);
            is_shared.then(|| Image {
                origin: Origin::Shared,
                owner: Some(image.account.clone()),
                account: account.clone(),
                ..image.clone()
            })
        })
    }

    /// Returns the account's own images in a region, in every condition: what counts against its quota.
    pub(super) fn own_images(&self, cloud: Cloud, account: &str, region: &str) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(move |image| {
            image.cloud == cloud && image.region == region && image.account == account && image.origin.is_own()
        })
    }

    pub(super) fn is_exporting(&self, cloud: Cloud, region: &str, image: &str) -> bool {
        self.running(cloud, region).any(|task| task.view.image_ids.iter().any(|id| id == image))
    }

    pub(super) fn running_exports(&self, cloud: Cloud, account: &str, region: &str) -> u32 {
        let count = self.running(cloud, region).filter(|task| task.view.account == account).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn running(&self, cloud: Cloud, region: &str) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().filter(move |task| {
            task.view.cloud == cloud && task.view.region == region && task.view.status == TaskStatus::Running
        })
    }
}
