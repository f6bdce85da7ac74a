//! Facts of the Redis backend: the conformance suite, and what no other backend has.

mod cluster;
mod conformance;
mod failing;
mod lost;
mod opening;
mod proxy;
mod racing;
mod sentinel;
mod server;
mod tls;
mod trips;
mod unreadable;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use sampan_core::clock::{Clock, SystemClock};
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};

use super::{OpenError, Redis, Time};
use crate::conformance::record;
use crate::operation::{Operation, State};
use crate::operations::{Commit, Next, UnitsChange};
use crate::{Admission, Admitted, Claim, Error, NewOperation, OnSpent, Operations, QuotaRequest};

const TTL: Duration = Duration::from_secs(60);
const OWNER: &str = "worker-1";
/// Longer than any wait that ends by an event.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens a store that follows Redis's clock.
async fn open(url: &str) -> Arc<Redis> {
    open_with(url, Time::Server).await
}

/// Opens a store; on a machine that is busy with many servers at once, tries again for a while.
async fn open_with(url: &str, time: Time) -> Arc<Redis> {
    let begun = tokio::time::Instant::now();
    loop {
        match Redis::open(&url.parse().unwrap(), time.clone()).await {
            Err(OpenError::Unreachable { .. }) if begun.elapsed() < PATIENCE => {}
            opened => return opened.unwrap(),
        }
    }
}

fn lane(number: u32) -> Lane {
    Lane {
        cloud: sampan_core::Cloud::Tencent,
        account: "prod-cn".parse().unwrap(),
        region: format!("ap-region-{number}").parse().unwrap(),
    }
}

/// Returns a rule whose day began about twelve hours ago, so no test meets a midnight.
fn rule(units: u32) -> QuotaRule {
    let utc = SystemClock.now().to_zoned(TimeZone::UTC);
    let minutes = i16::from(utc.hour()) * 60 + i16::from(utc.minute());
    QuotaRule { daily_units: Some(units), utc_offset_minutes: 12 * 60 - minutes }
}

fn new_record(lane: &Lane) -> Operation {
    let now = SystemClock.now();
    record(OperationId::generate(now), lane, now)
}

/// Returns a start of one unit on a lane with five a day.
fn start(lane: &Lane, on_spent: OnSpent) -> NewOperation {
    let quota = QuotaRequest { units: 1, rule: rule(5), on_spent };
    NewOperation { operation: new_record(lane), quota: Some(quota), first_due: None }
}

/// Returns a start that needs no unit.
fn free_start(lane: &Lane) -> NewOperation {
    NewOperation { operation: new_record(lane), quota: None, first_due: None }
}

async fn admit(store: &Redis, start: NewOperation) -> Result<Operation, Error> {
    match store.admit(start).await? {
        Admitted::New(operation) | Admitted::Existing(operation) => Ok(operation),
    }
}

async fn claim(store: &Redis, limit: u32) -> Vec<Claim> {
    store.claim(&["export".to_owned()], OWNER, limit, TTL).await.unwrap()
}

fn write(operation: Operation, next: Next) -> Commit {
    Commit { operation, next, units: UnitsChange::Leave, rule: None, lane: None }
}

fn ending(mut operation: Operation) -> Commit {
    operation.state = State::Succeeded;
    write(operation, Next::Ended)
}

/// Leaves the test where there is no server to test with.
macro_rules! need_redis {
    () => {
        if !$crate::redis::tests::server::is_there() {
            return;
        }
    };
}
use need_redis;
