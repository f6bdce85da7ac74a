//! CopySnapshot: reads the call and lets the world start it; progress stands at the new snapshot.

use sampan_core::Cloud;
use serde_json::{Map, json};

use super::image_codes::{Act, in_vendor_words};
use super::refusal::Refusal;
use super::{Answer, Context, texts};
use crate::world::{self, CopySnapshotRequest, Encryption};

/// Longest retention, in days.
const MOST_DAYS: u32 = 65_536;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let snapshot_id = parameters.required("SnapshotId")?;
    let destination = parameters.required("DestinationRegionId")?;
    let name = parameters.required("DestinationSnapshotName")?;
    let description = parameters.required("DestinationSnapshotDescription")?;
    if !world::is_region(Cloud::Alibaba, destination) {
        return Err(Refusal::forbidden("InvalidRegionId.NotExists", "The specified destination does not exist."));
    }
    if destination == region {
        let message = "Snapshots cannot be copied within their region.";
        return Err(Refusal::forbidden("InvalidOperation.NotSupportCopyInSameRegion", message));
    }
    if !texts::is_name(name) {
        return Err(Refusal::forbidden("InvalidSnapshotName.Malformed", "The specified snapshot name is not valid."));
    }
    if !texts::is_description(description) {
        return Err(Refusal::forbidden("InvalidDescription.Malformed", "The specified description is not valid."));
    }
    let request = CopySnapshotRequest {
        account: context.account.id.clone(),
        region: region.to_owned(),
        snapshot_id: snapshot_id.to_owned(),
        destination: destination.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        retention_days: retention(context)?,
        encryption: encryption(context)?,
        tags: texts::tags(parameters)?,
        token: texts::client_token(parameters)?,
    };
    match context.world.copy_snapshot(&request) {
        Ok(id) => Ok(Map::from_iter([("SnapshotId".to_owned(), json!(id))])),
        Err(refusal) => Err(in_vendor_words(Act::CopySnapshot, &refusal)),
    }
}

fn retention(context: &Context<'_>) -> Result<Option<u32>, Refusal> {
    let Some(text) = context.parameters.optional("RetentionDays") else { return Ok(None) };
    let days = text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    let malformed =
        || Refusal::forbidden("InvalidRetentionDays.Malformed", "The specified RetentionDays is not valid.");
    days.map(Some).ok_or_else(malformed)
}

fn encryption(context: &Context<'_>) -> Result<Option<Encryption>, Refusal> {
    let is_wanted = context.parameters.flag("Encrypted")? == Some(true);
    let kms_key = context.parameters.optional("KMSKeyId").map(str::to_owned);
    if !is_wanted && kms_key.is_some() {
        return Err(Refusal::forbidden("InvalidEncrypted.NotMatchKmsKeyId", "KMSKeyId needs Encrypted."));
    }
    Ok(is_wanted.then_some(Encryption { kms_key }))
}
