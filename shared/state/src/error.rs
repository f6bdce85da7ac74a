//! How a refused or failed store call looks.

use jiff::Timestamp;
use sampan_core::{Lane, OperationId, RequestId};

use crate::operation::Operation;
use crate::quota::QuotaPicture;

/// Failure of one store call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store cannot be reached, does not answer, or cannot write; whether the call took effect is not known,
    /// and the same call can be repeated.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A record cannot be read.
    #[error("the store holds an unreadable record {key}: {message}")]
    Corrupt {
        /// Key of the record.
        key: String,
        /// What the reader says.
        message: String,
    },
    /// A record was written by a newer version.
    #[error("record {key} has version {found}, this program reads up to {known}")]
    TooNew {
        /// Key of the record.
        key: String,
        /// Version of the record.
        found: u32,
        /// Newest version that is understood.
        known: u32,
    },
    /// No such operation.
    #[error("{0} does not exist")]
    NotFound(OperationId),
    /// The operation has ended; nothing changes any more.
    #[error("{} has ended", .0.id)]
    Ended(Box<Operation>),
    /// The request id belongs to an operation with another request.
    #[error("request id {request_id} belongs to {} with another request", existing.id)]
    RequestIdReused {
        /// The request id.
        request_id: RequestId,
        /// The operation that was started with it.
        existing: Box<Operation>,
    },
    /// The day's units of the lane do not suffice, and the caller did not ask to queue.
    #[error("the image operations of {} in {} are used up until {}", .0.day, .0.lane, .0.resets_at)]
    QuotaSpent(Box<QuotaPicture>),
    /// Somebody else holds the lane.
    #[error("{lane} is held until {until} at the latest")]
    LaneHeld {
        /// The lane.
        lane: Lane,
        /// When the lease runs out unless it is renewed.
        until: Timestamp,
    },
    /// The call breaks the contract of its method, such as a commit that ends an operation in a state that is not
    /// final; nothing changed.
    #[error("the store was called wrongly: {0}")]
    Invalid(String),
    /// The lease of the writer is no longer the newest: the write was refused and changed nothing.
    #[error("the lease on {0} was lost")]
    LeaseLost(String),
}

impl Error {
    /// Returns whether repeating the same call can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::LaneHeld { .. })
    }
}
