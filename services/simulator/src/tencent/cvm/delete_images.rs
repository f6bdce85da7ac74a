//! Decides what `DeleteImages` reads: the images, and whether the snapshots behind them go too.

use sampan_core::Cloud;

use super::Fields;
use super::error::ApiError;
use super::export_images::check_image_id;
use super::gate::Caller;
use super::image_codes::{Act, coded};
use super::params::Params;
use crate::world::{Call, DeleteRequest, World};

/// Most images in one call. The vendor has a code for too many and tells no number; this one is a guess.
const MOST_IMAGES: usize = 50;

/// Deletes all images of the call, or none; or checks that it could.
///
/// # Errors
/// The vendor's code for whatever is wrong; nothing was changed or spent then.
pub(super) fn run(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    let dry_run = params.flag("DryRun")?.unwrap_or(false);
    call.dry_run = dry_run;
    call.mutating = !dry_run;
    params.only(&["ImageIds", "DeleteBindedSnap", "DryRun"])?;
    let image_ids = params.texts("ImageIds")?.unwrap_or_default();
    call.image = image_ids.first().cloned();
    if image_ids.is_empty() {
        return Err(ApiError::missing("ImageIds"));
    }
    if image_ids.len() > MOST_IMAGES {
        let text = format!("ImageIds has {} items, {MOST_IMAGES} are allowed", image_ids.len());
        return Err(ApiError::new("InvalidParameterValue.LimitExceeded", text));
    }
    image_ids.iter().try_for_each(|id| check_image_id(id))?;
    let request = DeleteRequest {
        account: caller.account.id.clone(),
        region: caller.region.clone(),
        image_ids,
        with_snapshots: params.flag("DeleteBindedSnap")?.unwrap_or(false),
        // Machines keep running from a deleted image.
        force: true,
        dry_run,
    };
    world.delete_images(Cloud::Tencent, &request).map_err(|refusal| coded(Act::Delete, &refusal))?;
    Ok(Fields::new())
}
