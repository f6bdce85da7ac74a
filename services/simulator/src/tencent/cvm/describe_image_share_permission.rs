//! Decides what `DescribeImageSharePermission` answers: the receivers of an image, without pages.

use sampan_core::Cloud;
use serde_json::{Value, json};

use super::error::ApiError;
use super::export_images::check_image_id;
use super::gate::Caller;
use super::image_codes::{Act, coded};
use super::params::Params;
use super::{Fields, fields};
use crate::world::{Call, World};

/// Lists the accounts that may use an image of the caller's.
///
/// # Errors
/// The vendor's code for a wrong parameter, or an image that is not the caller's.
pub(super) fn run(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    params.only(&["ImageId"])?;
    let image_id = params.required_text("ImageId")?;
    call.image = Some(image_id.to_owned());
    check_image_id(image_id)?;
    let receivers = world.receivers(Cloud::Tencent, &caller.account.id, &caller.region, image_id);
    let receivers = receivers.map_err(|refusal| coded(Act::Share, &refusal))?;
    let set: Vec<Value> = receivers
        .iter()
        .map(|share| {
            let at = share.shared_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            json!({ "CreatedTime": at, "AccountId": share.receiver })
        })
        .collect();
    Ok(fields(json!({ "SharePermissionSet": set })))
}
