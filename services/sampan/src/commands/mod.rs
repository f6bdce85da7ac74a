//! The client commands: each asks a server and prints the answer.

mod copy;
mod doctor;
mod estimate;
mod export;
mod health;
mod operations;
mod preview;
mod quota;
mod share;
mod start;
mod watch;

pub use copy::copy;
pub use doctor::doctor;
pub use estimate::estimate;
pub use export::export;
pub use health::health;
pub use operations::operations;
pub use preview::preview;
pub use quota::quota;
pub use share::share;
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

#[cfg(test)]
mod tests {
    use super::*;
    use sampan_proto::image::v1::Violation;
    use sampan_proto::operation::v1::ErrorStatus;

    fn ended(state: OperationState, reason: &str, violations: usize) -> Exit {
        let violations = vec![Violation::default(); violations];
        let error = Some(ErrorStatus { reason: reason.to_owned(), violations, ..ErrorStatus::default() });
        exit_of(&Operation { state: state as i32, error, ..Operation::default() })
    }

    #[test]
    fn the_end_of_an_operation_decides_the_exit_code() {
        assert_eq!(ended(OperationState::Succeeded, "", 0), Exit::Done);
        assert_eq!(ended(OperationState::Failed, "EXPORT_FAILED_AT_CLOUD", 0), Exit::Failed);
        assert_eq!(ended(OperationState::Failed, "IMAGE_WINDOWS", 1), Exit::Refused);
        assert_eq!(ended(OperationState::Failed, "CLOUD_QUOTA_SPENT", 1), Exit::QuotaSpent);
        assert_eq!(ended(OperationState::PartiallySucceeded, "EXPORT_DEADLINE_PASSED", 0), Exit::PartlyDone);
        assert_eq!(ended(OperationState::Cancelled, "", 0), Exit::Cancelled);
    }
}
