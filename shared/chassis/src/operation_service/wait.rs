//! Waits for the end of an operation, and follows its revisions.

use std::time::Duration;

use futures::{Stream, stream};
use sampan_core::{OperationId, Reason};
use sampan_proto::operation::v1 as pb;
use sampan_state::operation::Operation;
use tokio::time::{Instant, timeout_at};
use tonic::Status;

use super::OperationApi;
use crate::convert;
use crate::layers::CallDeadline;
use crate::status::Problem;

const LONGEST: Duration = Duration::from_secs(10 * 60);
// Left of the call's own time for the answer: a wait that runs out is an answer, not an error.
const FOR_THE_ANSWER: Duration = Duration::from_millis(200);

/// Returns when a wait ends at the latest.
pub(super) fn until(asked: Option<prost_types::Duration>, deadline: Option<CallDeadline>) -> Result<Instant, Problem> {
    let now = Instant::now();
    let asked = match asked {
        None => LONGEST,
        Some(asked) => Duration::try_from(asked)
            .ok()
            .filter(|length| *length <= LONGEST)
            .ok_or_else(|| Problem::field(Reason::NumberOutOfRange, "timeout", "a wait lasts from 0 to 600 seconds"))?,
    };
    let own = deadline.map(|CallDeadline(deadline)| {
        let left = deadline.saturating_duration_since(now);
        now + left.saturating_sub(FOR_THE_ANSWER.min(left / 4))
    });
    let end = now + asked;
    Ok(own.map_or(end, |own| own.min(end)))
}

/// Returns the operation when it has ended, or as it is at `until`.
pub(super) async fn for_end(api: &OperationApi, id: OperationId, until: Instant) -> Result<Operation, Problem> {
    let mut record = api.read(id).await?;
    while !record.state.is_final() {
        match timeout_at(until, api.store.changed(id, record.revision)).await {
            Ok(newer) => record = newer.map_err(|error| api.problem(error))?,
            Err(_) => break,
        }
    }
    Ok(record)
}

enum Follow {
    /// What was read when the watch began, and the revision that the reader has seen.
    Begin {
        now: Box<Operation>,
        seen: u64,
    },
    /// The last revision that was sent.
    After(OperationId, u64),
    End,
}

/// Sends what is newer than `seen`, the final state in any case, and ends with it.
///
/// Nothing is read ahead: while the reader is slow the store moves on, and the next poll gets the newest record.
pub(super) fn revisions(
    api: OperationApi,
    now: Operation,
    seen: u64,
) -> impl Stream<Item = Result<pb::WatchOperationResponse, Status>> + Send {
    stream::unfold(Follow::Begin { now: Box::new(now), seen }, move |follow| {
        let api = api.clone();
        async move {
            let record = match follow {
                Follow::Begin { now, seen } if now.revision > seen || now.state.is_final() => Ok(*now),
                Follow::Begin { now, seen } => api.store.changed(now.id, seen).await,
                Follow::After(id, sent) => api.store.changed(id, sent).await,
                Follow::End => return None,
            };
            Some(match record {
                Ok(record) => {
                    let next =
                        if record.state.is_final() { Follow::End } else { Follow::After(record.id, record.revision) };
                    (Ok(pb::WatchOperationResponse { operation: Some(convert::operation(&record)) }), next)
                }
                Err(error) => (Err(api.problem(error).into()), Follow::End),
            })
        }
    })
}
