//! CancelCopyImage: called in the destination region with the new image, which is gone afterwards.

use sampan_core::Cloud;
use serde_json::Map;

use super::image_codes::{Act, in_vendor_words};
use super::refusal::Refusal;
use super::{Answer, Context};
use crate::world;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let region = context.parameters.required("RegionId")?;
    if !world::is_region(Cloud::Alibaba, region) {
        // A status of its own, unlike that of other actions.
        return Err(Refusal::not_found("InvalidRegionId.NotFound", "The specified RegionId does not exist."));
    }
    let image = context.parameters.required("ImageId")?;
    context
        .world
        .cancel_copy(Cloud::Alibaba, &context.account.id, region, image)
        .map(|()| Map::new())
        .map_err(|refusal| in_vendor_words(Act::Copy, &refusal))
}
