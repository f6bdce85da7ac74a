//! Decides what becomes of a start.

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::OperationId;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::ledger::{self, Asker};
use super::record::{self, Entry};
use super::rows::{Halt, Rows, read_json};
use super::shown;
use super::{Embedded, keys};
use crate::admission::{Admission, Admitted, NewOperation, OnSpent, QuotaRequest};
use crate::error::Error;
use crate::operation::{Operation, QuotaHold, RECORD_VERSION, State};
use crate::quota::Turn;

/// The operation that a request started.
#[derive(Debug, Serialize, Deserialize)]
struct Started {
    operation: OperationId,
    digest: String,
}

#[async_trait]
impl Admission for Embedded {
    async fn admit(&self, start: NewOperation) -> Result<Admitted, Error> {
        self.decide(move |batch, now| admit(batch, start, now)).await
    }
}

fn admit(batch: &mut Batch<'_>, start: NewOperation, now: Timestamp) -> Result<Admitted, Halt> {
    let NewOperation { operation, quota, first_due } = start;
    if let Some(known) = seen_before(batch, &operation, now)? {
        return Ok(known);
    }
    let sequence = next_sequence(batch)?;
    let id = operation.id;
    let turn = match &quota {
        Some(request) => Some(reserve_or_queue(batch, &operation, sequence, request, now)?),
        None => None,
    };
    let (state, held, due_us) = match (&turn, &quota) {
        (Some(turn), Some(request)) => {
            let state = match turn {
                Turn::Reserved { .. } => State::Running,
                Turn::Waiting { .. } => State::WaitingForQuota,
            };
            (state, ledger::kept_turn(turn, request.units), ledger::due_of_turn(turn, now))
        }
        _ => (State::Running, QuotaHold::None, now.as_microsecond()),
    };
    let due = ledger::later(due_us, first_due);
    let kept = Operation {
        version: RECORD_VERSION,
        state,
        quota: held,
        cancel: None,
        created: now,
        updated: now,
        revision: 1,
        ..operation
    };
    record::save(batch, &kept)?;
    if let Some(request_id) = kept.request_id {
        let started = Started { operation: id, digest: kept.request_digest.clone() };
        batch.put_json(&keys::request(&kept.caller, request_id), &started)?;
    }
    let mut entry = Entry {
        sequence,
        kind: kept.kind.clone(),
        lane: kept.lane.clone(),
        fence: 0,
        due_us: None,
        lease: None,
        wake_us: None,
        not_before_us: first_due.map(record::micros_up),
        in_line: None,
    };
    entry.move_due(batch, id, Some(record::micros_up(due)))?;
    entry.save(batch, id)?;
    Ok(Admitted::New(shown::operation(batch, kept, now)?))
}

/// Finds the operation of a repeated start, by its own id or by its request id.
fn seen_before(batch: &Batch<'_>, new: &Operation, now: Timestamp) -> Result<Option<Admitted>, Halt> {
    if batch.get(&keys::operation(new.id))?.is_some() {
        let known = record::load(batch, new.id)?;
        if known.request_digest != new.request_digest || known.caller != new.caller {
            return Err(Error::Invalid(format!("{} belongs to another start", new.id.name())).into());
        }
        return Ok(Some(Admitted::New(shown::operation(batch, known, now)?)));
    }
    let Some(request_id) = new.request_id else { return Ok(None) };
    let Some(started) = read_json::<Started>(batch, &keys::request(&new.caller, request_id))? else {
        return Ok(None);
    };
    let existing = shown::operation(batch, record::load(batch, started.operation)?, now)?;
    if started.digest == new.request_digest {
        Ok(Some(Admitted::Existing(existing)))
    } else {
        Err(Error::RequestIdReused { request_id, existing: Box::new(existing) }.into())
    }
}

fn next_sequence(batch: &mut Batch<'_>) -> Result<u64, Halt> {
    let next = read_json::<u64>(batch, keys::SEQUENCE)?.unwrap_or(0).saturating_add(1);
    batch.put_json(keys::SEQUENCE, &next)?;
    Ok(next)
}

fn reserve_or_queue(
    batch: &mut Batch<'_>,
    operation: &Operation,
    sequence: u64,
    request: &QuotaRequest,
    now: Timestamp,
) -> Result<Turn, Halt> {
    let QuotaRequest { units, rule, on_spent } = request;
    if *units == 0 {
        return Err(Error::Invalid("an operation that needs quota needs 1 unit or more".to_owned()).into());
    }
    // More than a whole day has would wait for ever, and everybody behind it too.
    if rule.daily_units.is_some_and(|limit| *units > limit) {
        let picture = shown::picture(batch, &operation.lane, rule, now)?;
        return Err(Error::QuotaSpent(Box::new(picture)).into());
    }
    let asker = Asker { id: operation.id, sequence, units: *units };
    match (ledger::turn(batch, &operation.lane, rule, asker, now)?, on_spent) {
        (Turn::Waiting { .. }, OnSpent::Refuse) => {
            // The picture shows the list as it is without the refused one.
            ledger::stop_waiting(batch, &operation.lane, sequence)?;
            let picture = shown::picture(batch, &operation.lane, rule, now)?;
            Err(Error::QuotaSpent(Box::new(picture)).into())
        }
        (turn, OnSpent::Refuse | OnSpent::Queue) => Ok(turn),
    }
}
