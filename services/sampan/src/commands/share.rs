//! `sampan share` and `sampan preview share`.

use sampan_proto::share::v1::{
    ListImageSharesRequest, PreviewShareRequest, SetImageSharesRequest, ShareImageRequest, UnshareImageRequest,
};

use super::export::{output_failure, start_and_watch};
use super::preview::exit_by;
use super::start::surely;
use crate::cli::{ChangeCommand, Output, PreviewShareCommand, ShareCommand, SharesCommand};
use crate::client::{Client, Failure};
use crate::exit::Exit;
use crate::output;

/// Carries out one of the share commands.
///
/// # Errors
/// [`Failure`] when the server refuses or does not answer.
pub async fn share(command: ShareCommand) -> Result<Exit, Failure> {
    let client = Client::connect(command.client()).await?;
    let (started, command) = match command {
        ShareCommand::List(command) => return list(&client, &command).await,
        ShareCommand::Add(command) => {
            let Parts { request_id, spec, labels } = parts(&command);
            let request = ShareImageRequest { request_id, spec, labels };
            let call = async || client.shares().share_image(request.clone()).await;
            (surely(&request.request_id, call).await?.operation, command)
        }
        ShareCommand::Remove(command) => {
            let Parts { request_id, spec, labels } = parts(&command);
            let request = UnshareImageRequest { request_id, spec, labels };
            let call = async || client.shares().unshare_image(request.clone()).await;
            (surely(&request.request_id, call).await?.operation, command)
        }
        ShareCommand::Set(command) => {
            let Parts { request_id, spec, labels } = parts(&command);
            let request = SetImageSharesRequest { request_id, spec, labels };
            let call = async || client.shares().set_image_shares(request.clone()).await;
            (surely(&request.request_id, call).await?.operation, command)
        }
    };
    start_and_watch(&client, &started.unwrap_or_default(), command.detach, command.client.output).await
}

/// What every start sends.
struct Parts {
    request_id: String,
    spec: Option<sampan_proto::share::v1::ShareSpec>,
    labels: std::collections::HashMap<String, String>,
}

fn parts(command: &ChangeCommand) -> Parts {
    Parts {
        // A start is repeated when its answer is lost and must not start twice, so there is always a request id.
        request_id: command.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
        spec: Some(command.share.spec()),
        labels: command.labels.iter().cloned().collect(),
    }
}

async fn list(client: &Client, command: &SharesCommand) -> Result<Exit, Failure> {
    let request = ListImageSharesRequest { image: Some(command.image.reference()) };
    let told = client.shares().list_image_shares(request).await?.into_inner();
    match command.client.output {
        Output::Json => output::json::print("sampan.share.v1.ListImageSharesResponse", &told),
        Output::Table => output::share::print_list(&told),
    }
    .map_err(output_failure)?;
    Ok(Exit::Done)
}

/// Asks for a preview of a change and prints it.
///
/// # Errors
/// [`Failure`] when the server does not answer.
pub(super) async fn preview(command: PreviewShareCommand) -> Result<Exit, Failure> {
    let client = Client::connect(&command.client).await?;
    let request = PreviewShareRequest { spec: Some(command.share.spec()), change: command.change.wire().into() };
    let preview = client.shares().preview_share(request).await?.into_inner();
    match command.client.output {
        Output::Json => output::json::print("sampan.share.v1.PreviewShareResponse", &preview),
        Output::Table => output::share::print_preview(&preview),
    }
    .map_err(output_failure)?;
    Ok(exit_by(preview.startable, &preview.violations))
}
