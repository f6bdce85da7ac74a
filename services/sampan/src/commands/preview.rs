//! `sampan preview`.

use sampan_proto::export::v1::PreviewExportRequest;

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
    let PreviewCommand::Export(command) = command;
    let client = Client::connect(&command.client.endpoint).await?;
    let request = PreviewExportRequest { spec: Some(command.export.spec()) };
    let preview = client.exports().preview_export(request).await?.into_inner();
    match command.client.output {
        Output::Json => output::json::print("sampan.export.v1.PreviewExportResponse", &preview),
        Output::Table => output::preview::print(&preview),
    }
    .map_err(output_failure)?;
    Ok(match (preview.startable, preview.violations.is_empty()) {
        (true, _) => Exit::Done,
        (false, true) => Exit::QuotaSpent,
        (false, false) => Exit::Refused,
    })
}
