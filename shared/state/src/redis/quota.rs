//! Decides how the calls of the quota ledger are put to scripts, and how pictures are read.

use async_trait::async_trait;
use jiff::civil::Date;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};

use super::Redis;
use super::call::Call;
use super::keys::Shard;
use super::record::day;
use super::reply::Reply;
use super::scripts::{COMMIT_UNITS, MARK_SPENT, QUOTA, RELEASE_UNITS, SPEND_UNITS, Script, TAKE_TURN};
use crate::error::Error;
use crate::quota::{QuotaLedger, QuotaPicture, Turn, Waiter, check_spending};
use crate::record::{instant, too_new};

/// Returns the limit of a rule as scripts take it.
pub(super) fn limit_of(rule: &QuotaRule) -> String {
    rule.daily_units.map(|units| units.to_string()).unwrap_or_default()
}

/// Returns the offset of a rule in minutes; one that no clock has counts as none, as in [`QuotaRule::day`].
pub(super) fn offset_of(rule: &QuotaRule) -> i16 {
    if rule.utc_offset_minutes.unsigned_abs() < 26 * 60 { rule.utc_offset_minutes } else { 0 }
}

/// Reads the picture of a lane.
pub(super) fn read_picture(mut reply: Reply, lane: &Lane, rule: &QuotaRule) -> Result<QuotaPicture, Error> {
    let now = instant(reply.number()?);
    let number = reply.number()?;
    let (committed, reserved) = (reply.count()?, reply.count()?);
    let is_spent = reply.text()? == "1";
    let waiting_count = reply.count()?;
    let mut list = reply.list()?;
    let mut waiting = Vec::new();
    while !list.is_empty() {
        let position = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        waiting.push(Waiter { operation: list.id()?, position, earliest_start: instant(list.number()?) });
    }
    let own = committed.saturating_add(reserved);
    Ok(QuotaPicture {
        lane: lane.clone(),
        day: day(number),
        limit: rule.daily_units,
        committed,
        reserved,
        spent_elsewhere: if is_spent { rule.daily_units.unwrap_or(own).saturating_sub(own) } else { 0 },
        resets_at: rule.resets_at(now),
        waiting,
        waiting_count,
    })
}

fn about_holder(script: &'static Script, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Call {
    let call = Call::new(script, Shard::of_lane(lane)).number(holder).number(lane);
    call.arg(limit_of(rule)).number(offset_of(rule))
}

/// Turns the refusals that the calls for one holder share into errors.
fn refusal(word: &str, reply: &mut Reply, lane: &Lane, holder: OperationId) -> Error {
    let read = || -> Result<Error, Error> {
        Ok(match word {
            "missing" => Error::NotFound(holder),
            "too_new" => too_new(&holder.name(), reply.count()?),
            "other_lane" => {
                let own = reply.text()?;
                Error::Invalid(format!("{} belongs to the lane {own}, not to {lane}", holder.name()))
            }
            "ended" => Error::Ended(Box::new(reply.found()?.operation()?)),
            _ => reply.odd(),
        })
    };
    let mut read = read;
    read().unwrap_or_else(|problem| problem)
}

#[async_trait]
impl QuotaLedger for Redis {
    async fn take_turn(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId, units: u32) -> Result<Turn, Error> {
        if units == 0 {
            return Err(Error::Invalid("a turn is for 1 unit or more".to_owned()));
        }
        let mut reply = self.inner.run(about_holder(&TAKE_TURN, lane, rule, holder).number(units)).await?;
        match reply.text()?.as_str() {
            "reserved" => Ok(Turn::Reserved { day: day(reply.number()?) }),
            "waiting" => Ok(Turn::Waiting { position: reply.count()?, earliest_start: instant(reply.number()?) }),
            word => Err(refusal(word, &mut reply, lane, holder)),
        }
    }

    async fn commit_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<Date, Error> {
        let mut reply = self.inner.run(about_holder(&COMMIT_UNITS, lane, rule, holder)).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(day(reply.number()?)),
            "spent" => Err(Error::QuotaSpent(Box::new(read_picture(reply.list()?, lane, rule)?))),
            word => Err(refusal(word, &mut reply, lane, holder)),
        }
    }

    async fn release_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<(), Error> {
        let mut reply = self.inner.run(about_holder(&RELEASE_UNITS, lane, rule, holder)).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(()),
            word => Err(refusal(word, &mut reply, lane, holder)),
        }
    }

    async fn spend_units(&self, lane: &Lane, rule: &QuotaRule, key: &str, units: u32) -> Result<Date, Error> {
        check_spending(key, units)?;
        let call = Call::new(&SPEND_UNITS, Shard::of_lane(lane)).number(lane);
        let call = call.arg(limit_of(rule)).number(offset_of(rule)).arg(key).number(units);
        let mut reply = self.inner.run(call).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(day(reply.number()?)),
            "spent" => Err(Error::QuotaSpent(Box::new(read_picture(reply.list()?, lane, rule)?))),
            _ => Err(reply.odd()),
        }
    }

    async fn mark_spent(&self, lane: &Lane, rule: &QuotaRule) -> Result<(), Error> {
        let call = Call::new(&MARK_SPENT, Shard::of_lane(lane)).number(lane);
        self.inner.run(call.arg(limit_of(rule)).number(offset_of(rule))).await.map(drop)
    }

    async fn quota(&self, lane: &Lane, rule: &QuotaRule) -> Result<QuotaPicture, Error> {
        let call = Call::new(&QUOTA, Shard::of_lane(lane)).number(lane);
        read_picture(self.inner.run(call.arg(limit_of(rule)).number(offset_of(rule))).await?, lane, rule)
    }
}
