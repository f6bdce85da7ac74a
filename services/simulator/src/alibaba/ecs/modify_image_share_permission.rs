//! ModifyImageSharePermission: adds and removes accounts in one call; of each list the first ten count, and the rest
//! is ignored without a word.

use sampan_core::Cloud;
use serde_json::Map;

use super::image_codes::{Act, in_vendor_words};
use super::refusal::Refusal;
use super::{Answer, Context};
use crate::world::ShareRequest;

/// Accounts of each list that are looked at.
const LOOKED_AT: usize = 10;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let image_id = parameters.required("ImageId")?;
    let accounts =
        |name| -> Vec<String> { parameters.numbered(name).into_iter().take(LOOKED_AT).map(str::to_owned).collect() };
    let (add, remove) = (accounts("AddAccount"), accounts("RemoveAccount"));
    if parameters.optional("LaunchPermission").is_some() {
        let message = "LaunchPermission is not open to this account.";
        return Err(Refusal::bad_request("ForbiddenParameter.LaunchPermission", message));
    }
    match parameters.flag("IsPublic")? {
        Some(true) => {
            let message = "The agreement on public images is not signed.";
            return Err(Refusal::forbidden("PublicImageAgreement.NotSigned", message));
        }
        None if add.is_empty() && remove.is_empty() => return Err(Refusal::missing("AddAccount")),
        Some(false) | None => {}
    }
    let dry_run = parameters.flag("DryRun")? == Some(true);
    let request = ShareRequest {
        account: context.account.id.clone(),
        region: region.to_owned(),
        image_id: image_id.to_owned(),
        add,
        remove,
        dry_run,
    };
    match context.world.share(Cloud::Alibaba, &request) {
        Ok(()) if dry_run => Err(Refusal::dry_run()),
        Ok(()) => Ok(Map::new()),
        Err(refusal) => Err(in_vendor_words(Act::Share, &refusal)),
    }
}
