//! `sampan export`.

use std::io;

use anyhow::Result;
use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::operation::v1::Operation;

use super::start::surely;
use super::{exit_of, watch_to_the_end};
use crate::cli::{ExportCommand, Output};
use crate::client::{Client, Failure};
use crate::exit::Exit;
use crate::output::{json, operation, words};

/// Starts an export, and waits for it unless it is to run detached.
///
/// # Errors
/// [`Failure`] when the start is refused or the server is lost.
pub async fn export(command: ExportCommand) -> Result<Exit, Failure> {
    let client = Client::connect(&command.client).await?;
    let request = ExportImageRequest {
        // A start is repeated when its answer is lost and must not start twice, so there is always a request id.
        request_id: command.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
        spec: Some(command.export.spec()),
        labels: command.labels.iter().cloned().collect(),
    };
    let call = async || client.exports().export_image(request.clone()).await;
    let started = surely(&request.request_id, call).await?.operation.unwrap_or_default();
    start_and_watch(&client, &started, command.detach, command.client.output).await
}

/// Follows what was started to its end, or only names it.
pub(super) async fn start_and_watch(
    client: &Client,
    started: &Operation,
    detach: bool,
    output: Output,
) -> Result<Exit, Failure> {
    if detach {
        print_started(output, started)?;
        return Ok(Exit::Done);
    }
    let Some(ended) = watch_to_the_end(client, &started.name).await? else {
        goes_on(&started.name);
        return Ok(Exit::Interrupted);
    };
    match output {
        Output::Json => json::print("sampan.operation.v1.Operation", &ended),
        Output::Table => operation::print(&ended),
    }
    .map_err(output_failure)?;
    Ok(exit_of(&ended))
}

/// Says that a person stopped watching, and how to look again.
pub(super) fn goes_on(name: &str) {
    eprintln!("stopped watching; the operation goes on. To look at it again, or to stop it:");
    eprintln!("  sampan operations watch {name}");
    eprintln!("  sampan operations cancel {name}");
}

fn print_started(output: Output, started: &Operation) -> Result<(), Failure> {
    match output {
        Output::Json => json::print("sampan.operation.v1.Operation", started),
        Output::Table => words::line(&started.name),
    }
    .map_err(output_failure)
}

/// Says that the result could not be written.
pub(super) fn output_failure(error: anyhow::Error) -> Failure {
    let is_closed = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    let exit = if is_closed { Exit::Unread } else { Exit::Failed };
    Failure::new(exit, format!("the result could not be written: {error:#}"))
}
