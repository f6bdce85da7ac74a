//! ExportImage: reads the call, lets the world start it, and puts the world's refusals into the vendor's codes.

use sampan_core::{Cloud, DiskRole, ImageFormat};
use serde_json::{Map, json};

use super::refusal::Refusal;
use super::{Answer, Context};
use crate::world::{Accepted, ExportItem, ExportRefusal, ExportRequest, Naming, Origin, Packaging};

/// Role that the service assumes when the call names none.
const DEFAULT_ROLE: &str = "AliyunECSImageExportDefaultRole";
const MAX_PREFIX_CHARS: usize = 30;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let image_id = parameters.required("ImageId")?;
    let bucket = parameters.required("OSSBucket")?;
    let prefix = parameters.optional("OSSPrefix").unwrap_or_default();
    if prefix.len() > MAX_PREFIX_CHARS || !prefix.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err(Refusal::bad_request("InvalidOSSPrefix.Malformed", "The specified OSSPrefix is malformed."));
    }
    let format: ImageFormat = parameters.optional("ImageFormat").unwrap_or("raw").parse().map_err(|_| {
        Refusal::bad_request("InvalidImageFormat.Malformed", "The specified Image Format is not valid.")
    })?;
    let request = ExportRequest {
        cloud: Cloud::Alibaba,
        account: context.account.id.clone(),
        region: region.to_owned(),
        action: "ExportImage",
        items: vec![ExportItem { image_id: image_id.to_owned(), prefix: prefix.to_owned() }],
        bucket: bucket.to_owned(),
        role: parameters.optional("RoleName").unwrap_or(DEFAULT_ROLE).to_owned(),
        format,
        packaging: if format == ImageFormat::Raw { Packaging::TarGz } else { Packaging::Plain },
        root_disk_only: false,
        dry_run: parameters.flag("DryRun")? == Some(true),
        name_object,
    };
    match context.world.export(&request) {
        Ok(Accepted::Checked { .. }) => Err(Refusal::dry_run()),
        Ok(Accepted::Started(task)) => {
            Ok(Map::from_iter([("TaskId".to_owned(), json!(task.id)), ("RegionId".to_owned(), json!(region))]))
        }
        Err(refusal) => Err(in_vendor_words(&refusal)),
    }
}

/// `PREFIX_IMAGEID_system.raw.tar.gz`, `PREFIX_IMAGEID_data_xvdb.raw.tar.gz`; other formats have their plain ending.
fn name_object(naming: &Naming<'_>) -> String {
    let prefix = if naming.prefix.is_empty() { String::new() } else { format!("{}_", naming.prefix) };
    let disk = match naming.disk.role {
        DiskRole::System => "system".to_owned(),
        DiskRole::Data => format!("data_{}", naming.disk.device_name()),
    };
    let ending = match naming.format {
        ImageFormat::Raw => "raw.tar.gz",
        other => other.as_str(),
    };
    format!("{prefix}{}_{disk}.{ending}", naming.image.id)
}

fn in_vendor_words(refusal: &ExportRefusal) -> Refusal {
    use ExportRefusal as R;
    match refusal {
        R::ImageNotFound { .. } => Refusal::not_found(
            "InvalidImageId.NotFound",
            "The specified ImageId does not exist in the user account or region.",
        ),
        R::Origin { origin: Origin::Marketplace, .. } => Refusal::forbidden(
            "ImageNotSupported",
            "The specified image is based on a marketplace image and cannot be exported.",
        ),
        R::Origin { .. } => Refusal::forbidden(
            "InvalidImageCategory.NotSupported",
            "The owner alias of the specified image does not support this operation.",
        ),
        // No list says which code Windows gets; this one is the nearest: its reason is the licence.
        R::Windows { .. } | R::RedHat { .. } => Refusal::forbidden(
            "InvalidImageLicense.NotSupported",
            "The license of the specified image does not support this operation.",
        ),
        R::Encrypted { .. } => Refusal::bad_request(
            "ImageNotSupported",
            "The specified image contains encrypted snapshots and cannot be exported.",
        ),
        R::NotReady { .. } => Refusal::bad_request(
            "IncorrectImageStatus",
            "The current status of the resource does not support this operation.",
        ),
        R::DiskTooLarge { device, limit_gib, .. } => Refusal::bad_request(
            "InvalidImage.DiskAmountOrSize",
            format!("The size of disk {device} exceeds the maximum of {limit_gib} GiB."),
        ),
        R::TooManyDataDisks { limit, .. } => Refusal::bad_request(
            "InvalidImage.DiskAmountOrSize",
            format!("The specified image contains more than {limit} data disk snapshots."),
        ),
        R::FormatNotInRegion { .. } => Refusal::bad_request(
            "InvalidImageFormat.RegionNotSupported",
            "The specified image format is not supported in this region.",
        ),
        R::BucketAbsent { .. } | R::BucketElsewhere { .. } => {
            Refusal::bad_request("InvalidOSSBucket.NotFound", "The specified OSSBucket does not exist in this region.")
        }
        R::BucketForeign { .. } | R::BucketNotWritable { .. } => Refusal::forbidden(
            "InvalidOSS.NotAuthorized",
            "The access to the specified OSS bucket or object is denied.",
        ),
        R::BucketEncrypted { .. } => Refusal::forbidden(
            "InvalidOSSBucket.EncryptUnsupported",
            "The specified OSS bucket has server-side encryption enabled.",
        ),
        R::RoleMissing { .. } => Refusal::forbidden(
            "NoSetRoletoECSServiceAcount",
            "ECS service account has no permission to access the OSS bucket; set the role first.",
        ),
        R::NotEnabled => {
            Refusal::forbidden("UserNotInTheWhiteList", "The user is not in the white list of image export.")
        }
        R::AlreadyExporting { .. } => Refusal::forbidden("ImageIsExporting", "The specified image is exporting."),
        R::TooManyRunning { .. } => Refusal::forbidden(
            "ConcurrentQuotaExceed.ExportImage",
            "The maximum number of concurrently running export tasks is exceeded.",
        ),
        // The vendor documents no quota of a day, only one of a week.
        R::DailyOperationsUsedUp { .. } => {
            Refusal::forbidden("WeeklyQuotaExceed.ExportImage", "The export quota of this period is used up.")
        }
    }
}
