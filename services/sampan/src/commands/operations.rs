//! `sampan operations`.

use sampan_proto::operation::v1::{
    CancelOperationRequest, GetOperationRequest, ListOperationsRequest, Operation, OperationState,
    RetryOperationRequest,
};

use super::export::{goes_on, output_failure, start_and_watch};
use super::{exit_of, watch_to_the_end};
use crate::cli::{CancelArgs, ListArgs, OperationsCommand, Output, RetryArgs, wire_cloud};
use crate::client::{Client, Failure, operation_name};
use crate::exit::Exit;
use crate::output::{json, operation};

/// Carries out one of the operations commands.
///
/// # Errors
/// [`Failure`] when the server refuses or does not answer.
pub async fn operations(command: OperationsCommand) -> Result<Exit, Failure> {
    match command {
        OperationsCommand::List(args) => list(args).await,
        OperationsCommand::Get(args) => {
            let client = Client::connect(&args.client).await?;
            let request = GetOperationRequest { name: operation_name(&args.name) };
            let found = client.operations().get_operation(request).await?.into_inner().operation;
            print(args.client.output, &found.unwrap_or_default())?;
            Ok(Exit::Done)
        }
        OperationsCommand::Watch(args) => {
            let client = Client::connect(&args.client).await?;
            let name = operation_name(&args.name);
            match watch_to_the_end(&client, &name).await? {
                Some(ended) => {
                    print(args.client.output, &ended)?;
                    Ok(exit_of(&ended))
                }
                None => {
                    goes_on(&name);
                    Ok(Exit::Interrupted)
                }
            }
        }
        OperationsCommand::Cancel(args) => cancel(args).await,
        OperationsCommand::Retry(args) => retry(args).await,
    }
}

async fn list(args: ListArgs) -> Result<Exit, Failure> {
    let client = Client::connect(&args.client).await?;
    let states = args.states.iter().map(|word| state(word)).collect::<Result<Vec<_>, _>>()?;
    let mut request = ListOperationsRequest {
        page_size: i32::try_from(args.limit.min(200)).unwrap_or(200),
        states,
        cloud: args.cloud.map_or(0, |cloud| wire_cloud(cloud) as i32),
        account: args.account,
        region: args.region,
        labels: args.labels.into_iter().collect(),
        ..ListOperationsRequest::default()
    };
    let most = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut found: Vec<Operation> = Vec::new();
    loop {
        let page = client.operations().list_operations(request.clone()).await?.into_inner();
        found.extend(page.operations);
        if page.next_page_token.is_empty() || found.len() >= most {
            break;
        }
        request.page_token = page.next_page_token;
    }
    found.truncate(most);
    match args.client.output {
        Output::Table => operation::print_list(&found),
        Output::Json => found.iter().try_for_each(|one| json::print("sampan.operation.v1.Operation", one)),
    }
    .map_err(output_failure)?;
    Ok(Exit::Done)
}

async fn cancel(args: CancelArgs) -> Result<Exit, Failure> {
    let client = Client::connect(&args.client).await?;
    let request = CancelOperationRequest { name: operation_name(&args.name), remove_result: args.remove_result };
    let cancelled = client.operations().cancel_operation(request).await?.into_inner().operation;
    print(args.client.output, &cancelled.unwrap_or_default())?;
    Ok(Exit::Done)
}

async fn retry(args: RetryArgs) -> Result<Exit, Failure> {
    let client = Client::connect(&args.client).await?;
    let request = RetryOperationRequest { name: operation_name(&args.name) };
    let reopened = client.operations().retry_operation(request).await?.into_inner().operation.unwrap_or_default();
    start_and_watch(&client, &reopened, args.detach, args.client.output).await
}

fn print(output: Output, one: &Operation) -> Result<(), Failure> {
    match output {
        Output::Table => operation::print(one),
        Output::Json => json::print("sampan.operation.v1.Operation", one),
    }
    .map_err(output_failure)
}

fn state(word: &str) -> Result<i32, Failure> {
    let name = format!("OPERATION_STATE_{}", word.to_ascii_uppercase().replace(['-', ' '], "_"));
    OperationState::from_str_name(&name).map(|state| state as i32).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("`{word}` is no state of an operation")).advice(
            "the states are waiting-for-quota, running, cancelling, succeeded, partially-succeeded, failed, cancelled",
        )
    })
}
