//! Previews: what stands against an export, all of it at once, and what a good one would do.

use std::collections::BTreeSet;

use sampan_core::Cloud;
use sampan_proto::export::v1::{PreviewExportRequest, PreviewExportResponse};

use super::{BUCKET_ELSEWHERE, accepted_exports, export_args, lane, options, prompt, scene};
use crate::cli::ExportArgs;
use crate::client::Failure;
use crate::demo::checks::Checks;
use crate::demo::image;
use crate::demo::stage::Stage;
use crate::exit::Exit;
use crate::output;

/// Shows an image that breaks several rules.
pub(super) async fn refused(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("1. An image that cannot be exported: every reason at once, before anything is spent")?;
    let mut args = export_args(Cloud::Tencent, image::REFUSED);
    args.bucket = BUCKET_ELSEWHERE.to_owned();
    let before = lane(stage).await?;
    let preview = show(stage, &args).await?;
    let rules: BTreeSet<&str> = preview.violations.iter().map(|violation| violation.rule.as_str()).collect();
    let wanted = [
        "IMAGE_WINDOWS",
        "IMAGE_FROM_MARKETPLACE",
        "IMAGE_ENCRYPTED",
        "IMAGE_TOO_MANY_DATA_DISKS",
        "IMAGE_DISK_TOO_LARGE",
        "BUCKET_ELSEWHERE",
    ];
    let missing: Vec<&str> = wanted.into_iter().filter(|rule| !rules.contains(rule)).collect();
    checks.equal(format!("the preview names all {} broken rules", wanted.len()), missing, Vec::new())?;
    checks.holds("it cannot start", !preview.startable)?;
    checks.equal("nothing was spent", lane(stage).await?.remaining, before.remaining)?;
    checks.equal("the cloud saw no call that changes anything", accepted_exports(stage, Cloud::Tencent), 0)
}

/// Shows an export that can start.
pub(super) async fn good(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("2. An image that can be exported: the calls and the objects, before anything is done")?;
    let preview = show(stage, &export_args(Cloud::Tencent, image::TENCENT_GOOD)).await?;
    checks.holds("it can start", preview.startable)?;
    checks.equal("the preview names one object per disk", preview.expected_objects.len(), 2)
}

async fn show(stage: &Stage, args: &ExportArgs) -> Result<PreviewExportResponse, Failure> {
    prompt(&format!("preview export {}", options(args)))?;
    let request = PreviewExportRequest { spec: Some(args.spec()) };
    let preview = stage.client.exports().preview_export(request).await?.into_inner();
    output::preview::print(&preview).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(preview)
}
