//! `sampan copy` and `sampan preview copy`.

use sampan_proto::copy::v1::{CopyImageRequest, PreviewCopyRequest};

use super::export::{output_failure, start_and_watch};
use super::preview::exit_by;
use super::start::surely;
use crate::cli::{CopyCommand, Output, PreviewCopyCommand};
use crate::client::{Client, Failure};
use crate::exit::Exit;
use crate::output;

/// Starts a copy, and waits for it unless it is to run detached.
///
/// # Errors
/// [`Failure`] when the start is refused or the server is lost.
pub async fn copy(command: CopyCommand) -> Result<Exit, Failure> {
    let client = Client::connect(&command.client).await?;
    let request = CopyImageRequest {
        // A start is repeated when its answer is lost and must not start twice, so there is always a request id.
        request_id: command.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
        spec: Some(command.copy.spec()),
        labels: command.labels.iter().cloned().collect(),
    };
    let call = async || client.copies().copy_image(request.clone()).await;
    let started = surely(&request.request_id, call).await?.operation.unwrap_or_default();
    start_and_watch(&client, &started, command.detach, command.client.output).await
}

/// Asks for a preview of a copy and prints it.
///
/// # Errors
/// [`Failure`] when the server does not answer.
pub(super) async fn preview(command: PreviewCopyCommand) -> Result<Exit, Failure> {
    let client = Client::connect(&command.client).await?;
    let request = PreviewCopyRequest { spec: Some(command.copy.spec()), keep_for: None };
    let preview = client.copies().preview_copy(request).await?.into_inner();
    match command.client.output {
        Output::Json => output::json::print("sampan.copy.v1.PreviewCopyResponse", &preview),
        Output::Table => output::copy::print_preview(&preview),
    }
    .map_err(output_failure)?;
    Ok(exit_by(preview.startable, &preview.violations))
}
