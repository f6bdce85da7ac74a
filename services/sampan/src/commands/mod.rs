//! The client commands: each asks a server and prints the answer.

mod estimate;
mod export;
mod operations;
mod preview;
mod quota;
mod watch;

pub use estimate::estimate;
pub use export::export;
pub use operations::operations;
pub use preview::preview;
pub use quota::quota;
pub use watch::watch_to_the_end;

use sampan_proto::operation::v1::{Operation, OperationState};

use crate::exit::Exit;

/// Returns the exit code that tells how an operation ended.
pub fn exit_of(operation: &Operation) -> Exit {
    match OperationState::try_from(operation.state) {
        Ok(OperationState::Failed) => match operation.error.as_ref().map(|error| error.reason.as_str()) {
            Some("QUOTA_SPENT" | "CLOUD_QUOTA_SPENT") => Exit::QuotaSpent,
            Some(_) if operation.error.as_ref().is_some_and(|error| !error.violations.is_empty()) => Exit::Refused,
            _ => Exit::Failed,
        },
        Ok(OperationState::PartiallySucceeded) => Exit::PartlyDone,
        Ok(OperationState::Cancelled) => Exit::Cancelled,
        Ok(
            OperationState::Succeeded
            | OperationState::Running
            | OperationState::WaitingForQuota
            | OperationState::Cancelling
            | OperationState::Unspecified,
        )
        | Err(_) => Exit::Done,
    }
}
