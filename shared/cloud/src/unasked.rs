//! Ports for tests whose subject has no use for them: a test that asks them anything fails.

use std::time::Duration;

use async_trait::async_trait;
use sampan_core::{Cloud, ImageId, Region};

use crate::bucket::{Bucket, BucketRef, Object, ObjectPage, PresignedUrl};
use crate::copy::{CopiedImage, CopyCall, CopyStarted, CopyTraits, CreateImageCall, Snapshot, SnapshotCopyCall};
use crate::image::CancelAnswer;
use crate::share::{Share, ShareCall, ShareTraits};
use crate::{BucketStore, CallError, CopyCloud, ShareCloud};

/// Copy, share and bucket port of a cloud that is never called.
#[derive(Debug)]
pub struct Unasked(pub Cloud);

#[async_trait]
impl CopyCloud for Unasked {
    fn cloud(&self) -> Cloud {
        self.0
    }

    fn copy_traits(&self) -> CopyTraits {
        unreachable!()
    }

    async fn check_copy(&self, _: &CopyCall) -> Result<(), CallError> {
        unreachable!()
    }

    async fn start_copy(&self, _: &CopyCall) -> Result<CopyStarted, CallError> {
        unreachable!()
    }

    async fn copied_images(&self, _: &Region, _: &[ImageId]) -> Result<Vec<Option<CopiedImage>>, CallError> {
        unreachable!()
    }

    async fn images_named(&self, _: &Region, _: &str) -> Result<Vec<CopiedImage>, CallError> {
        unreachable!()
    }

    async fn count_images(&self, _: &Region) -> Result<u64, CallError> {
        unreachable!()
    }

    async fn regions(&self) -> Result<Option<Vec<Region>>, CallError> {
        unreachable!()
    }

    async fn cancel_copy(&self, _: &Region, _: &ImageId) -> Result<CancelAnswer, CallError> {
        unreachable!()
    }

    async fn delete_image(&self, _: &Region, _: &ImageId, _: bool) -> Result<(), CallError> {
        unreachable!()
    }

    async fn delete_snapshot(&self, _: &Region, _: &str) -> Result<(), CallError> {
        unreachable!()
    }

    async fn copy_snapshot(&self, _: &SnapshotCopyCall) -> Result<String, CallError> {
        unreachable!()
    }

    async fn snapshots(&self, _: &Region, _: &[String]) -> Result<Vec<Option<Snapshot>>, CallError> {
        unreachable!()
    }

    async fn snapshots_named(&self, _: &Region, _: &str) -> Result<Vec<Snapshot>, CallError> {
        unreachable!()
    }

    async fn create_image(&self, _: &CreateImageCall) -> Result<ImageId, CallError> {
        unreachable!()
    }
}

#[async_trait]
impl ShareCloud for Unasked {
    fn cloud(&self) -> Cloud {
        self.0
    }

    fn share_traits(&self) -> ShareTraits {
        unreachable!()
    }

    async fn change_shares(&self, _: &Region, _: &ImageId, _: &ShareCall) -> Result<String, CallError> {
        unreachable!()
    }

    async fn shares(&self, _: &Region, _: &ImageId) -> Result<Vec<Share>, CallError> {
        unreachable!()
    }
}

#[async_trait]
impl BucketStore for Unasked {
    fn cloud(&self) -> Cloud {
        self.0
    }

    async fn head_bucket(&self, _: &BucketRef) -> Result<Option<Bucket>, CallError> {
        unreachable!()
    }

    async fn head_object(&self, _: &BucketRef, _: &str) -> Result<Option<Object>, CallError> {
        unreachable!()
    }

    async fn list_objects(&self, _: &BucketRef, _: &str, _: Option<&str>) -> Result<ObjectPage, CallError> {
        unreachable!()
    }

    async fn delete_object(&self, _: &BucketRef, _: &str) -> Result<(), CallError> {
        unreachable!()
    }

    async fn presign_get(&self, _: &BucketRef, _: &str, _: Duration) -> Result<PresignedUrl, CallError> {
        unreachable!()
    }
}
