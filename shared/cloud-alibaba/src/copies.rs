//! The copy port of Alibaba Cloud. What the vendor's words say of how far a copy is, is decided in `progress`.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sampan_cloud::copy::{
    CopiedImage, CopyCall, CopyStarted, CopyTraits, CreateImageCall, Snapshot, SnapshotCopyCall, oldest_first,
};
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::{CallClass, CallError, CopyCloud};
use sampan_core::{Cloud, ImageId, Region};
use tracing::warn;

use crate::ecs::{self, Ecs, ImageRow};
use crate::image_cloud::{AlibabaCloud, SIDE_BY_SIDE, says_yes, trial_taken};
use crate::progress;

/// Describes images as copies; those that the account does not have are left out.
pub(crate) async fn describe(
    ecs: &Ecs,
    region: &Region,
    images: &[ImageId],
) -> Result<HashMap<ImageId, CopiedImage>, CallError> {
    if let [image] = images {
        return one(ecs, region, image.clone()).await;
    }
    let rows = match ecs.images_by_id(region, images).await {
        Ok(rows) => rows,
        // One bad id spoils the call for all, and so does a backend that takes a single one.
        Err(error) if matches!(error.class, CallClass::Caller | CallClass::NotFound) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut found = by_id(&rows, images);
    let missing: Vec<_> = images.iter().filter(|image| !found.contains_key(*image)).cloned().collect();
    let asked = stream::iter(missing).map(|image| async move { one(ecs, region, image).await });
    let asked: Vec<_> = asked.buffered(SIDE_BY_SIDE).try_collect().await?;
    found.extend(asked.into_iter().flatten());
    Ok(found)
}

async fn one(ecs: &Ecs, region: &Region, image: ImageId) -> Result<HashMap<ImageId, CopiedImage>, CallError> {
    let image = [image];
    match ecs.images_by_id(region, &image).await {
        Ok(rows) => Ok(by_id(&rows, &image)),
        Err(error) if error.class == CallClass::NotFound => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

fn by_id(rows: &[ImageRow], images: &[ImageId]) -> HashMap<ImageId, CopiedImage> {
    let copies = rows.iter().filter_map(progress::copied);
    copies.filter(|copied| images.contains(&copied.image.id)).map(|copied| (copied.image.id.clone(), copied)).collect()
}

impl AlibabaCloud {
    /// An older backend knows no trial run and has started a copy: it is cancelled before it costs anything.
    async fn undo_copy(&self, region: &Region, image: Option<&ImageId>, request_id: String) -> CallError {
        let cancelled = match image {
            Some(image) => matches!(self.ecs.cancel_copy_image(region, image).await, Ok(CancelAnswer::Accepted)),
            None => false,
        };
        let image = image.map(ImageId::as_str);
        warn!(%region, image, cancelled, "the cloud took a trial run for a copy");
        trial_taken(
            ecs::COPY_ACTION,
            request_id,
            "the cloud does not know trial runs here and started a copy; switch them off",
        )
    }
}

#[async_trait]
impl CopyCloud for AlibabaCloud {
    fn cloud(&self) -> Cloud {
        Cloud::Alibaba
    }

    fn copy_traits(&self) -> CopyTraits {
        CopyTraits {
            action: ecs::COPY_ACTION,
            fans_out: false,
            takes_token: true,
            cancels: true,
            one_at_a_time: true,
            takes_labels: true,
            encrypts_within_region_only: false,
            copies_snapshots: true,
        }
    }

    async fn check_copy(&self, call: &CopyCall) -> Result<(), CallError> {
        if !self.trial_runs {
            return Ok(());
        }
        match self.ecs.copy_image(call, true).await {
            Ok(started) => Err(self.undo_copy(&started.destination, started.image.as_ref(), started.request_id).await),
            Err(error) if says_yes(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn start_copy(&self, call: &CopyCall) -> Result<CopyStarted, CallError> {
        let started = self.ecs.copy_image(call, false).await?;
        let images: BTreeMap<_, _> = started.image.map(|image| (started.destination, image)).into_iter().collect();
        Ok(CopyStarted { images, request_id: started.request_id })
    }

    async fn copied_images(&self, region: &Region, images: &[ImageId]) -> Result<Vec<Option<CopiedImage>>, CallError> {
        let asked = images.iter().map(|image| self.copied.get(region.clone(), image.clone()));
        futures::future::try_join_all(asked).await
    }

    async fn images_named(&self, region: &Region, name: &str) -> Result<Vec<CopiedImage>, CallError> {
        let rows = self.ecs.images_named(region, name).await?;
        Ok(oldest_first(rows.iter().filter_map(progress::copied).collect()))
    }

    async fn count_images(&self, region: &Region) -> Result<u64, CallError> {
        self.ecs.count_own_images(region).await
    }

    async fn regions(&self) -> Result<Option<Vec<Region>>, CallError> {
        self.ecs.regions().await.map(Some)
    }

    async fn cancel_copy(&self, region: &Region, image: &ImageId) -> Result<CancelAnswer, CallError> {
        self.ecs.cancel_copy_image(region, image).await
    }

    /// The vendor leaves the snapshots in any case.
    async fn delete_image(&self, region: &Region, image: &ImageId, _: bool) -> Result<(), CallError> {
        self.ecs.delete_image(region, image).await
    }

    async fn delete_snapshot(&self, region: &Region, snapshot_id: &str) -> Result<(), CallError> {
        self.ecs.delete_snapshot(region, snapshot_id).await
    }

    async fn copy_snapshot(&self, call: &SnapshotCopyCall) -> Result<String, CallError> {
        self.ecs.copy_snapshot(call).await
    }

    async fn snapshots(&self, region: &Region, snapshots: &[String]) -> Result<Vec<Option<Snapshot>>, CallError> {
        let mut known = HashMap::new();
        for ids in snapshots.chunks(ecs::MOST_SNAPSHOTS) {
            let rows = self.ecs.describe_snapshots(region, ids).await?;
            known.extend(rows.iter().map(progress::snapshot).map(|one| (one.id.clone(), one)));
        }
        Ok(snapshots.iter().map(|id| known.get(id).cloned()).collect())
    }

    async fn snapshots_named(&self, region: &Region, name: &str) -> Result<Vec<Snapshot>, CallError> {
        let rows = self.ecs.snapshots_named(region, name).await?;
        let mut found: Vec<_> = rows.iter().map(progress::snapshot).collect();
        found.sort_by_key(|snapshot| (snapshot.created.is_none(), snapshot.created));
        Ok(found)
    }

    async fn create_image(&self, call: &CreateImageCall) -> Result<ImageId, CallError> {
        self.ecs.create_image(call).await
    }
}
