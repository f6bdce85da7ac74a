//! Decides how the calls of the lane locks are put to scripts.

use std::time::Duration;

use async_trait::async_trait;
use sampan_core::Lane;

use super::Redis;
use super::call::Call;
use super::keys::Shard;
use super::operations::ttl_us;
use super::scripts::{LOCK_LANE, RENEW_LANE, UNLOCK_LANE};
use crate::error::Error;
use crate::lease::{LaneLease, LaneLocks};
use crate::record::instant;

#[async_trait]
impl LaneLocks for Redis {
    async fn lock_lane(&self, lane: &Lane, owner: &str, ttl: Duration) -> Result<LaneLease, Error> {
        let call = Call::new(&LOCK_LANE, Shard::of_lane(lane)).number(lane).arg(owner).number(ttl_us(ttl));
        let mut reply = self.inner.run(call).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(LaneLease {
                lane: lane.clone(),
                owner: owner.to_owned(),
                fence: u64::try_from(reply.number()?).map_err(|_| reply.odd())?,
                expires: instant(reply.number()?),
            }),
            "held" => Err(Error::LaneHeld { lane: lane.clone(), until: instant(reply.number()?) }),
            _ => Err(reply.odd()),
        }
    }

    async fn renew_lane(&self, lease: &LaneLease, ttl: Duration) -> Result<LaneLease, Error> {
        let LaneLease { lane, owner, fence, .. } = lease;
        let call = Call::new(&RENEW_LANE, Shard::of_lane(lane)).number(lane).arg(owner).number(fence);
        let mut reply = self.inner.run(call.number(ttl_us(ttl))).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(LaneLease { expires: instant(reply.number()?), ..lease.clone() }),
            _ => Err(Error::LeaseLost(lane.to_string())),
        }
    }

    async fn unlock_lane(&self, lease: &LaneLease) -> Result<(), Error> {
        let LaneLease { lane, owner, fence, .. } = lease;
        let call = Call::new(&UNLOCK_LANE, Shard::of_lane(lane)).number(lane).arg(owner).number(fence);
        self.inner.run(call).await.map(drop)
    }
}
