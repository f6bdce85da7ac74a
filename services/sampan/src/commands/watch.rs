//! Follows an operation to its end, through lost connections.

use std::time::Duration;

use sampan_proto::operation::v1::{Operation, WatchOperationRequest};
use tonic::Code;

use crate::client::{Client, Failure};
use crate::output::progress::OperationProgress;

/// Times in a row that a broken watch is taken up again.
const MOST_RESUMES: u32 = 20;

/// Shows the operation's progress until it ends.
///
/// Returns `None` when a person pressed Ctrl-C; the operation goes on then.
///
/// # Errors
/// [`Failure`] when the operation does not exist or the server stays away.
pub async fn watch_to_the_end(client: &Client, name: &str) -> Result<Option<Operation>, Failure> {
    let mut progress = OperationProgress::begin();
    let outcome = tokio::select! {
        outcome = follow(client, name, &mut progress) => outcome.map(Some),
        _ = tokio::signal::ctrl_c() => Ok(None),
    };
    progress.finish();
    outcome
}

async fn follow(client: &Client, name: &str, progress: &mut OperationProgress) -> Result<Operation, Failure> {
    let mut revision = 0;
    let mut resumes = 0;
    loop {
        let request = WatchOperationRequest { name: name.to_owned(), from_revision: Some(revision) };
        let broken = match client.operations().watch_operation(request).await {
            Ok(stream) => {
                let mut stream = stream.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(answer)) => {
                            let operation = answer.operation.unwrap_or_default();
                            progress.show(&operation);
                            revision = operation.revision;
                            resumes = 0;
                            if operation.done {
                                return Ok(operation);
                            }
                        }
                        Ok(None) => break None,
                        Err(status) => break Some(status),
                    }
                }
            }
            Err(status) => Some(status),
        };
        resumes += 1;
        match broken {
            // Streams are cut by proxies, restarts and deadlines; the revision takes the watch up where it was.
            None => {}
            Some(status) if resumes <= MOST_RESUMES && is_passing(status.code()) => {}
            Some(status) => return Err(status.into()),
        }
        tokio::time::sleep(Duration::from_millis(200 * u64::from(resumes.min(10)))).await;
    }
}

fn is_passing(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::Unknown | Code::Internal)
}
