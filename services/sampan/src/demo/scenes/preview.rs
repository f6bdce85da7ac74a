//! Previews: what stands against an export, all of it at once, and what a good one would do.

use std::collections::BTreeSet;

use sampan_core::Cloud;
use sampan_proto::billing::v1::Estimate;
use sampan_proto::export::v1::{PreviewExportRequest, PreviewExportResponse};

use super::{
    BUCKET_ELSEWHERE, accepted_exports, export_args, lane, options, prompt, say_refusal, scene, start, typed,
    unexpected,
};
use crate::cli::{Command, ExportArgs};
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
    scene("2. An image that can be exported: the calls, the objects and the price, before anything is done")?;
    let args = export_args(Cloud::Tencent, image::TENCENT_GOOD);
    let preview = show(stage, &args).await?;
    checks.holds("it can start", preview.startable)?;
    checks.equal("the preview names one object per disk", preview.expected_objects.len(), 2)?;
    let estimate = preview.estimate.unwrap_or_default();
    checks.holds("every fee has its price, and together they are the price", adds_up(&estimate))?;
    let line = format!("export {} --max-cost 0.01CNY", options(&args));
    let Command::Export(command) = typed(&line)? else { return Err(unexpected(&line)) };
    match start(stage, &command.export).await {
        Ok(operation) => checks.holds(format!("it is refused, not started as {}", operation.name), false)?,
        Err(refusal) => {
            say_refusal(&refusal)?;
            checks.equal("what may cost more is refused", refusal.reason.as_deref(), Some("COST_ABOVE_LIMIT"))?;
        }
    }
    checks.equal("the cloud was not asked", accepted_exports(stage, Cloud::Tencent), 0)
}

/// Returns whether the fees of an estimate are its total, to the last place that is shown.
fn adds_up(estimate: &Estimate) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let fees = estimate.lines.iter().map(|line| line.amount.as_ref().and_then(|amount| number(&amount.expected)));
    let total = estimate.total.as_ref().and_then(|total| number(&total.expected));
    // Each fee is rounded to 6 places for itself.
    let slack = 0.000_001 * f64::from(u32::try_from(estimate.lines.len()).unwrap_or(u32::MAX));
    match (fees.sum::<Option<f64>>(), total) {
        (Some(fees), Some(total)) => total > 0.0 && (fees - total).abs() <= slack,
        _ => false,
    }
}

async fn show(stage: &Stage, args: &ExportArgs) -> Result<PreviewExportResponse, Failure> {
    prompt(&format!("preview export {}", options(args)))?;
    let request = PreviewExportRequest { spec: Some(args.spec()) };
    let preview = stage.client.exports().preview_export(request).await?.into_inner();
    output::preview::print(&preview).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(preview)
}
