//! `DeleteImage`: removes an image. The snapshots behind it stay and go on costing.

use sampan_cloud::stack::Idempotency;
use sampan_cloud::{CallClass, CallError};
use sampan_core::{ImageId, Region};
use serde_json::Value;

use super::Ecs;

impl Ecs {
    /// Removes an image that no instance uses; one that is not there is no error.
    pub(crate) async fn delete_image(&self, region: &Region, image: &ImageId) -> Result<(), CallError> {
        let parameters = vec![("ImageId", Some(image.to_string()))];
        match self.write::<Value>("DeleteImage", region, parameters, Idempotency::Unsafe).await {
            Err(error) if error.class != CallClass::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
