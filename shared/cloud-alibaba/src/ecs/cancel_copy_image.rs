//! `CancelCopyImage`: stops a copy, by its new image in its destination; that image goes away.

use sampan_cloud::CallError;
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageId, Region};
use serde_json::Value;

use super::Ecs;

impl Ecs {
    /// Cancels a copy.
    pub(crate) async fn cancel_copy_image(&self, region: &Region, image: &ImageId) -> Result<CancelAnswer, CallError> {
        let parameters = vec![("ImageId", Some(image.to_string()))];
        match self.write::<Value>("CancelCopyImage", region, parameters, Idempotency::Unsafe).await {
            Ok(_) => Ok(CancelAnswer::Accepted),
            Err(error) => match error.code.as_deref() {
                // The copy is complete or has failed; or it has gone away, as a cancelled one does.
                Some("IncorrectImageStatus" | "InvalidImageId.NotFound") => Ok(CancelAnswer::AlreadyEnded),
                Some("ImageCreatedNotFromCopy" | "CancelNotSupported") => Ok(CancelAnswer::Impossible),
                _ => Err(error),
            },
        }
    }
}
