//! Decides how images and snapshots are reached from outside: look-ups, and the calls that make, share and delete.

use sampan_core::Cloud;

use super::World;
use super::copy::{CopyRequest, Placed};
use super::copy_snapshot::CopySnapshotRequest;
use super::create::CreateRequest;
use super::delete::DeleteRequest;
use super::image::{Image, ImageState};
use super::image_refusal::ImageRefusal;
use super::new::EditRefusal;
use super::share::ShareRequest;
use super::snapshot::Snapshot;
use super::state::Share;

/// What somebody changes in an image by hand; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageChange {
    /// Condition.
    pub state: Option<ImageState>,
    /// Whether machines run from it.
    pub in_use: Option<bool>,
    /// The account's own key that encrypts it.
    pub kms_key: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Boot mode.
    pub boot_mode: Option<String>,
    /// Whether the account has brought the licence itself.
    pub own_licence: Option<bool>,
}

impl World {
    /// Returns the images that an account sees in a region, public and shared ones included, in the order of their
    /// making.
    pub fn images(&self, cloud: Cloud, account: &str, region: &str) -> Vec<Image> {
        let (state, now) = self.settled();
        let is_shown = |image: &Image| image.hidden_until.is_none_or(|until| until <= now);
        state.visible_images(cloud, account, region).filter(is_shown).collect()
    }

    /// Finds one image that an account sees in a region.
    pub fn image(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Option<Image> {
        self.settled().0.visible_image(cloud, account, region, id)
    }

    /// Returns every image of both clouds.
    pub fn all_images(&self) -> Vec<Image> {
        self.settled().0.images.clone()
    }

    /// Returns the seconds that an unfinished image needs yet; `None` when it is not in the making.
    pub fn remaining_seconds(&self, cloud: Cloud, region: &str, image: &str) -> Option<i64> {
        let (state, now) = self.settled();
        state.job_of_image(cloud, region, image).map(|job| job.remaining_seconds(now))
    }

    /// Returns whether an export of the image runs.
    pub fn is_exporting(&self, cloud: Cloud, region: &str, image: &str) -> bool {
        self.settled().0.is_exporting(cloud, region, image)
    }

    /// Returns the snapshots of an account in a region, oldest first.
    pub fn snapshots(&self, cloud: Cloud, account: &str, region: &str) -> Vec<Snapshot> {
        self.settled().0.own_snapshots(cloud, account, region).cloned().collect()
    }

    /// Returns every snapshot of both clouds.
    pub fn all_snapshots(&self) -> Vec<Snapshot> {
        self.settled().0.snapshots.clone()
    }

    /// Returns who may use whose images.
    pub fn shares(&self) -> Vec<Share> {
        self.lock().shares.clone()
    }

    /// Checks a copy and, unless it is a dry run, spends one operation of the day and starts it; `None` for a dry run.
    ///
    /// # Errors
    /// The first [`ImageRefusal`] that applies; nothing is started or spent then.
    pub fn copy(&self, request: &CopyRequest) -> Result<Option<Vec<Placed>>, ImageRefusal> {
        let (mut state, now) = self.settled();
        state.copy(request, now)
    }

    /// Cancels an unfinished copy: image and snapshots are gone.
    ///
    /// # Errors
    /// [`ImageRefusal`]; nothing is changed then.
    pub fn cancel_copy(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Result<(), ImageRefusal> {
        let (mut state, now) = self.settled();
        state.cancel_copy(cloud, account, region, id, now)
    }

    /// Changes the receivers of an image, all or none.
    ///
    /// # Errors
    /// [`ImageRefusal`]; nothing is changed then.
    pub fn share(&self, cloud: Cloud, request: &ShareRequest) -> Result<(), ImageRefusal> {
        let (mut state, now) = self.settled();
        state.share(cloud, request, now)
    }

    /// Returns the receivers of an account's image, oldest first.
    ///
    /// # Errors
    /// [`ImageRefusal`] when the account does not own it.
    pub fn receivers(&self, cloud: Cloud, account: &str, region: &str, id: &str) -> Result<Vec<Share>, ImageRefusal> {
        self.settled().0.receivers(cloud, account, region, id)
    }

    /// Checks the making of an image and, unless it is a dry run, starts it. Returns its id, `None` for a dry run.
    ///
    /// # Errors
    /// [`ImageRefusal`]; nothing is started or spent then.
    pub fn create(&self, request: &CreateRequest) -> Result<Option<String>, ImageRefusal> {
        let (mut state, now) = self.settled();
        state.create(request, now)
    }

    /// Starts a copy of a snapshot and returns its id.
    ///
    /// # Errors
    /// [`ImageRefusal`]; nothing is started then.
    pub fn copy_snapshot(&self, request: &CopySnapshotRequest) -> Result<String, ImageRefusal> {
        let (mut state, now) = self.settled();
        state.copy_snapshot(request, now)
    }

    /// Deletes images, all or none.
    ///
    /// # Errors
    /// [`ImageRefusal`]; nothing is changed then.
    pub fn delete_images(&self, cloud: Cloud, request: &DeleteRequest) -> Result<(), ImageRefusal> {
        let (mut state, now) = self.settled();
        state.delete_images(cloud, request, now)
    }

    /// Deletes a snapshot, in one region or wherever it is; one that nobody has is passed over.
    ///
    /// # Errors
    /// [`ImageRefusal::SnapshotUsed`] while an image needs it.
    pub fn delete_snapshot(
        &self,
        cloud: Cloud,
        account: &str,
        region: Option<&str>,
        id: &str,
    ) -> Result<(), ImageRefusal> {
        self.settled().0.delete_snapshot(cloud, account, region, id)
    }

    // ---- what somebody does by hand -----------------------------------------------------------------------------

    /// Changes an image, as somebody in the web console or the cloud itself does. Spends nothing.
    ///
    /// # Errors
    /// [`EditRefusal::UnknownImage`].
    pub fn change_image(
        &self,
        cloud: Cloud,
        region: &str,
        id: &str,
        change: &ImageChange,
    ) -> Result<Image, EditRefusal> {
        let (mut state, _) = self.settled();
        let found = state
            .images
            .iter_mut()
            .find(|image| image.cloud == cloud && image.region == region && image.id == id)
            .ok_or_else(|| unknown(cloud, region, id))?;
        found.state = change.state.unwrap_or(found.state);
        found.in_use = change.in_use.unwrap_or(found.in_use);
        found.name = change.name.clone().unwrap_or_else(|| found.name.clone());
        found.boot_mode = change.boot_mode.clone().unwrap_or_else(|| found.boot_mode.clone());
        found.own_licence = change.own_licence.unwrap_or(found.own_licence);
        if change.kms_key.is_some() {
            found.encrypted = true;
            found.kms_key.clone_from(&change.kms_key);
        }
        let image = found.clone();
        for snapshot in state.snapshots.iter_mut().filter(|known| known.cloud == cloud) {
            if image.disks.iter().any(|disk| disk.snapshot_id == snapshot.id) {
                snapshot.encrypted = image.encrypted;
                snapshot.kms_key.clone_from(&image.kms_key);
            }
        }
        Ok(image)
    }

    /// Takes an image away with its shares and without a trace; its snapshots stay. Spends nothing.
    ///
    /// # Errors
    /// [`EditRefusal::UnknownImage`].
    pub fn remove_image(&self, cloud: Cloud, region: &str, id: &str) -> Result<(), EditRefusal> {
        let (mut state, now) = self.settled();
        let is_it = |image: &&Image| image.cloud == cloud && image.region == region && image.id == id;
        let found = state.images.iter().find(is_it).cloned().ok_or_else(|| unknown(cloud, region, id))?;
        state.stop_job(cloud, region, id, now);
        state.drop_image(&found, false);
        Ok(())
    }

    /// Gives or takes a permission, as somebody in the web console does. Spends nothing and checks no rule.
    ///
    /// # Errors
    /// [`EditRefusal::UnknownImage`].
    pub fn change_share(
        &self,
        cloud: Cloud,
        region: &str,
        id: &str,
        receiver: &str,
        shared: bool,
    ) -> Result<Vec<Share>, EditRefusal> {
        let (mut state, now) = self.settled();
        let is_it =
            |image: &&Image| image.cloud == cloud && image.region == region && image.id == id && image.origin.is_own();
        let image = state.images.iter().find(is_it).cloned().ok_or_else(|| unknown(cloud, region, id))?;
        state.shares.retain(|share| !(share.is_of(&image) && share.receiver == receiver));
        if shared {
            state.shares.push(Share {
                cloud,
                account: image.account.clone(),
                region: region.to_owned(),
                image: id.to_owned(),
                receiver: receiver.to_owned(),
                shared_at: now,
            });
        }
        Ok(state.shares.iter().filter(|share| share.is_of(&image)).cloned().collect())
    }
}

fn unknown(cloud: Cloud, region: &str, id: &str) -> EditRefusal {
    EditRefusal::UnknownImage { cloud, region: region.to_owned(), image: id.to_owned() }
}
