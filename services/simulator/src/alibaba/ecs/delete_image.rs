//! DeleteImage: deletes one image; its snapshots stay, and keep costing money.

use sampan_core::Cloud;
use serde_json::Map;

use super::image_codes::{Act, in_vendor_words};
use super::refusal::Refusal;
use super::{Answer, Context};
use crate::world::DeleteRequest;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let dry_run = parameters.flag("DryRun")? == Some(true);
    let request = DeleteRequest {
        account: context.account.id.clone(),
        region: region.to_owned(),
        image_ids: vec![parameters.required("ImageId")?.to_owned()],
        with_snapshots: false,
        force: parameters.flag("Force")? == Some(true),
        dry_run,
    };
    match context.world.delete_images(Cloud::Alibaba, &request) {
        Ok(()) if dry_run => Err(Refusal::dry_run()),
        Ok(()) => Ok(Map::new()),
        Err(refusal) => Err(in_vendor_words(Act::Delete, &refusal)),
    }
}
