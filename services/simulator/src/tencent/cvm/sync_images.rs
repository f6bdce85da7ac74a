//! Decides what `SyncImages` reads and answers: one image, its destinations, and the ids of its copies if wanted.

use sampan_core::Cloud;
use serde_json::{Value, json};

use super::error::ApiError;
use super::export_images::check_image_id;
use super::gate::Caller;
use super::image_codes::{Act, coded};
use super::params::Params;
use super::{Fields, fields};
use crate::world::{self, Call, CopyRequest, Encryption, World};

/// Longest name of an image, in characters.
pub(super) const LONGEST_NAME: usize = 60;
/// Names of the parameters.
const KNOWN: [&str; 7] =
    ["ImageIds", "DestinationRegions", "DryRun", "ImageName", "ImageSetRequired", "Encrypt", "KmsKeyId"];

/// Starts the copies, or checks them.
///
/// # Errors
/// The vendor's code for whatever is wrong; nothing was started or spent then.
pub(super) fn run(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    let dry_run = params.flag("DryRun")?.unwrap_or(false);
    call.dry_run = dry_run;
    call.mutating = !dry_run;
    params.only(&KNOWN)?;
    call.image = params.texts("ImageIds")?.and_then(|ids| ids.into_iter().next());
    let with_ids = params.flag("ImageSetRequired")?.unwrap_or(false);
    let request = CopyRequest {
        cloud: Cloud::Tencent,
        account: caller.account.id.clone(),
        region: caller.region.clone(),
        image_id: read_image_id(params)?,
        action: "SyncImages",
        destinations: read_destinations(params, call)?,
        name: read_name(params)?,
        description: None,
        encryption: read_encryption(params)?,
        resource_group: None,
        tags: Vec::new(),
        token: None,
        dry_run,
    };
    let Some(placed) = world.copy(&request).map_err(|refusal| coded(Act::Sync, &refusal))? else {
        return Ok(Fields::new());
    };
    let set: Vec<Value> = placed.iter().map(|one| json!({ "ImageId": one.image_id, "Region": one.region })).collect();
    // The ids are told only to those who ask.
    Ok(fields(json!({ "ImageSet": if with_ids { set } else { Vec::new() } })))
}

/// It is a list, and takes one.
fn read_image_id(params: &Params) -> Result<String, ApiError> {
    let ids = params.texts("ImageIds")?.unwrap_or_default();
    ids.iter().try_for_each(|id| check_image_id(id))?;
    match ids.as_slice() {
        [] => Err(ApiError::missing("ImageIds")),
        [one] => Ok(one.clone()),
        more => {
            let text = format!("ImageIds has {} items, 1 is allowed", more.len());
            Err(ApiError::new("InvalidParameterValue.LimitExceeded", text))
        }
    }
}

fn read_destinations(params: &Params, call: &mut Call) -> Result<Vec<String>, ApiError> {
    let regions = params.texts("DestinationRegions")?.unwrap_or_default();
    call.destinations.clone_from(&regions);
    if regions.is_empty() {
        return Err(ApiError::missing("DestinationRegions"));
    }
    for (index, region) in regions.iter().enumerate() {
        if !world::is_region(Cloud::Tencent, region) {
            return Err(ApiError::new("InvalidRegion.NotFound", format!("there is no region {region:?}")));
        }
        if regions.iter().take(index).any(|earlier| earlier == region) {
            return Err(ApiError::new("InvalidParameterValue", format!("DestinationRegions names {region} twice")));
        }
    }
    Ok(regions)
}

fn read_name(params: &Params) -> Result<Option<String>, ApiError> {
    let Some(name) = params.text("ImageName")?.filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.chars().count() > LONGEST_NAME {
        let text = format!("ImageName has more than {LONGEST_NAME} characters");
        return Err(ApiError::new("InvalidParameterValue", text));
    }
    Ok(Some(name.to_owned()))
}

fn read_encryption(params: &Params) -> Result<Option<Encryption>, ApiError> {
    let key = params.text("KmsKeyId")?.filter(|key| !key.is_empty()).map(str::to_owned);
    match (params.flag("Encrypt")?.unwrap_or(false), key) {
        (true, kms_key) => Ok(Some(Encryption { kms_key })),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(ApiError::new("InvalidParameter.InvalidKmsKeyId", "KmsKeyId needs Encrypt")),
    }
}
