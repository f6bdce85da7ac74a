//! Decides what `CreateImage` reads and answers: a name, and the snapshots that the image is made of.

use sampan_core::Cloud;
use serde_json::json;

use super::error::ApiError;
use super::gate::Caller;
use super::image_codes::{Act, coded};
use super::params::Params;
use super::sync_images::LONGEST_NAME;
use super::{Fields, fields};
use crate::world::{Call, CreateRequest, DiskOfSnapshot, Tag, World};

/// Longest description, in characters.
const LONGEST_DESCRIPTION: usize = 256;
/// Names of the parameters.
const KNOWN: [&str; 10] = [
    "ImageName",
    "InstanceId",
    "SnapshotIds",
    "ImageDescription",
    "ForcePoweroff",
    "Sysprep",
    "DataDiskIds",
    "DryRun",
    "TagSpecification",
    "ImageFamily",
];

/// Starts to make an image, or checks it.
///
/// # Errors
/// The vendor's code for whatever is wrong; nothing was started or spent then.
pub(super) fn run(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    let dry_run = params.flag("DryRun")?.unwrap_or(false);
    call.dry_run = dry_run;
    call.mutating = !dry_run;
    params.only(&KNOWN)?;
    let name = params.required_text("ImageName")?;
    let description = params.text("ImageDescription")?.unwrap_or_default();
    for (text, most, field) in
        [(name, LONGEST_NAME, "ImageName"), (description, LONGEST_DESCRIPTION, "ImageDescription")]
    {
        if text.chars().count() > most {
            let text = format!("{field} has more than {most} characters");
            return Err(ApiError::new("InvalidParameterValue.TooLarge", text));
        }
    }
    // Texts, not booleans, in this action.
    for field in ["ForcePoweroff", "Sysprep"] {
        let word = params.text(field)?.unwrap_or("false").to_ascii_lowercase();
        if !matches!(word.as_str(), "true" | "false") {
            return Err(ApiError::bad_value(field, &word, "true, false"));
        }
    }
    let request = CreateRequest {
        cloud: Cloud::Tencent,
        account: caller.account.id.clone(),
        region: caller.region.clone(),
        disks: read_disks(params)?,
        name: Some(name.to_owned()),
        description: description.to_owned(),
        platform: None,
        tells_system: false,
        boot_mode: None,
        resource_group: None,
        tags: read_tags(params)?,
        token: None,
        dry_run,
    };
    match world.create(&request).map_err(|refusal| coded(Act::Create, &refusal))? {
        None => Ok(Fields::new()),
        Some(id) => Ok(fields(json!({ "ImageId": id }))),
    }
}

/// Machines are not simulated, so every instance is unknown.
fn read_disks(params: &Params) -> Result<Vec<DiskOfSnapshot>, ApiError> {
    let instance = params.text("InstanceId")?.filter(|id| !id.is_empty());
    let snapshots = params.texts("SnapshotIds")?.unwrap_or_default();
    let data_disks = params.texts("DataDiskIds")?.unwrap_or_default();
    match (instance, snapshots.is_empty()) {
        (Some(_), false) => {
            Err(ApiError::new("InvalidParameterConflict", "InstanceId and SnapshotIds exclude each other"))
        }
        (Some(id), true) => Err(ApiError::new("InvalidInstanceId.NotFound", format!("there is no instance {id}"))),
        (None, true) => {
            Err(ApiError::new("InvalidParameter.SpecifyOneParameter", "InstanceId or SnapshotIds is required"))
        }
        (None, false) if !data_disks.is_empty() => {
            Err(ApiError::new("InvalidParameter.InvalidDependence", "DataDiskIds needs InstanceId"))
        }
        (None, false) => Ok(snapshots
            .into_iter()
            .map(|snapshot_id| DiskOfSnapshot { snapshot_id, role: None, device: None, size_gib: None })
            .collect()),
    }
}

fn read_tags(params: &Params) -> Result<Vec<Tag>, ApiError> {
    let mut tags = Vec::new();
    for specification in params.objects("TagSpecification")? {
        specification.only(&["ResourceType", "Tags"])?;
        let kind = specification.required_text("ResourceType")?;
        if kind != "image" {
            return Err(ApiError::bad_value("ResourceType", kind, "image"));
        }
        for tag in specification.objects("Tags")? {
            tag.only(&["Key", "Value"])?;
            let value = tag.text("Value")?.unwrap_or_default();
            tags.push(Tag { key: tag.required_text("Key")?.to_owned(), value: value.to_owned() });
        }
    }
    Ok(tags)
}
