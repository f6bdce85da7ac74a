//! Shares: an image and all its copies with another account, and who has them then.

use sampan_core::Cloud;
use sampan_proto::copy::v1::PreviewCopyRequest;
use sampan_proto::image::v1::ImageReference;
use sampan_proto::operation::v1::{Operation, OperationState, SharedImage, operation};
use sampan_proto::share::v1::{ListImageSharesRequest, ListImageSharesResponse, ShareImageRequest};

use super::copy::copies;
use super::{GOLDEN_TENCENT, TENCENT_REGION, accepted, account, labels, read, scene, typed, unexpected, watch};
use crate::cli::{Command, PreviewCommand, ShareCommand};
use crate::client::Failure;
use crate::demo::checks::Checks;
use crate::demo::stage::Stage;
use crate::exit::Exit;
use crate::output;

/// Shares the image and the copies that `copied` has made.
pub(super) async fn with_copies(copied: &Operation, stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("12. The image and all its copies, shared with another account")?;
    let receiver = account(stage, Cloud::Tencent, 1)?.id;
    let image = format!("--cloud tencent --region {TENCENT_REGION} --image {GOLDEN_TENCENT}");
    let ended = share(stage, &format!("share add {image} --with {receiver} --include-copies")).await?;
    checks.equal("it succeeded", ended.state(), OperationState::Succeeded)?;
    let shared = images(&ended);
    let reached = |copy: &ImageReference| shared.iter().any(|image| image.reference.as_ref() == Some(copy));
    let references: Vec<&ImageReference> = copies(copied).iter().filter_map(|copy| copy.reference.as_ref()).collect();
    let every = references.iter().all(|copy| reached(copy));
    checks.equal("it reached the image and its three copies", (shared.len(), every), (4, true))?;
    let calls = accepted(stage, Cloud::Tencent, "ModifyImageSharePermission").len();
    checks.equal("the cloud was asked once for each", calls, shared.len())?;
    let Some(far) = references.last() else {
        return Err(Failure::new(Exit::Failed, "there is no copy to look at"));
    };
    let place = format!("--region {} --image {}", far.region, far.image_id);
    let told = list(stage, &format!("share list --cloud tencent {place}")).await?;
    let accounts: Vec<&str> = told.shares.iter().map(|share| share.account_id.as_str()).collect();
    checks.equal(format!("the cloud names the receiver in {}", far.region), accounts, vec![receiver.as_str()])?;
    let line = format!("preview copy --cloud tencent --account tencent-2 {place} --to {}", far.region);
    let found = may_copy(stage, &line).await?;
    checks.holds(format!("the receiver finds it in {} with its own keys, and may copy it there", far.region), found)
}

/// Starts a share as it is typed, and shows it to its end.
async fn share(stage: &Stage, line: &str) -> Result<Operation, Failure> {
    let Command::Share(command) = typed(line)? else { return Err(unexpected(line)) };
    let ShareCommand::Add(command) = *command else { return Err(unexpected(line)) };
    let request = ShareImageRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        spec: Some(command.share.spec()),
        labels: labels(),
    };
    let started = stage.client.shares().share_image(request).await?.into_inner().operation.unwrap_or_default();
    let ended = watch(stage, &started.name).await?;
    output::operation::print(&ended).map_err(cannot_show)?;
    Ok(ended)
}

/// Lists the accounts that have an image, as it is typed.
async fn list(stage: &Stage, line: &str) -> Result<ListImageSharesResponse, Failure> {
    let Command::Share(command) = typed(line)? else { return Err(unexpected(line)) };
    let ShareCommand::List(command) = *command else { return Err(unexpected(line)) };
    let request = ListImageSharesRequest { image: Some(command.image.reference()) };
    let told = stage.client.shares().list_image_shares(request).await?.into_inner();
    output::share::print_list(&told).map_err(cannot_show)?;
    Ok(told)
}

/// Returns whether a copy could start.
async fn may_copy(stage: &Stage, line: &str) -> Result<bool, Failure> {
    let Command::Preview(PreviewCommand::Copy(command)) = read(line)? else { return Err(unexpected(line)) };
    let request = PreviewCopyRequest { spec: Some(command.copy.spec()), keep_for: None };
    Ok(stage.client.copies().preview_copy(request).await?.into_inner().startable)
}

fn images(ended: &Operation) -> &[SharedImage] {
    match &ended.result {
        Some(operation::Result::ShareResult(result)) => &result.images,
        Some(operation::Result::ExportResult(_) | operation::Result::CopyResult(_)) | None => &[],
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it away")]
fn cannot_show(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
