//! Operations that work for another one: the same change for a copy in its own lane, or the taking back of a change.
//!
//! They are admitted like every other: with their own unit, lock, intent and place in the waiting list. Their request
//! ids come from the operation that starts them, so that a crash between start and commit starts nothing twice.

use sampan_core::{OperationId, RequestId};
use sampan_ops::{Engine, Error, StartRequest, StepError};
use sampan_state::operation::Operation;
use sampan_state::{Admitted, Json, ListQuery, OnSpent};
use sha2::{Digest, Sha256};

use super::KIND;
use crate::spec::{Follows, ShareSpec};

const PAGE: u32 = 200;

/// A start for another operation.
#[derive(Debug)]
pub(super) struct Task {
    /// What it is, unique within the operation that starts it.
    pub(super) key: String,
    /// The change.
    pub(super) spec: ShareSpec,
    /// Whether it takes back what that operation did.
    pub(super) takes_back: bool,
    /// Mutating calls that it surely does not exceed.
    pub(super) units: u32,
}

/// Starts a task of `parent`; the same key starts it once.
pub(super) async fn start(engine: &Engine, parent: &Operation, task: Task) -> Result<Operation, Error> {
    let Task { key, spec, takes_back, units } = task;
    let spec = ShareSpec { follows: Some(Follows { operation: parent.id, takes_back }), ..spec };
    let start = StartRequest {
        kind: KIND,
        lane: spec.lane(),
        caller: parent.caller.clone(),
        labels: parent.labels.clone(),
        request_id: request_id(parent.id, &key),
        request: Json::of(&spec).map_err(|error| Error::Store(sampan_state::Error::Invalid(error.to_string())))?,
        units,
        // What is taken back is taken back tomorrow rather than never.
        on_spent: if takes_back { OnSpent::Queue } else { spec.on_spent() },
    };
    let (Admitted::New(operation) | Admitted::Existing(operation)) = engine.start(start).await?;
    Ok(operation)
}

/// Returns the operations that `parent` has started, oldest first: also those whose start it did not live to note.
pub(super) async fn of(engine: &Engine, parent: &Operation) -> Result<Vec<(Operation, ShareSpec)>, Error> {
    let mut query = ListQuery {
        kinds: vec![KIND.to_owned()],
        cloud: Some(parent.lane.cloud),
        account: Some(parent.lane.account.to_string()),
        page_size: PAGE,
        ..ListQuery::default()
    };
    let mut children = Vec::new();
    loop {
        let page = engine.list(&query).await?;
        let is_older = page.operations.last().is_none_or(|last| last.id < parent.id);
        query.before = page.operations.last().map(|last| last.id);
        children.extend(page.operations.into_iter().filter_map(|operation| {
            let spec: ShareSpec = operation.request.read().ok()?;
            spec.follows.is_some_and(|follows| follows.operation == parent.id).then_some((operation, spec))
        }));
        if is_older || !page.more {
            children.reverse();
            return Ok(children);
        }
    }
}

/// Tells a failed look at another operation to the engine, in its words.
pub(super) fn told(error: Error) -> StepError {
    match error {
        // The engine takes these for its own operation's record, and would let go of it.
        Error::Store(error @ (sampan_state::Error::NotFound(_) | sampan_state::Error::Ended(_))) => {
            StepError::Record(error.to_string())
        }
        Error::Store(error) => StepError::Store(error),
        Error::UnknownKind(_) | Error::NotRetryable { .. } => StepError::Record(error.to_string()),
    }
}

fn request_id(parent: OperationId, key: &str) -> Option<RequestId> {
    let mut hash = Sha256::new();
    hash.update(parent.uuid().as_bytes());
    hash.update(key.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_task_of_the_same_operation_has_one_request_id() {
        let parent = OperationId::generate("2026-11-21T04:00:00Z".parse().unwrap());
        let other = OperationId::generate("2026-11-21T04:00:01Z".parse().unwrap());
        assert!(request_id(parent, "a").is_some());
        assert_eq!(request_id(parent, "a"), request_id(parent, "a"));
        assert_ne!(request_id(parent, "a"), request_id(parent, "b"));
        assert_ne!(request_id(parent, "a"), request_id(other, "a"));
    }
}
