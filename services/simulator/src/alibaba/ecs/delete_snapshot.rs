//! DeleteSnapshot: deletes one snapshot that no image needs; one that nobody has is passed over.
//!
//! The call has no parameter for the region: the endpoint stands for it. All regions have one endpoint here, so the
//! region counts when a client names it all the same.

use sampan_core::Cloud;
use serde_json::Map;

use super::image_codes::{Act, in_vendor_words};
use super::{Answer, Context};

pub(super) fn run(context: &Context<'_>) -> Answer {
    let id = context.parameters.required("SnapshotId")?;
    // Disks are not simulated, so nothing has to be forced.
    context.parameters.flag("Force")?;
    context
        .world
        .delete_snapshot(Cloud::Alibaba, &context.account.id, context.parameters.optional("RegionId"), id)
        .map(|()| Map::new())
        .map_err(|refusal| in_vendor_words(Act::Delete, &refusal))
}
