//! How a refused or failed call of the engine looks.

use sampan_core::OperationId;

/// Failure of one call of the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] sampan_state::Error),
    /// No saga of that kind is registered in this process.
    #[error("no operations of kind {0} are served here")]
    UnknownKind(String),
    /// The operation cannot be tried again.
    #[error("{id} cannot be tried again: {why}")]
    NotRetryable {
        /// The operation.
        id: OperationId,
        /// Why, as a phrase.
        why: &'static str,
    },
}
