//! Decides how an operation is put together from the store's entry and the record that its worker wrote.
//!
//! The record is JSON that scripts never look into: what the store owns lies in the entry, and wins when read.

use std::collections::HashMap;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use sampan_core::Lane;

use super::reply::Found;
use crate::error::Error;
use crate::operation::{CancelRequest, Operation, QuotaHold, RECORD_VERSION, State, TargetState};
use crate::record::{instant, parse, too_new};

impl Found {
    /// Returns the operation, its record read from what the script returned.
    pub(super) fn operation(self) -> Result<Operation, Error> {
        let fields = Fields { key: self.id.name(), entry: &self.entry };
        fields.check_version()?;
        let record = parse(&fields.key, &self.record)?;
        fields.over(record, &self.quota)
    }

    /// Returns the operation, its record the one that the caller wrote, unless the script returned another.
    pub(super) fn written(self, own: Operation) -> Result<Operation, Error> {
        if self.record.is_empty() {
            Fields { key: self.id.name(), entry: &self.entry }.over(own, &self.quota)
        } else {
            self.operation()
        }
    }
}

/// Writes a record as its worker keeps it.
pub(super) fn write_record(operation: &Operation, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let written = serde_json::to_writer(bytes, operation);
    written.map_err(|problem| Error::Invalid(format!("the record cannot be written: {problem}")))
}

/// Returns the word of a state.
pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::WaitingForQuota => "WAITING_FOR_QUOTA",
        State::Running => "RUNNING",
        State::Cancelling => "CANCELLING",
        State::Succeeded => "SUCCEEDED",
        State::PartiallySucceeded => "PARTIALLY_SUCCEEDED",
        State::Failed => "FAILED",
        State::Cancelled => "CANCELLED",
    }
}

/// Returns the calendar day of a day's number.
pub(super) fn day(number: i64) -> Date {
    date(1970, 1, 1).checked_add(number.days()).unwrap_or(Date::MAX)
}

/// Reads the name of a lane.
pub(super) fn parse_lane(text: &str) -> Option<Lane> {
    let mut parts = text.splitn(3, '/');
    Some(Lane {
        cloud: parts.next()?.parse().ok()?,
        account: parts.next()?.parse().ok()?,
        region: parts.next()?.parse().ok()?,
    })
}

/// The entry of an operation, as texts.
struct Fields<'a> {
    key: String,
    entry: &'a HashMap<String, String>,
}

impl Fields<'_> {
    fn odd(&self, field: &str) -> Error {
        Error::Corrupt { key: self.key.clone(), message: format!("the field {field} of its entry cannot be read") }
    }

    fn find(&self, field: &str) -> Option<&str> {
        self.entry.get(field).map(String::as_str)
    }

    fn text(&self, field: &str) -> Result<&str, Error> {
        self.find(field).ok_or_else(|| self.odd(field))
    }

    fn number(&self, field: &str) -> Result<i64, Error> {
        self.text(field)?.parse().map_err(|_| self.odd(field))
    }

    fn time(&self, field: &str) -> Result<Timestamp, Error> {
        Ok(instant(self.number(field)?))
    }

    fn check_version(&self) -> Result<(), Error> {
        let found = u32::try_from(self.number("v")?).unwrap_or(u32::MAX);
        if found > RECORD_VERSION { Err(too_new(&self.key, found)) } else { Ok(()) }
    }

    fn state(&self) -> Result<State, Error> {
        let word = self.text("st")?;
        State::ALL.into_iter().find(|state| state_word(*state) == word).ok_or_else(|| self.odd("st"))
    }

    fn cancel(&self) -> Result<Option<CancelRequest>, Error> {
        if self.find("can").is_none() {
            return Ok(None);
        }
        let remove_result = self.text("canrm")? == "1";
        Ok(Some(CancelRequest { at: self.time("can")?, by: self.text("canby")?.to_owned(), remove_result }))
    }

    /// Puts what the store owns over a record.
    fn over(&self, record: Operation, quota: &str) -> Result<Operation, Error> {
        let request_id = self.find("rid").map(str::parse).transpose().map_err(|_| self.odd("rid"))?;
        let mut operation = Operation {
            version: RECORD_VERSION,
            kind: self.text("kind")?.to_owned(),
            lane: parse_lane(self.text("lane")?).ok_or_else(|| self.odd("lane"))?,
            caller: self.text("caller")?.to_owned(),
            request_id,
            request_digest: self.text("digest")?.to_owned(),
            state: self.state()?,
            quota: parse_quota(quota).ok_or_else(|| self.odd("q"))?,
            cancel: self.cancel()?,
            created: self.time("made")?,
            updated: self.time("upd")?,
            revision: u64::try_from(self.number("rev")?).map_err(|_| self.odd("rev"))?,
            ..record
        };
        if self.find("fin").is_some() {
            end_cancelled(&mut operation, self.time("fin")?);
        }
        Ok(operation)
    }
}

/// Ends what was cancelled while it waited: no worker did.
fn end_cancelled(operation: &mut Operation, at: Timestamp) {
    operation.finished = Some(at);
    for target in operation.targets.iter_mut().filter(|target| !target.state.is_final()) {
        target.state = TargetState::Cancelled;
        target.finished = Some(at);
    }
}

/// Reads the word of scripts for what a record says of its units.
pub(super) fn parse_quota(word: &str) -> Option<QuotaHold> {
    let parts: Vec<&str> = word.split(':').collect();
    Some(match parts.as_slice() {
        ["n"] => QuotaHold::None,
        ["x"] => QuotaHold::Released,
        ["w"] => QuotaHold::Waiting { position: 0, earliest_start: None },
        ["w", position, earliest] => QuotaHold::Waiting {
            position: position.parse().ok()?,
            earliest_start: Some(instant(earliest.parse().ok()?)),
        },
        ["r", number, units] => QuotaHold::Reserved { day: day(number.parse().ok()?), units: units.parse().ok()? },
        ["c", number, units] => QuotaHold::Committed { day: day(number.parse().ok()?), units: units.parse().ok()? },
        _ => return None,
    })
}
