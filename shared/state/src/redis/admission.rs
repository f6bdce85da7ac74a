//! Decides what becomes of a start: one trip; on a cluster three when it has a request id.
//!
//! A cluster's script stays in its slot, so it sees only requests of its own shard. Whether the request id was used
//! for a lane of another shard is looked up before. Equal requests have one lane, so for them the one script decides;
//! only two different requests of one id that arrive at the same moment may both start.

use async_trait::async_trait;

use super::call::Call;
use super::keys::Shard;
use super::operations::due_us;
use super::quota::{limit_of, offset_of, read_picture};
use super::record::{parse_quota, write_record};
use super::reply::Reply;
use super::scripts::{ADMIT, ASKED, STARTED};
use super::{Inner, Redis};
use crate::admission::{Admission, Admitted, NewOperation, OnSpent};
use crate::error::Error;
use crate::operation::{Operation, RECORD_VERSION, State};
use crate::record::instant;

#[async_trait]
impl Admission for Redis {
    async fn admit(&self, start: NewOperation) -> Result<Admitted, Error> {
        let NewOperation { operation, quota, first_due } = start;
        if quota.as_ref().is_some_and(|request| request.units == 0) {
            return Err(Error::Invalid("an operation that needs quota needs 1 unit or more".to_owned()));
        }
        let operation = Operation { version: RECORD_VERSION, cancel: None, ..operation };
        let shard = Shard::of_lane(&operation.lane);
        let request_shard = match operation.request_id {
            // On a cluster a script stays in its slot, so requests are told apart within their lane's shard.
            Some(id) if !self.inner.link.is_cluster() => Shard::of_request(&operation.caller, id),
            Some(_) | None => shard,
        };
        let known = (operation.request_id.is_some() && self.inner.link.is_cluster()).then_some(&operation);
        if let Some(operation) = known
            && let Some(started) = self.inner.started_elsewhere(operation, shard).await?
        {
            return started;
        }
        let rule = quota.as_ref().map(|request| &request.rule);
        let call = Call::over(&ADMIT, vec![shard, request_shard])
            .number(operation.id)
            .number(&operation.lane)
            .arg(&operation.kind)
            .arg(&operation.caller)
            .maybe(operation.request_id)
            .arg(&operation.request_digest)
            .written(|bytes| write_record(&operation, bytes))?
            .flag(operation.journal.intent.is_some())
            .number(quota.as_ref().map_or(0, |request| request.units))
            .arg(rule.map(limit_of).unwrap_or_default())
            .number(rule.map_or(0, offset_of))
            .arg(match quota.as_ref().map(|request| request.on_spent) {
                Some(OnSpent::Queue) => "queue",
                Some(OnSpent::Refuse) | None => "refuse",
            })
            .maybe(first_due.map(due_us))
            .number(RECORD_VERSION);
        let mut reply = self.inner.run(call).await?;
        match (reply.text()?.as_str(), quota, operation.request_id) {
            (word @ ("fresh" | "new"), ..) => {
                let admitted = match word {
                    "fresh" => fresh(operation, &mut reply)?,
                    _ => reply.found()?.written(operation)?,
                };
                self.inner.known.remember(admitted.id, shard);
                if self.inner.link.is_cluster() {
                    self.inner.hear_of(&admitted, shard, "keep").await?;
                }
                Ok(Admitted::New(admitted))
            }
            ("existing", ..) => Ok(Admitted::Existing(reply.found()?.operation()?)),
            ("reused", _, Some(request_id)) => {
                let existing = Box::new(reply.found()?.operation()?);
                Err(Error::RequestIdReused { request_id, existing })
            }
            ("spent", Some(request), _) => {
                Err(Error::QuotaSpent(Box::new(read_picture(reply.list()?, &operation.lane, &request.rule)?)))
            }
            ("invalid", ..) => Err(Error::Invalid(format!("{} belongs to another start", operation.id.name()))),
            _ => Err(reply.odd()),
        }
    }
}

/// Returns the record of a new operation that runs: the script adds only the time and the word for its units.
fn fresh(operation: Operation, reply: &mut Reply) -> Result<Operation, Error> {
    let now = instant(reply.number()?);
    let quota = parse_quota(&reply.text()?).ok_or_else(|| reply.odd())?;
    Ok(Operation { state: State::Running, quota, created: now, updated: now, revision: 1, ..operation })
}

impl Inner {
    /// Remembers in which shard a request was heard of, or returns the other one that it was heard of in.
    async fn hear_of(&self, operation: &Operation, shard: Shard, mode: &str) -> Result<Option<Shard>, Error> {
        let Some(id) = operation.request_id else { return Ok(None) };
        let call = Call::new(&ASKED, Shard::of_request(&operation.caller, id)).number(id).arg(&operation.caller);
        let tag = self.run(call.arg(self.prefix.tag(shard)).arg(mode)).await?.text()?;
        Ok(self.prefix.shard_of(&tag))
    }

    /// Returns what a request started in another shard than that of its lane now.
    async fn started_elsewhere(
        &self,
        operation: &Operation,
        shard: Shard,
    ) -> Result<Option<Result<Admitted, Error>>, Error> {
        let (Some(request_id), Some(other)) = (operation.request_id, self.hear_of(operation, shard, "look").await?)
        else {
            return Ok(None);
        };
        let call = Call::new(&STARTED, other).number(request_id).arg(&operation.caller);
        let mut reply = self.run(call.arg(&operation.request_digest)).await?;
        match reply.text()?.as_str() {
            "existing" => Ok(Some(Ok(Admitted::Existing(reply.found()?.operation()?)))),
            "reused" => {
                let existing = Box::new(reply.found()?.operation()?);
                Ok(Some(Err(Error::RequestIdReused { request_id, existing })))
            }
            _ => {
                // That start was refused.
                self.hear_of(operation, shard, "take").await?;
                Ok(None)
            }
        }
    }
}
