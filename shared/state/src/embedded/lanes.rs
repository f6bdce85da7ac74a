//! Decides who holds a lane.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::Lane;

use super::Embedded;
use super::batch::Batch;
use super::ledger::LaneRow;
use super::line;
use super::record::{Held, after, instant, micros_up};
use super::rows::{Halt, Rows};
use crate::error::Error;
use crate::lease::{LaneLease, LaneLocks};

#[async_trait]
impl LaneLocks for Embedded {
    async fn lock_lane(&self, lane: &Lane, owner: &str, ttl: Duration) -> Result<LaneLease, Error> {
        let (lane, owner) = (lane.clone(), owner.to_owned());
        self.decide(move |batch, now| {
            let mut row = LaneRow::load(batch, &lane)?;
            if let Some(held) = live(&row, now)
                && held.owner != owner
            {
                return Err(Error::LaneHeld { lane, until: instant(held.expires_us) }.into());
            }
            row.fence = row.fence.saturating_add(1);
            let fence = row.fence;
            let expires = grant(batch, &lane, row, &owner, after(now, ttl))?;
            Ok(LaneLease { lane, owner, fence, expires })
        })
        .await
    }

    async fn renew_lane(&self, lease: &LaneLease, ttl: Duration) -> Result<LaneLease, Error> {
        let lease = lease.clone();
        self.decide(move |batch, now| {
            let row = must_hold(batch, &lease, now)?;
            let expires = grant(batch, &lease.lane, row, &lease.owner, after(now, ttl))?;
            Ok(LaneLease { expires, ..lease })
        })
        .await
    }

    async fn unlock_lane(&self, lease: &LaneLease) -> Result<(), Error> {
        let lease = lease.clone();
        self.decide(move |batch, now| {
            let mut row = LaneRow::load(batch, &lease.lane)?;
            if is_grant(&row, &lease) {
                row.lease = None;
                row.save(batch, &lease.lane)?;
                line::call_next(batch, &lease.lane, now)?;
            }
            Ok(())
        })
        .await
    }
}

pub(super) fn live(row: &LaneRow, now: Timestamp) -> Option<&Held> {
    row.lease.as_ref().filter(|held| now.as_microsecond() < held.expires_us)
}

/// Returns whether the lease is the newest grant of the lane, whether or not it ran out.
fn is_grant(row: &LaneRow, lease: &LaneLease) -> bool {
    row.fence == lease.fence && row.lease.as_ref().is_some_and(|held| held.owner == lease.owner)
}

fn grant(
    batch: &mut Batch<'_>,
    lane: &Lane,
    mut row: LaneRow,
    owner: &str,
    expires: Timestamp,
) -> Result<Timestamp, Halt> {
    row.lease = Some(Held { owner: owner.to_owned(), expires_us: micros_up(expires) });
    row.save(batch, lane)?;
    Ok(expires)
}

/// Returns the lane's row if the lease is live and the newest.
pub(super) fn must_hold(rows: &impl Rows, lease: &LaneLease, now: Timestamp) -> Result<LaneRow, Halt> {
    let row = LaneRow::load(rows, &lease.lane)?;
    if is_grant(&row, lease) && live(&row, now).is_some() {
        Ok(row)
    } else {
        Err(Error::LeaseLost(lease.lane.to_string()).into())
    }
}
