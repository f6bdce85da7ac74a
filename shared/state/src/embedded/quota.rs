//! Decides what the calls of the quota ledger change in rows and records.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};

use super::Embedded;
use super::batch::Batch;
use super::ledger::{self, Asker};
use super::record::{self, Entry};
use super::rows::Halt;
use super::shown;
use crate::error::Error;
use crate::operation::QuotaHold;
use crate::quota::{QuotaLedger, QuotaPicture, Turn, check_spending};

#[async_trait]
impl QuotaLedger for Embedded {
    async fn take_turn(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId, units: u32) -> Result<Turn, Error> {
        let (lane, rule) = (lane.clone(), rule.clone());
        self.decide(move |batch, now| {
            if units == 0 {
                return Err(Error::Invalid("a turn is for 1 unit or more".to_owned()).into());
            }
            let entry = Entry::load(batch, holder)?;
            if entry.due_us.is_none() {
                return Err(Error::Ended(Box::new(record::load(batch, holder)?)).into());
            }
            let asker = Asker { id: holder, sequence: entry.sequence, units };
            let turn = ledger::turn(batch, &lane, &rule, asker, now)?;
            let kept = match ledger::load_hold(batch, &lane, holder)? {
                Some(hold) => shown::hold(hold),
                None => ledger::kept_turn(&turn, units),
            };
            note(batch, &lane, &entry, holder, Some(kept), now)?;
            if matches!(turn, Turn::Waiting { .. }) {
                ledger::wake_waiters(batch, &lane, &rule, now)?;
            }
            Ok(turn)
        })
        .await
    }

    async fn commit_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<Date, Error> {
        let (lane, rule) = (lane.clone(), rule.clone());
        self.decide(move |batch, now| {
            let entry = Entry::load(batch, holder)?;
            let hold = ledger::commit_hold(batch, &lane, &rule, holder, now)?;
            note(batch, &lane, &entry, holder, Some(shown::hold(hold)), now)?;
            Ok(hold.day)
        })
        .await
    }

    async fn release_units(&self, lane: &Lane, rule: &QuotaRule, holder: OperationId) -> Result<(), Error> {
        let (lane, rule) = (lane.clone(), rule.clone());
        self.decide(move |batch, now| {
            let entry = match Entry::load(batch, holder) {
                Err(Halt::Refused(Error::NotFound(_))) => return Ok(()),
                loaded => loaded?,
            };
            let left = ledger::give_back(batch, &lane, holder, entry.sequence)?;
            if left.is_some() {
                note(batch, &lane, &entry, holder, left, now)?;
                ledger::wake_waiters(batch, &lane, &rule, now)?;
            }
            Ok(())
        })
        .await
    }

    async fn spend_units(&self, lane: &Lane, rule: &QuotaRule, key: &str, units: u32) -> Result<Date, Error> {
        check_spending(key, units)?;
        let (lane, rule, key) = (lane.clone(), rule.clone(), key.to_owned());
        self.decide(move |batch, now| {
            let day = ledger::spend(batch, &lane, &rule, (&key, units), now)?;
            ledger::wake_waiters(batch, &lane, &rule, now)?;
            Ok(day)
        })
        .await
    }

    async fn mark_spent(&self, lane: &Lane, rule: &QuotaRule) -> Result<(), Error> {
        let (lane, rule) = (lane.clone(), rule.clone());
        self.decide(move |batch, now| {
            ledger::mark_spent(batch, &lane, &rule, now)?;
            ledger::wake_waiters(batch, &lane, &rule, now)
        })
        .await
    }

    async fn quota(&self, lane: &Lane, rule: &QuotaRule) -> Result<QuotaPicture, Error> {
        let now = self.core.now();
        self.core.read(|rows| shown::picture(rows, lane, rule, now))
    }
}

/// Writes into the record how it stands with the quota, if that changed and the lane is the operation's own.
fn note(
    batch: &mut Batch<'_>,
    lane: &Lane,
    entry: &Entry,
    id: OperationId,
    quota: Option<QuotaHold>,
    now: Timestamp,
) -> Result<(), Halt> {
    let Some(quota) = quota.filter(|_| entry.lane == *lane) else { return Ok(()) };
    let mut operation = record::load(batch, id)?;
    if operation.quota != quota {
        operation.quota = quota;
        record::save_change(batch, &mut operation, now)?;
    }
    Ok(())
}
