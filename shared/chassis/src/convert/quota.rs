//! Translates a lane's quota.

use sampan_core::quota_day::QuotaRule;
use sampan_proto::quota::v1 as pb;
use sampan_state::quota::{QuotaPicture, Waiter};

use super::image;
use super::time::timestamp;

/// Returns the message of a lane's quota; `rule` is the one that the picture was taken under.
pub fn quota(picture: &QuotaPicture, rule: &QuotaRule) -> pb::Quota {
    pb::Quota {
        cloud: image::cloud(picture.lane.cloud).into(),
        account: picture.lane.account.to_string(),
        region: picture.lane.region.to_string(),
        daily_limit: picture.limit,
        used: picture.committed,
        reserved: picture.reserved,
        spent_elsewhere: picture.spent_elsewhere,
        remaining: picture.remaining(),
        day: picture.day.to_string(),
        time_zone: rule.zone_name(),
        reset_time: Some(timestamp(picture.resets_at)),
        waiting_count: picture.waiting_count,
        waiting: picture.waiting.iter().map(waiter).collect(),
    }
}

fn waiter(waiter: &Waiter) -> pb::WaitingOperation {
    pb::WaitingOperation {
        operation_name: waiter.operation.name(),
        // Records count places from 0, people from 1.
        position: waiter.position.saturating_add(1),
        earliest_start_time: Some(timestamp(waiter.earliest_start)),
    }
}
