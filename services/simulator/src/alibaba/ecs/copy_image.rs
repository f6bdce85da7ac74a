//! CopyImage: reads the call and lets the world start it; there is no task, progress stands at the new image.

use sampan_core::Cloud;
use serde_json::{Map, json};

use super::image_codes::{Act, in_vendor_words};
use super::refusal::Refusal;
use super::{Answer, Context, texts};
use crate::world::{self, CopyRequest, Encryption};

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = known_region(parameters.required("RegionId")?, "SourceRegion.NotFound")?;
    let image_id = parameters.required("ImageId")?;
    let destination = match parameters.optional("DestinationRegionId") {
        Some(destination) => known_region(destination, "DestinationRegion.NotFound")?,
        None => region,
    };
    let request = CopyRequest {
        cloud: Cloud::Alibaba,
        account: context.account.id.clone(),
        region: region.to_owned(),
        image_id: image_id.to_owned(),
        action: "CopyImage",
        destinations: vec![destination.to_owned()],
        name: texts::image_name(parameters, "DestinationImageName")?,
        description: texts::description(parameters, "DestinationDescription")?,
        encryption: encryption(context)?,
        resource_group: parameters.optional("ResourceGroupId").map(str::to_owned),
        tags: texts::tags(parameters)?,
        token: texts::client_token(parameters)?,
        dry_run: parameters.flag("DryRun")? == Some(true),
    };
    match context.world.copy(&request) {
        Ok(None) => Err(Refusal::dry_run()),
        Ok(Some(placed)) => {
            let id = placed.first().map(|one| one.image_id.as_str());
            Ok(Map::from_iter([("ImageId".to_owned(), json!(id))]))
        }
        Err(refusal) => Err(in_vendor_words(Act::Copy, &refusal)),
    }
}

fn known_region<'a>(region: &'a str, code: &'static str) -> Result<&'a str, Refusal> {
    if world::is_region(Cloud::Alibaba, region) {
        return Ok(region);
    }
    Err(Refusal::bad_request(code, "The specified region does not exist."))
}

/// A key or an algorithm without `Encrypted=true` contradicts itself; the algorithm is not open to the public at all.
fn encryption(context: &Context<'_>) -> Result<Option<Encryption>, Refusal> {
    let parameters = context.parameters;
    let is_wanted = parameters.flag("Encrypted")? == Some(true);
    let kms_key = parameters.optional("KMSKeyId").map(str::to_owned);
    match parameters.optional("EncryptAlgorithm") {
        Some(_) if is_wanted => {
            return Err(Refusal::bad_request(
                "InvalidEncryptAlgorithm",
                "The specified EncryptAlgorithm is not valid.",
            ));
        }
        Some(_) => {
            let message = "EncryptAlgorithm needs Encrypted.";
            return Err(Refusal::bad_request("InvalidEncrypted.NotMatchEncryptAlgorithm", message));
        }
        None => {}
    }
    if !is_wanted && kms_key.is_some() {
        return Err(Refusal::bad_request("InvalidEncrypted.NotMatchKmsKeyId", "KMSKeyId needs Encrypted."));
    }
    Ok(is_wanted.then_some(Encryption { kms_key }))
}
