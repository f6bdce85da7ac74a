//! The copy port of Tencent Cloud. Snapshots are not copied here: an image of any size is copied as it is.

use async_trait::async_trait;
use sampan_cloud::copy::{
    CopiedImage, CopyCall, CopyStarted, CopyTraits, CreateImageCall, Snapshot, SnapshotCopyCall, oldest_first,
};
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::{CallError, CopyCloud};
use sampan_core::{Cloud, ImageId, Reason, Region};

use crate::api::refuse;
use crate::cloud::TencentCloud;
use crate::{delete_images, describe_images, sync_images};

#[async_trait]
impl CopyCloud for TencentCloud {
    fn cloud(&self) -> Cloud {
        Cloud::Tencent
    }

    fn copy_traits(&self) -> CopyTraits {
        CopyTraits {
            action: sync_images::NAME,
            fans_out: true,
            takes_token: false,
            cancels: false,
            one_at_a_time: false,
            takes_labels: false,
            encrypts_within_region_only: true,
            copies_snapshots: false,
        }
    }

    async fn check_copy(&self, call: &CopyCall) -> Result<(), CallError> {
        sync_images::dry_run(&self.api, call).await
    }

    async fn start_copy(&self, call: &CopyCall) -> Result<CopyStarted, CallError> {
        sync_images::start(&self.api, call).await
    }

    async fn copied_images(&self, region: &Region, images: &[ImageId]) -> Result<Vec<Option<CopiedImage>>, CallError> {
        let asked = images.iter().map(|image| self.copied.get(region.clone(), image.clone()));
        futures::future::try_join_all(asked).await
    }

    async fn images_named(&self, region: &Region, name: &str) -> Result<Vec<CopiedImage>, CallError> {
        Ok(oldest_first(describe_images::named(&self.api, region, name).await?))
    }

    async fn count_images(&self, region: &Region) -> Result<u64, CallError> {
        describe_images::count(&self.api, region).await
    }

    /// Always `None`: the vendor has withdrawn the call of CVM that told them.
    async fn regions(&self) -> Result<Option<Vec<Region>>, CallError> {
        Ok(None)
    }

    async fn cancel_copy(&self, _: &Region, _: &ImageId) -> Result<CancelAnswer, CallError> {
        Ok(CancelAnswer::Impossible)
    }

    async fn delete_image(&self, region: &Region, image: &ImageId, with_snapshots: bool) -> Result<(), CallError> {
        delete_images::delete(&self.api, region, image, with_snapshots).await
    }

    async fn delete_snapshot(&self, _: &Region, _: &str) -> Result<(), CallError> {
        Err(no_snapshots("DeleteSnapshots"))
    }

    async fn copy_snapshot(&self, _: &SnapshotCopyCall) -> Result<String, CallError> {
        Err(no_snapshots("CopySnapshotCrossRegions"))
    }

    async fn snapshots(&self, _: &Region, _: &[String]) -> Result<Vec<Option<Snapshot>>, CallError> {
        Err(no_snapshots("DescribeSnapshots"))
    }

    async fn snapshots_named(&self, _: &Region, _: &str) -> Result<Vec<Snapshot>, CallError> {
        Ok(Vec::new())
    }

    async fn create_image(&self, _: &CreateImageCall) -> Result<ImageId, CallError> {
        Err(no_snapshots("CreateImage"))
    }
}

fn no_snapshots(action: &'static str) -> CallError {
    refuse(action, Reason::SnapshotCopyUnsupported, "images of Tencent Cloud are copied as a whole")
}
