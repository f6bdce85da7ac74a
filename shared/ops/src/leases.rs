//! Keeps the leases of a running step alive, and says when one is lost.

use std::time::Duration;

use sampan_state::lease::{LaneLease, WorkLease};
use sampan_state::{Error, SharedStore};
use tokio::time::Instant;
use tracing::warn;

/// A lease that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The lane: the step must stop, the operation is still ours.
    Lane,
    /// The work: the operation belongs to somebody else.
    Work,
}

/// How long leases live, and how often they are prolonged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseTimes {
    pub(crate) work_ttl: Duration,
    pub(crate) lane_ttl: Duration,
    pub(crate) renew_every: Duration,
}

/// Prolongs both leases until one is lost.
///
/// A store that does not answer is asked again until the lease has run out for sure on this machine's clock.
pub(crate) async fn keep_alive(
    store: &SharedStore,
    mut work: WorkLease,
    mut lane: Option<LaneLease>,
    times: LeaseTimes,
) -> Lost {
    let mut work_renewed = Instant::now();
    let mut lane_renewed = work_renewed;
    loop {
        tokio::time::sleep(times.renew_every).await;
        let asked = Instant::now();
        match answered(times.work_ttl / 3, store.renew(&work, times.work_ttl)).await {
            Ok(renewed) => (work, work_renewed) = (renewed, asked),
            Err(error) if is_lost(&error, work_renewed, times.work_ttl) => return Lost::Work,
            Err(error) => warn!(operation = %work.operation, %error, "work lease not renewed"),
        }
        let Some(held) = &lane else { continue };
        let asked = Instant::now();
        match answered(times.lane_ttl / 3, store.renew_lane(held, times.lane_ttl)).await {
            Ok(renewed) => (lane, lane_renewed) = (Some(renewed), asked),
            Err(error) if is_lost(&error, lane_renewed, times.lane_ttl) => return Lost::Lane,
            Err(error) => warn!(lane = %held.lane, %error, "lane lease not renewed"),
        }
    }
}

async fn answered<T>(within: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let silent = |_| Error::Unavailable("no answer in time".to_owned());
    tokio::time::timeout(within, call).await.map_err(silent).flatten()
}

fn is_lost(error: &Error, renewed: Instant, ttl: Duration) -> bool {
    matches!(error, Error::LeaseLost(_)) || renewed.elapsed() >= ttl
}
