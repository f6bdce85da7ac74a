//! `ModifyImageSharePermission`: adds accounts to the shares of an image and removes accounts from them.

use sampan_cloud::CallError;
use sampan_cloud::share::ShareCall;
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageId, Reason, Region};
use serde_json::Value;

use super::parameters::Parameters;
use super::{Ecs, refuse};

/// The vendor's name of the action.
pub(crate) const ACTION: &str = "ModifyImageSharePermission";
/// Accounts that one call adds, and that it removes; the vendor silently forgets those beyond.
pub(crate) const MOST_ACCOUNTS: usize = 10;

impl Ecs {
    /// Changes the shares and returns the vendor's request id.
    pub(crate) async fn modify_image_share_permission(
        &self,
        region: &Region,
        image: &ImageId,
        call: &ShareCall,
    ) -> Result<String, CallError> {
        let changes = call.add.len() + call.remove.len();
        if changes == 0 || call.add.len() > MOST_ACCOUNTS || call.remove.len() > MOST_ACCOUNTS {
            return Err(refuse(ACTION, Reason::InternalFault, "a call adds and removes 10 accounts at most"));
        }
        let parameters = Parameters::default()
            .set("ImageId", image.to_string())
            .list("AddAccount", &call.add)
            .list("RemoveAccount", &call.remove);
        let (_, request_id) = self.write::<Value>(ACTION, region, parameters, Idempotency::Unsafe).await?;
        Ok(request_id)
    }
}
