//! Decides whether images and snapshots may be deleted and copies cancelled, and does it at once.

use jiff::Timestamp;
use sampan_core::Cloud;

use super::image::{Image, ImageState};
use super::image_refusal::ImageRefusal;
use super::job::JobKind;
use super::snapshot::Snapshot;
use super::state::State;

/// A deletion of images, after the vendor module has read and checked its own wire format.
#[derive(Debug, Clone)]
pub struct DeleteRequest {
    /// The caller's account number.
    pub account: String,
    /// Region of the images.
    pub region: String,
    /// The images.
    pub image_ids: Vec<String>,
    /// True to delete the snapshots behind them too.
    pub with_snapshots: bool,
    /// True to delete images that machines run from.
    pub force: bool,
    /// True to check only.
    pub dry_run: bool,
}

impl State {
    /// Deletes all images, or none. One call is one operation.
    pub(super) fn delete_images(
        &mut self,
        cloud: Cloud,
        request: &DeleteRequest,
        now: Timestamp,
    ) -> Result<(), ImageRefusal> {
        let mut images = Vec::with_capacity(request.image_ids.len());
        for id in &request.image_ids {
            let image = self.owned(cloud, &request.account, &request.region, id)?;
            self.check_deletable(&image, request)?;
            images.push(image);
        }
        self.check_day(cloud, &request.account, &request.region, now)?;
        if request.dry_run {
            return Ok(());
        }
        self.spend(cloud, &request.account, &request.region, 1, now);
        for image in &images {
            self.stop_job(cloud, &image.region, &image.id, now);
            self.drop_image(image, request.with_snapshots);
        }
        Ok(())
    }

    /// Cancels an unfinished copy: its image and snapshots are gone.
    pub(super) fn cancel_copy(
        &mut self,
        cloud: Cloud,
        account: &str,
        region: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<(), ImageRefusal> {
        let image = self.owned(cloud, account, region, id)?;
        if image.copied_from.is_none() {
            return Err(ImageRefusal::NotACopy { image: image.id });
        }
        let running = self.job_of_image(cloud, region, id).is_some_and(|job| job.kind == JobKind::CopyImage);
        if !running {
            return Err(ImageRefusal::CopyEnded { image: image.id });
        }
        if !self.limits(cloud, account).cancel_copies {
            return Err(ImageRefusal::CancelOff { image: image.id });
        }
        if let Some(job) = self.stop_job(cloud, region, id, now) {
            self.remove_made(&job);
        }
        Ok(())
    }

    /// Deletes a snapshot; one that nobody has is passed over, and one that is being made is given up.
    pub(super) fn delete_snapshot(
        &mut self,
        cloud: Cloud,
        account: &str,
        region: Option<&str>,
        id: &str,
    ) -> Result<(), ImageRefusal> {
        let is_it = |known: &Snapshot| {
            known.cloud == cloud
                && known.account == account
                && known.id == id
                && region.is_none_or(|region| region == known.region)
        };
        if !self.snapshots.iter().any(is_it) {
            return Ok(());
        }
        let uses = |image: &&Image| {
            image.cloud == cloud && image.origin.is_own() && image.disks.iter().any(|disk| disk.snapshot_id == id)
        };
        if let Some(image) = self.images.iter().filter(|image| image.account == account).find(uses) {
            return Err(ImageRefusal::SnapshotUsed { snapshot: id.to_owned(), image: image.id.clone() });
        }
        self.snapshots.retain(|known| !is_it(known));
        self.jobs.retain(|job| !(job.kind == JobKind::CopySnapshot && job.snapshots.iter().any(|made| made == id)));
        Ok(())
    }

    /// Takes an image away with the permissions to use it, and its snapshots if wanted.
    pub(super) fn drop_image(&mut self, image: &Image, with_snapshots: bool) {
        let is_it = |known: &Image| known.cloud == image.cloud && known.region == image.region && known.id == image.id;
        self.images.retain(|known| !is_it(known));
        self.shares.retain(|share| !share.is_of(image));
        if with_snapshots {
            let gone = |id: &String| image.disks.iter().any(|disk| disk.snapshot_id == *id);
            self.snapshots.retain(|known| known.cloud != image.cloud || !gone(&known.id));
        }
    }

    fn check_deletable(&self, image: &Image, request: &DeleteRequest) -> Result<(), ImageRefusal> {
        let id = || image.id.clone();
        if self.shares.iter().any(|share| share.is_of(image)) {
            return Err(ImageRefusal::SharedOut { image: id() });
        }
        if image.cloud == Cloud::Alibaba && image.in_use && !request.force {
            return Err(ImageRefusal::InUse { image: id() });
        }
        if self.is_being_copied(image.cloud, &image.region, &image.id)
            || matches!(image.state, ImageState::Copying | ImageState::Waiting)
        {
            return Err(ImageRefusal::BeingCopied { image: id() });
        }
        // Alibaba gives up what it is making of snapshots.
        if image.cloud == Cloud::Tencent && image.state == ImageState::Creating {
            return Err(ImageRefusal::Unfinished { image: id() });
        }
        if self.is_exporting(image.cloud, &image.region, &image.id) {
            return Err(ImageRefusal::BeingExported { image: id() });
        }
        Ok(())
    }
}
