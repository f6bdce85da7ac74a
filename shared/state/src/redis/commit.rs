//! Decides how a worker's write, a cancel and a reopening are put to scripts.

use sampan_core::OperationId;
use uuid::Uuid;

use super::Inner;
use super::call::Call;
use super::keys::Shard;
use super::operations::{due_us, ttl_us};
use super::quota::{limit_of, offset_of, read_picture};
use super::record::{state_word, write_record};
use super::reply::Reply;
use super::scripts::{CANCEL, COMMIT, REOPEN};
use crate::error::Error;
use crate::lease::WorkLease;
use crate::operation::{CancelRequest, Operation, RECORD_VERSION};
use crate::operations::{Commit, Next, UnitsChange};
use crate::record::{instant, too_new};

/// Returns a word by which a repeated call is known.
pub(super) fn token() -> String {
    Uuid::new_v4().simple().to_string()
}

fn refusal(word: &str, reply: &mut Reply, id: OperationId) -> Error {
    match word {
        "missing" => Error::NotFound(id),
        "too_new" => reply.count().map_or_else(|problem| problem, |found| too_new(&id.name(), found)),
        "lost" => Error::LeaseLost(id.name()),
        _ => reply.odd(),
    }
}

fn check(lease: &WorkLease, commit: &Commit) -> Result<(), Error> {
    let Commit { operation, next, units, rule, lane } = commit;
    if operation.id != lease.operation {
        return Err(Error::Invalid(format!("the lease is for {}, the record is of {}", lease.operation, operation.id)));
    }
    if (*next == Next::Ended) != operation.state.is_final() {
        return Err(Error::Invalid(format!("{next:?} does not go with the state {:?}", operation.state)));
    }
    if *units != UnitsChange::Leave && rule.is_none() {
        return Err(Error::Invalid("a change of units needs the rule of the lane".to_owned()));
    }
    if let Some(lane) = lane.as_ref().map(|lease| &lease.lane)
        && *lane != operation.lane
    {
        // Its fence may lie on another node, where it cannot be checked in the same step.
        return Err(Error::Invalid(format!("the lane lease is of {lane}, the operation of {}", operation.lane)));
    }
    Ok(())
}

impl Inner {
    pub(super) async fn commit(
        &self,
        lease: &WorkLease,
        commit: Commit,
    ) -> Result<(Operation, Option<WorkLease>), Error> {
        check(lease, &commit)?;
        let Commit { operation, next, units, rule, lane } = commit;
        let id = lease.operation;
        let shard = self.shard_of(id).await?;
        let (verb, value, at_latest) = match &next {
            Next::Keep(ttl) => ("keep", ttl_us(*ttl), None),
            Next::DueAt(at) => ("due", due_us(*at), None),
            Next::InLine { since, at_latest } => ("line", due_us(*since), at_latest.map(due_us)),
            Next::Ended => ("end", 0, None),
        };
        let call = Call::new(&COMMIT, shard)
            .number(id)
            .arg(&lease.owner)
            .number(lease.fence)
            .arg(token())
            .written(|bytes| write_record(&operation, bytes))?
            .arg(state_word(operation.state))
            .flag(operation.journal.cancel_too_late)
            .flag(operation.journal.intent.is_some())
            .arg(verb)
            .number(value)
            .arg(match units {
                UnitsChange::Leave => "leave",
                UnitsChange::Commit => "commit",
                UnitsChange::Release => "release",
                UnitsChange::SpentElsewhere { requeue: false } => "spent",
                UnitsChange::SpentElsewhere { requeue: true } => "requeue",
            })
            .arg(rule.as_ref().map(limit_of).unwrap_or_default())
            .number(rule.as_ref().map_or(0, offset_of))
            .number(operation.units)
            .maybe(lane.as_ref().map(|lease| &lease.lane))
            .arg(lane.as_ref().map(|lease| lease.owner.as_str()).unwrap_or_default())
            .number(lane.as_ref().map_or(0, |lease| lease.fence))
            .number(RECORD_VERSION)
            .arg(at_latest.map(|at| at.to_string()).unwrap_or_default());
        let mut reply = self.run(call).await?;
        match (reply.text()?.as_str(), rule) {
            ("ok", _) => {
                let found = reply.found()?;
                let expires = found.entry.get("exp").and_then(|micros| micros.parse().ok()).map(instant);
                let kept = match next {
                    Next::Keep(_) => expires.map(|expires| WorkLease { expires, ..lease.clone() }),
                    Next::DueAt(_) | Next::InLine { .. } | Next::Ended => None,
                };
                Ok((found.written(operation)?, kept))
            }
            ("spent", Some(rule)) => {
                Err(Error::QuotaSpent(Box::new(read_picture(reply.list()?, &operation.lane, &rule)?)))
            }
            ("lane_lost", _) => Err(Error::LeaseLost(operation.lane.to_string())),
            (word, _) => Err(refusal(word, &mut reply, id)),
        }
    }

    pub(super) async fn cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error> {
        let shard = self.shard_of(id).await?;
        let call = Call::new(&CANCEL, shard).number(id).arg(token()).arg(&request.by).flag(request.remove_result);
        let mut reply = self.run(call).await?;
        match reply.text()?.as_str() {
            "ok" => reply.found()?.operation(),
            "ended" => Err(Error::Ended(Box::new(reply.found()?.operation()?))),
            word => Err(refusal(word, &mut reply, id)),
        }
    }

    pub(super) async fn reopen(&self, change: Operation) -> Result<Operation, Error> {
        let id = change.id;
        let shard = self.shard_of(id).await?;
        let revision = change.revision;
        let change = Operation { finished: None, cancel: None, ..change };
        let call = Call::new(&REOPEN, shard)
            .number(id)
            .arg(token())
            .number(revision)
            .written(|bytes| write_record(&change, bytes))?
            .flag(change.journal.intent.is_some())
            .number(RECORD_VERSION);
        let mut reply = self.run(call).await?;
        match reply.text()?.as_str() {
            "ok" => reply.found()?.written(change),
            word => Err(refusal(word, &mut reply, id)),
        }
    }

    /// Gives back a claim whose record cannot be read here, to be tried again in a minute.
    pub(super) async fn postpone(&self, shard: Shard, id: OperationId, owner: &str, fence: u64) -> Result<(), Error> {
        let call = Call::new(&super::scripts::POSTPONE, shard).number(id).arg(owner).number(fence);
        self.run(call).await.map(drop)
    }
}
