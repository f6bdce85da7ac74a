//! Prices the export of an image that the caller names: its disks come from the cloud, the figures from the estimator.
//!
//! A call of its own beside the preview, because a price needs no bucket, no rule and no trial run at the cloud.

use sampan_chassis::auth::{Access, Ask};
use sampan_chassis::cost::Pricing;
use sampan_chassis::status::Problem;
use sampan_core::{Reason, Violation};
use sampan_proto::export::v1 as pb;

use crate::spec::{ExportSpec, Ground, Reading};
use crate::{preview, price};

/// Parts of a spec that an estimate has, too.
const SHARED: [&str; 3] = ["spec.image", "spec.format", "spec.expected_use"];

/// Answers a request.
///
/// # Errors
/// Every wrong field at once; an image that cannot be read, with the reason of that; a price that is not known.
pub(crate) async fn answer(
    ground: Ground<'_>,
    pricing: &Pricing,
    access: &Access,
    request: pb::EstimateExportRequest,
) -> Result<pb::EstimateExportResponse, Problem> {
    let storage_class = request.storage_class.clone();
    let spec = parse(request, ground).map_err(|broken| Problem::request(&broken))?;
    let ask = Ask::new("billing.estimate").account(spec.account.as_str()).region(spec.region.as_str());
    access.check(&ask)?;
    let account = ground
        .accounts
        .get(&spec.account)
        .ok_or_else(|| Problem::new(Reason::AccountUnknown, format!("account {} is not configured", spec.account)))?;
    let image = account.images.describe_image(&spec.region, &spec.image).await;
    let image = image.map_err(|error| Problem::from_call(&error))?.ok_or_else(|| {
        let words = format!("{} does not exist in {} of account {}", spec.image, spec.region, spec.account);
        Problem::field(Reason::ImageNotFound, "image.image_id", words)
    })?;
    let estimate = price::before(pricing, &spec, &image, storage_class).await?;
    Ok(pb::EstimateExportResponse { estimate: Some(estimate), image: Some(preview::facts(&spec, &image)) })
}

/// Reads the request as a spec of which some parts are not needed.
fn parse(request: pb::EstimateExportRequest, ground: Ground<'_>) -> Result<ExportSpec, Vec<Violation>> {
    let pb::EstimateExportRequest { image, format, only_root_disk, storage_class: _, expected_use } = request;
    let message = pb::ExportSpec { image, format, only_root_disk, expected_use, ..pb::ExportSpec::default() };
    let Reading { spec, broken, warnings: _ } = ExportSpec::read(Some(message), ground);
    let is_shared = |violation: &Violation| SHARED.iter().any(|part| violation.field.starts_with(part));
    let mut broken: Vec<_> = broken.into_iter().filter(is_shared).collect();
    for violation in &mut broken {
        if let Some(field) = violation.field.strip_prefix("spec.") {
            violation.field = field.to_owned();
        }
    }
    spec.filter(|_| broken.is_empty()).ok_or(broken)
}
