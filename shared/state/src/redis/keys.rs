//! Decides which shard a thing lies in, and how the keys begin; `scripts/prelude.lua` names every key after that.
//!
//! A store is cut into [`SHARDS`] shards. All keys of a shard carry one hash tag, `{prefix.7}`, so each lies in one
//! slot of a cluster and a script over it is atomic there too. A lane and everything about it (lease, days, waiting
//! list, its operations, their places in the due queue) lies in one shard, found by the lane's name.

use std::fmt;

use sampan_core::{Lane, RequestId};

/// Shards of a store: enough for as many nodes of a cluster, few enough to look into all of them at once.
pub(super) const SHARDS: u8 = 16;
/// Form of the keys and of what lies in them; a store of another one is refused.
pub(super) const FORMAT: u32 = 2;

/// One shard of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Shard(u8);

impl Shard {
    /// Returns every shard, in order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..SHARDS).map(Self)
    }

    /// Returns the shard of a lane.
    pub(super) fn of_lane(lane: &Lane) -> Self {
        // The parts of its name, as `Display` puts them together.
        let Lane { cloud, account, region } = lane;
        let parts = [cloud.as_str(), "/", account.as_str(), "/", region.as_str()];
        Self::of(&parts.map(str::as_bytes))
    }

    /// Returns the shard of a request's key where that may lie apart from its lane.
    pub(super) fn of_request(caller: &str, id: RequestId) -> Self {
        Self::of(&[caller.as_bytes(), id.uuid().as_bytes()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        // FNV-1a: the same in every version and on every machine.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in parts.iter().copied().flatten() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // The low bits of FNV mix less than the high ones.
        let folded = hash ^ (hash >> 32);
        Self(u8::try_from(folded % u64::from(SHARDS)).unwrap_or(0))
    }
}

/// What every key begins with.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    name: String,
    /// The tag of each shard, in order: every call names some.
    tags: Vec<String>,
    channel: String,
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Prefix {
    pub(super) fn new(name: &str) -> Self {
        let tags = Shard::all().map(|shard| format!("{{{name}.{}}}", shard.0)).collect();
        Self { name: name.to_owned(), tags, channel: format!("{{{name}}}:news") }
    }

    /// Returns the hash tag that all keys of a shard begin with.
    pub(super) fn tag(&self, shard: Shard) -> &str {
        &self.tags[usize::from(shard.0)]
    }

    /// Returns a key of the shard that never exists; `scripts/prelude.lua` says what for.
    pub(super) fn whole(&self, shard: Shard) -> String {
        format!("{}:whole", self.tag(shard))
    }

    /// Returns the shard of a tag.
    pub(super) fn shard_of(&self, tag: &str) -> Option<Shard> {
        Shard::all().find(|shard| self.tag(*shard) == tag)
    }

    /// Returns the key of the hash that says what the store is: `format` and `shards`.
    pub(super) fn about(&self) -> String {
        format!("{{{}}}:about", self.name)
    }

    /// Returns the channel of announcements.
    pub(super) fn channel(&self) -> &str {
        &self.channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(number: u32) -> Lane {
        Lane {
            cloud: sampan_core::Cloud::Alibaba,
            account: "prod-cn".parse().unwrap(),
            region: format!("cn-region-{number}").parse().unwrap(),
        }
    }

    #[test]
    fn a_lane_stays_in_its_shard_for_ever() {
        // A change of these would lose every operation of a store that is in use.
        let shards: Vec<u8> = (0..8).map(|number| Shard::of_lane(&lane(number)).0).collect();
        assert_eq!(shards, FIXED);
    }

    #[test]
    fn lanes_spread_over_the_shards() {
        let mut counts = [0_u32; SHARDS as usize];
        for number in 0..1600 {
            counts[usize::from(Shard::of_lane(&lane(number)).0)] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
    }

    const FIXED: [u8; 8] = [2, 1, 8, 7, 14, 13, 4, 3];
}
