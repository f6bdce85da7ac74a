//! Decides how due operations are claimed: over all shards at once, or on a cluster one shard after the other.

use std::time::Duration;

use futures::future::try_join_all;
use tracing::warn;

use super::Inner;
use super::call::Call;
use super::commit::token;
use super::keys::Shard;
use super::operations::ttl_us;
use super::record::parse_lane;
use super::reply::Found;
use super::scripts::{CLAIM, NEXT_DUE};
use crate::error::Error;
use crate::lease::WorkLease;
use crate::operations::Claim;
use crate::record::instant;

/// Operations of one script at most: a longer one would keep others waiting.
const MOST: u32 = 256;

impl Inner {
    pub(super) async fn claim(
        &self,
        kinds: &[String],
        owner: &str,
        limit: u32,
        ttl: Duration,
    ) -> Result<Vec<Claim>, Error> {
        let mut kinds = kinds.to_vec();
        kinds.sort();
        kinds.dedup();
        let limit = limit.min(MOST);
        let mut claims = Vec::new();
        if limit == 0 || kinds.is_empty() {
            return Ok(claims);
        }
        for shards in self.due_groups(&kinds).await? {
            loop {
                let left = limit.saturating_sub(u32::try_from(claims.len()).unwrap_or(u32::MAX));
                if left == 0 {
                    return Ok(claims);
                }
                let (mut claimed, unreadable) = self.claim_from(shards.clone(), &kinds, owner, left, ttl).await?;
                claims.append(&mut claimed);
                // What could not be read left the front of the queue, so another round gets further.
                if unreadable == 0 {
                    break;
                }
            }
        }
        Ok(claims)
    }

    /// Returns the groups of shards to claim from, longest due first.
    async fn due_groups(&self, kinds: &[String]) -> Result<Vec<Vec<Shard>>, Error> {
        let groups = self.groups();
        if groups.len() <= 1 {
            return Ok(groups);
        }
        let looks = groups.into_iter().map(|shards| async move {
            let (now, due) = self.next_due(shards.clone(), kinds).await?;
            Ok::<_, Error>(due.filter(|due| *due <= now).map(|due| (due, shards)))
        });
        let mut due: Vec<_> = try_join_all(looks).await?.into_iter().flatten().collect();
        due.sort_unstable();
        Ok(due.into_iter().map(|(_, shards)| shards).collect())
    }

    /// Returns the time and the earliest due time in these shards, in microseconds.
    pub(super) async fn next_due(&self, shards: Vec<Shard>, kinds: &[String]) -> Result<(i64, Option<i64>), Error> {
        let mut call = Call::over(&NEXT_DUE, shards);
        for kind in kinds {
            call = call.arg(kind);
        }
        let mut reply = self.run(call).await?;
        Ok((reply.number()?, reply.text()?.parse().ok()))
    }

    async fn claim_from(
        &self,
        shards: Vec<Shard>,
        kinds: &[String],
        owner: &str,
        limit: u32,
        ttl: Duration,
    ) -> Result<(Vec<Claim>, usize), Error> {
        let call = Call::over(&CLAIM, shards).arg(owner).number(limit).number(ttl_us(ttl)).arg(token());
        let mut call = call.repeated_flag();
        for kind in kinds {
            call = call.arg(kind);
        }
        let mut reply = self.run(call).await?;
        let found = reply.list()?.all_found()?;
        for (operation, problem) in reply.list()?.pairs()? {
            warn!(operation, problem, "operation not claimed");
        }
        let (mut claims, mut unreadable) = (Vec::with_capacity(found.len()), 0);
        for found in found {
            match self.read_claim(found, owner).await? {
                Some(claim) => claims.push(claim),
                None => unreadable += 1,
            }
        }
        Ok((claims, unreadable))
    }

    /// Reads a claim; one that cannot be read goes back.
    async fn read_claim(&self, found: Found, owner: &str) -> Result<Option<Claim>, Error> {
        let number = |field: &str| found.entry.get(field).and_then(|text| text.parse::<i64>().ok());
        let fence = number("fence").and_then(|fence| u64::try_from(fence).ok()).unwrap_or(0);
        let expires = instant(number("exp").unwrap_or(0));
        let id = found.id;
        let shard = found.entry.get("lane").and_then(|lane| parse_lane(lane)).map(|lane| Shard::of_lane(&lane));
        match found.operation() {
            Ok(operation) => {
                self.known.remember(id, Shard::of_lane(&operation.lane));
                let lease = WorkLease { operation: id, owner: owner.to_owned(), fence, expires };
                Ok(Some(Claim { operation, lease }))
            }
            Err(problem) => {
                warn!(operation = %id, %problem, "operation not claimed");
                let shard = match shard {
                    Some(shard) => shard,
                    None => self.shard_of(id).await?,
                };
                self.postpone(shard, id, owner, fence).await?;
                Ok(None)
            }
        }
    }
}
