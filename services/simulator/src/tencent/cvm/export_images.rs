//! Decides what `ExportImages` reads and answers: its parameters, its object names, and the code of each refusal.

use sampan_core::{Cloud, DiskRole, ImageFormat};
use serde_json::json;

use super::error::ApiError;
use super::gate::Caller;
use super::params::Params;
use super::{Fields, fields};
use crate::world::{Accepted, Call, ExportItem, ExportRefusal, ExportRequest, Naming, Origin, Packaging, World};

/// Role that the image service assumes when none is named.
const DEFAULT_ROLE: &str = "CVM_QcsRole";
/// Most images in one call. The vendor has a code for too many and tells no number; this one is a guess.
const MOST_IMAGES: usize = 10;
/// Names of the parameters.
const KNOWN: [&str; 7] =
    ["BucketName", "ImageIds", "ExportFormat", "FileNamePrefixList", "OnlyExportRootDisk", "DryRun", "RoleName"];

/// Starts an export, or checks one.
///
/// # Errors
/// The vendor's code for whatever is wrong; nothing was started or spent then.
pub(super) fn run(world: &World, caller: &Caller, params: &Params, call: &mut Call) -> Result<Fields, ApiError> {
    let request = read(caller, params, call)?;
    match world.export(&request).map_err(|refusal| coded(&refusal))? {
        // A dry run that would succeed is a plain success, as the vendor's example of DeleteImages shows.
        Accepted::Checked { .. } => Ok(Fields::new()),
        Accepted::Started(task) => {
            let paths: Vec<String> = task.objects.iter().map(|object| format!("/{}", object.key)).collect();
            Ok(fields(json!({ "TaskId": task.number, "CosPaths": paths })))
        }
    }
}

fn read(caller: &Caller, params: &Params, call: &mut Call) -> Result<ExportRequest, ApiError> {
    let dry_run = params.flag("DryRun")?.unwrap_or(false);
    call.dry_run = dry_run;
    call.mutating = !dry_run;
    params.only(&KNOWN)?;
    let bucket = params.required_text("BucketName")?.to_owned();
    call.bucket = Some(bucket.clone());
    // Known before it is judged, so that the audit names the image of a refused call too.
    call.image = params.texts("ImageIds")?.and_then(|ids| ids.into_iter().next());
    let image_ids = read_image_ids(params)?;
    let prefixes = read_prefixes(params, image_ids.len())?;
    let items = image_ids.into_iter().zip(prefixes).map(|(image_id, prefix)| ExportItem { image_id, prefix });
    Ok(ExportRequest {
        cloud: Cloud::Tencent,
        account: caller.account.id.clone(),
        region: caller.region.clone(),
        action: "ExportImages",
        items: items.collect(),
        bucket,
        role: params.text("RoleName")?.filter(|role| !role.is_empty()).unwrap_or(DEFAULT_ROLE).to_owned(),
        format: read_format(params)?,
        packaging: Packaging::Plain,
        root_disk_only: params.flag("OnlyExportRootDisk")?.unwrap_or(false),
        dry_run,
        name_object,
    })
}

fn read_image_ids(params: &Params) -> Result<Vec<String>, ApiError> {
    let ids = params.texts("ImageIds")?.unwrap_or_default();
    if ids.is_empty() {
        return Err(ApiError::new("InvalidParameter.ImageIdsSnapshotIdsMustOne", "ImageIds must name an image"));
    }
    if ids.len() > MOST_IMAGES {
        let text = format!("ImageIds has {} items, {MOST_IMAGES} are allowed", ids.len());
        return Err(ApiError::new("InvalidParameterValue.LimitExceeded", text));
    }
    for (index, id) in ids.iter().enumerate() {
        check_image_id(id)?;
        if ids.iter().take(index).any(|earlier| earlier == id) {
            return Err(ApiError::new("InvalidParameterValue", format!("ImageIds names {id} twice")));
        }
    }
    Ok(ids)
}

/// Refuses an id that is not `img-` and 8 or 9 of `[0-9a-z]`.
///
/// # Errors
/// `InvalidImageId.Malformed`.
pub(super) fn check_image_id(id: &str) -> Result<(), ApiError> {
    let tail = id.strip_prefix("img-").unwrap_or_default();
    let plain = tail.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if plain && matches!(tail.len(), 8 | 9) {
        return Ok(());
    }
    Err(ApiError::new("InvalidImageId.Malformed", format!("{id:?} is not the id of an image")))
}

/// Returns one prefix an image, empty ones when none are given.
fn read_prefixes(params: &Params, images: usize) -> Result<Vec<String>, ApiError> {
    let Some(prefixes) = params.texts("FileNamePrefixList")? else {
        return Ok(vec![String::new(); images]);
    };
    let refused = |text: String| ApiError::new("InvalidParameterValue.InvalidFileNamePrefixList", text);
    if prefixes.len() != images {
        return Err(refused(format!("FileNamePrefixList has {} items for {images} images", prefixes.len())));
    }
    match prefixes.iter().find(|prefix| prefix.chars().any(char::is_control)) {
        Some(bad) => Err(refused(format!("{bad:?} cannot begin the name of an object"))),
        None => Ok(prefixes),
    }
}

fn read_format(params: &Params) -> Result<ImageFormat, ApiError> {
    match params.text("ExportFormat")? {
        None | Some("RAW") => Ok(ImageFormat::Raw),
        Some("QCOW2") => Ok(ImageFormat::Qcow2),
        Some("VHD") => Ok(ImageFormat::Vhd),
        Some("VMDK") => Ok(ImageFormat::Vmdk),
        Some(other) => Err(ApiError::bad_value("ExportFormat", other, "RAW, QCOW2, VHD, VMDK")),
    }
}

/// Names an object `PREFIX_IMAGEID_system_SNAPID.raw` or `…_data_…`, without prefix and underscore if there is none.
fn name_object(naming: &Naming<'_>) -> String {
    let role = match naming.disk.role {
        DiskRole::System => "system",
        DiskRole::Data => "data",
    };
    let prefix = if naming.prefix.is_empty() { String::new() } else { format!("{}_", naming.prefix) };
    format!("{prefix}{}_{role}_{}.{}", naming.image.id, naming.disk.snapshot_id, naming.format.as_str())
}

fn coded(refusal: &ExportRefusal) -> ApiError {
    let code = match refusal {
        ExportRefusal::ImageNotFound { .. } => "InvalidImageId.NotFound",
        ExportRefusal::Origin { origin: Origin::Public, .. } => "UnsupportedOperation.PublicImageExportUnsupported",
        ExportRefusal::Origin { origin: Origin::Shared, .. } => "UnsupportedOperation.SharedImageExportUnsupported",
        ExportRefusal::Origin { origin: Origin::Marketplace, .. } => {
            "UnsupportedOperation.MarketImageExportUnsupported"
        }
        ExportRefusal::Windows { .. } => "UnsupportedOperation.WindowsImageExportUnsupported",
        ExportRefusal::RedHat { .. } => "UnsupportedOperation.RedHatImageExportUnsupported",
        ExportRefusal::Encrypted { .. } => "UnsupportedOperation.EncryptedImagesNotSupported",
        ExportRefusal::DiskTooLarge { .. } => "UnsupportedOperation.ImageTooLargeExportUnsupported",
        // The guide's limit of data disks has no code of its own; this is the one for images that do not fit the call.
        ExportRefusal::TooManyDataDisks { .. } | ExportRefusal::Origin { origin: Origin::Custom, .. } => {
            "InvalidParameterValue.InvalidImageId"
        }
        ExportRefusal::NotReady { .. } | ExportRefusal::AlreadyExporting { .. } => {
            "InvalidParameterValue.InvalidImageState"
        }
        ExportRefusal::FormatNotInRegion { .. } => "InvalidParameterValue",
        ExportRefusal::BucketAbsent { .. }
        | ExportRefusal::BucketForeign { .. }
        | ExportRefusal::BucketElsewhere { .. } => "InvalidParameterValue.BucketNotFound",
        ExportRefusal::BucketEncrypted { .. } | ExportRefusal::BucketNotWritable { .. } => {
            "InvalidParameterValue.InvalidBucketPermissionForExport"
        }
        ExportRefusal::RoleMissing { .. } => "AuthFailure.CamRoleNameAuthenticateFailed",
        ExportRefusal::NotEnabled => "UnauthorizedOperation",
        ExportRefusal::TooManyRunning { .. } => "LimitExceeded.ExportImageTaskLimitExceeded",
        // No code of its own is documented for a spent day, so the family's.
        ExportRefusal::DailyOperationsUsedUp { .. } => "LimitExceeded",
    };
    ApiError::new(code, refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::{check_image_id, read_image_ids, read_prefixes};
    use crate::tencent::cvm::params::Params;

    fn params(json: &str) -> Params {
        Params::from_json(json.as_bytes()).expect("JSON")
    }

    fn ids_code(json: &str) -> String {
        read_image_ids(&params(json)).expect_err("refused").code.into_owned()
    }

    #[test]
    fn ids_of_another_shape_are_malformed() {
        check_image_id("img-pq5pau1w").expect("the usual shape");
        check_image_id("img-34vaef8fe").expect("one of nine is documented too");
        for id in ["", "img-", "img-PQ5PAU1W", "m-bp1abc", "img-pq5pau1w2x", "img-pq5pa", "img-pq5pau1é"] {
            assert_eq!(check_image_id(id).expect_err("refused").code, "InvalidImageId.Malformed", "{id}");
        }
    }

    #[test]
    fn a_list_of_images_is_needed_and_bounded() {
        assert_eq!(ids_code("{}"), "InvalidParameter.ImageIdsSnapshotIdsMustOne");
        assert_eq!(ids_code(r#"{"ImageIds":[]}"#), "InvalidParameter.ImageIdsSnapshotIdsMustOne");
        assert_eq!(ids_code(r#"{"ImageIds":["img-pq5pau1w","img-pq5pau1w"]}"#), "InvalidParameterValue");
        let many: Vec<String> = (0..11).map(|index| format!("\"img-aaaaaa{index:02}\"")).collect();
        assert_eq!(ids_code(&format!("{{\"ImageIds\":[{}]}}", many.join(","))), "InvalidParameterValue.LimitExceeded");
    }

    #[test]
    fn there_are_as_many_prefixes_as_images_or_none() {
        let none = params("{}");
        assert_eq!(read_prefixes(&none, 2).expect("none is fine"), ["", ""]);
        let one = params(r#"{"FileNamePrefixList":["nightly"]}"#);
        assert_eq!(read_prefixes(&one, 1).expect("one for one"), ["nightly"]);
        for (json, images) in [(r#"{"FileNamePrefixList":["a"]}"#, 2), (r#"{"FileNamePrefixList":["a\u0000"]}"#, 1)] {
            let refused = read_prefixes(&params(json), images).expect_err("refused");
            assert_eq!(refused.code, "InvalidParameterValue.InvalidFileNamePrefixList");
        }
    }
}
