//! `CopyImage`: starts the copy of an image to one region, or asks whether it would be accepted.
//!
//! The vendor reserves the new image at once and tells its id; everything else is seen in the destination. Whoever
//! repeats the call looks first, even with a token: how long the vendor remembers one is written nowhere.

use sampan_cloud::CallError;
use sampan_cloud::copy::CopyCall;
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageId, Reason, Region};
use serde::Deserialize;

use super::parameters::Parameters;
use super::{Ecs, refuse};

/// The vendor's name of the action.
pub(crate) const ACTION: &str = "CopyImage";

/// The vendor's acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) destination: Region,
    /// The new image; `None` when the vendor did not tell it.
    pub(crate) image: Option<ImageId>,
    pub(crate) request_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    image_id: Option<String>,
}

impl Ecs {
    /// Starts the copy; with `dry_run` the vendor only checks, and says yes by the error `DryRunOperation`.
    pub(crate) async fn copy_image(&self, call: &CopyCall, dry_run: bool) -> Result<Copied, CallError> {
        let [destination] = call.destinations.as_slice() else {
            return Err(refuse(ACTION, Reason::InternalFault, "a copy has one destination"));
        };
        // A token that a trial run had used up would refuse the copy itself.
        let token = call.token.clone().filter(|_| !dry_run);
        let parameters = Parameters::default()
            .set("ImageId", call.image.to_string())
            .set("DestinationRegionId", destination.to_string())
            .set("DestinationImageName", call.name.clone())
            .set("DestinationDescription", call.description.clone())
            .encryption(call.encryption.as_ref())
            .set("ResourceGroupId", call.resource_group_id.clone())
            .tags(&call.tags)
            .set("DryRun", dry_run.then(|| "true".to_owned()))
            .set("ClientToken", token);
        // A question whose answer was lost can be asked again.
        let idempotency = if dry_run { Idempotency::Safe } else { Idempotency::Unsafe };
        let (answer, request_id) = self.write::<Answer>(ACTION, &call.source, parameters, idempotency).await?;
        let image = answer.image_id.and_then(|id| id.parse().ok());
        Ok(Copied { destination: destination.clone(), image, request_id })
    }
}
