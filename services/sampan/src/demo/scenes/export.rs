//! Exports with live progress, on both clouds.

use sampan_core::Cloud;
use sampan_proto::operation::v1::{Artifact, Operation, OperationState, operation};

use super::{accepted_exports, export_args, options, prompt, scene, start, watch};
use crate::client::Failure;
use crate::demo::checks::Checks;
use crate::demo::image;
use crate::demo::stage::Stage;
use crate::exit::Exit;
use crate::output;

/// Exports the demo's image on one cloud; returns the ended operation.
pub(super) async fn on(cloud: Cloud, stage: &Stage, checks: &mut Checks) -> Result<Operation, Failure> {
    let (title, id) = match cloud {
        Cloud::Tencent => ("3. The export on Tencent Cloud, which reports no percent", image::TENCENT_GOOD),
        Cloud::Alibaba => ("4. The export on Alibaba Cloud, which does", image::ALIBABA_GOOD),
    };
    scene(title)?;
    let args = export_args(cloud, id);
    prompt(&format!("export {}", options(&args)))?;
    let started = start(stage, &args).await?;
    checks.holds("the start is answered at once, with the name of the operation", !started.done)?;
    let ended = watch(stage, &started.name).await?;
    output::operation::print(&ended).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    checks.equal("the export succeeded", ended.state(), OperationState::Succeeded)?;
    let artifacts = artifacts(&ended);
    checks.equal("every disk is in the bucket", artifacts.len(), 2)?;
    let proven = artifacts.iter().all(|artifact| artifact.size_bytes > 0 && !artifact.crc64.is_empty());
    checks.holds("every object has its size and CRC-64 in the result", proven)?;
    checks.equal("the cloud accepted exactly one call that changes something", accepted_exports(stage, cloud), 1)?;
    Ok(ended)
}

/// Returns the artifacts of an ended export, the system disk first.
pub(super) fn artifacts(ended: &Operation) -> &[Artifact] {
    match &ended.result {
        Some(operation::Result::ExportResult(result)) => &result.artifacts,
        Some(operation::Result::CopyResult(_) | operation::Result::ShareResult(_)) | None => &[],
    }
}
