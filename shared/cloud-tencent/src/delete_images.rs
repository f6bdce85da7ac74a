//! `DeleteImages`: removes an image, with the snapshots behind it where that is wanted.

use sampan_cloud::stack::Idempotency;
use sampan_cloud::{CallClass, CallError};
use sampan_core::{ImageId, Region};
use serde_json::{Value, json};

use crate::api::{Action, Api, Service};

/// 10 requests per second: document 213/33275.
const ACTION: Action = Action { service: Service::Cvm, name: "DeleteImages", per_second: Some(10) };

/// Removes the image; one that is not there is no error.
pub(crate) async fn delete(api: &Api, region: &Region, image: &ImageId, with_snapshots: bool) -> Result<(), CallError> {
    let body = json!({ "ImageIds": [image.as_str()], "DeleteBindedSnap": with_snapshots });
    match api.call::<Value>(api.request(&ACTION, region, Idempotency::Unsafe, &body)).await {
        Err(error) if error.class != CallClass::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
