//! `sampan preview`.

use sampan_proto::export::v1::PreviewExportRequest;
use sampan_proto::image::v1::Violation;

use super::export::output_failure;
use crate::cli::{Output, PreviewCommand};
use crate::client::{Client, Failure};
use crate::exit::Exit;
use crate::output;

/// Asks for a preview and prints it; exit code 3 when the job cannot start, 4 when only quota is missing.
///
/// # Errors
/// [`Failure`] when the server does not answer.
pub async fn preview(command: PreviewCommand) -> Result<Exit, Failure> {
    let command = match command {
        PreviewCommand::Export(command) => command,
        PreviewCommand::Copy(command) => return super::copy::preview(command).await,
        PreviewCommand::Share(command) => return super::share::preview(*command).await,
    };
    let client = Client::connect(&command.client).await?;
    let request = PreviewExportRequest { spec: Some(command.export.spec()) };
    let preview = client.exports().preview_export(request).await?.into_inner();
    match command.client.output {
        Output::Json => output::json::print("sampan.export.v1.PreviewExportResponse", &preview),
        Output::Table => output::preview::print(&preview),
    }
    .map_err(output_failure)?;
    Ok(exit_by(preview.startable, &preview.violations))
}

/// Returns the exit code that tells whether a job can start.
pub(super) fn exit_by(startable: bool, violations: &[Violation]) -> Exit {
    let is_quota = |violation: &Violation| matches!(violation.rule.as_str(), "QUOTA_SPENT" | "CLOUD_QUOTA_SPENT");
    if startable {
        Exit::Done
    } else if violations.iter().all(is_quota) {
        // No rule is broken, or the only one is that the cloud has counted more than this server has.
        Exit::QuotaSpent
    } else {
        Exit::Refused
    }
}
