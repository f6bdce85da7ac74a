//! DeleteSnapshot: deletes one snapshot that no image needs; the call names no region, and one that nobody has is
//! passed over.

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
        .delete_snapshot(Cloud::Alibaba, &context.account.id, id)
        .map(|()| Map::new())
        .map_err(|refusal| in_vendor_words(Act::Delete, &refusal))
}
