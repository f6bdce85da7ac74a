//! 300 operations on 12 lanes survive kills of every process, restarts of Redis and faults of the clouds.
//!
//! `SAMPAN_CHAOS_SEED` repeats the draws of a run, `SAMPAN_CHAOS_SECONDS` and `SAMPAN_CHAOS_OPERATIONS` make it longer.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use sampan_core::Cloud;
use sampan_proto::operation::v1::{Operation, OperationState};
use sampan_tests_chaos::{Fleet, Job, LANES, Storm, Tally, jobs, prepare_lanes, verdict};
use sampan_tests_e2e::Setup;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Callers that start operations side by side.
const CALLERS: usize = 4;
/// How long none of them may end when the storm is over. However slow the machine is, one after the other does.
const CALM: Duration = Duration::from_secs(150);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn setup() -> Setup {
    Setup {
        // A cloud that tells of no task is given an hour before a call counts as never made: here 18 seconds.
        poll_scale: 0.005,
        // Longer than any call, as in earnest.
        lease_seconds: 3,
        max_attempts: 3,
        attempt_timeout_seconds: 2,
        log: "warn",
        export_takes: Duration::from_millis(600),
        ..Setup::default()
    }
}

/// Starts every job, spread over the time of the storm.
async fn start_all(fleet: &Arc<Fleet>, jobs: &Arc<Vec<Job>>, span: Duration) -> Vec<String> {
    let pause = span / u32::try_from(jobs.len() / CALLERS).unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (fleet, jobs) = (Arc::clone(fleet), Arc::clone(jobs));
        callers.spawn(async move {
            let mut names = Vec::new();
            for (number, job) in jobs.iter().enumerate().skip(caller).step_by(CALLERS) {
                names.push((number, fleet.start_surely(job, number).await));
                tokio::time::sleep(pause).await;
            }
            names
        });
    }
    let mut names: Vec<(usize, String)> = callers.join_all().await.into_iter().flatten().collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name).collect()
}

/// Waits until nothing but the waiting list is left.
async fn at_rest(fleet: &Fleet) -> Vec<Operation> {
    let (mut fewest, mut since) = (usize::MAX, Instant::now());
    loop {
        let operations = fleet.operations().await;
        let is_open = |operation: &&Operation| !operation.done && operation.state() != OperationState::WaitingForQuota;
        let open: Vec<&Operation> = operations.iter().filter(is_open).collect();
        if open.is_empty() {
            return operations;
        }
        if open.len() < fewest {
            (fewest, since) = (open.len(), Instant::now());
        }
        assert!(since.elapsed() < CALM, "{} operations have no end: {:#?}", open.len(), open.first());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Takes the operations that wait for tomorrow out of the line.
async fn cancel_waiting(fleet: &Fleet, operations: &[Operation]) -> usize {
    let waiting = operations.iter().filter(|operation| operation.state() == OperationState::WaitingForQuota);
    let mut count = 0;
    for operation in waiting {
        fleet.api(count).await.cancel(&operation.name, false).await;
        count += 1;
    }
    count
}

/// Checks that Sampan has counted what the clouds have counted; a call of unknown outcome stays counted.
async fn assert_pictures(fleet: &Fleet, survived: &mut Tally) {
    for lane in LANES.iter().filter(|lane| lane.cloud == Cloud::Tencent) {
        let (quota, counted) = (fleet.api(0).await.quota(lane).await, fleet.clouds.counted(lane).await);
        assert!(u64::from(quota.used) >= counted, "{}: {quota:?}, the cloud counts {counted}", lane.region);
        assert_eq!((quota.reserved, quota.waiting_count), (0, 0), "{}", lane.region);
        survived.0.insert(format!("units used in {}, of 5", lane.region), usize::try_from(quota.used).unwrap());
    }
}

fn print(seed: u64, took: Duration, thrown: &Tally, survived: &Tally) {
    println!("\nSAMPAN_CHAOS_SEED={seed}, {} s", took.as_secs());
    println!("| {:<58} | {:>6} |\n|{:-<60}|{:->8}|", "thrown", "times", "", "");
    print!("{thrown}");
    println!("| {:<58} | {:>6} |\n|{:-<60}|{:->8}|", "survived", "count", "", "");
    println!("{survived}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_while_everything_is_killed() {
    let seed = number("SAMPAN_CHAOS_SEED", rand::random::<u32>().into());
    let span = Duration::from_secs(number("SAMPAN_CHAOS_SECONDS", 40));
    let count = usize::try_from(number("SAMPAN_CHAOS_OPERATIONS", 300)).unwrap();
    println!("SAMPAN_CHAOS_SEED={seed} repeats these draws");
    let began = Instant::now();
    let Some(fleet) = Fleet::start(&setup()).await.map(Arc::new) else { return };
    // A fast clock that begins right after midnight: tasks take their time, and no day turns.
    let clock = serde_json::json!({ "next_quota_day": true, "speed": 10.0 });
    fleet.clouds.post("clock", clock).await;
    fleet.clouds.pace(setup().export_takes * 10).await;
    prepare_lanes(&fleet.clouds).await;
    let jobs = Arc::new(jobs(&fleet.clouds, count).await);

    let mut storm = Storm::of(seed);
    let (names, ()) = tokio::join!(start_all(&fleet, &jobs, span * 3 / 4), storm.rage(&fleet, span));
    println!("the storm is over after {} s", began.elapsed().as_secs());
    let waiting = cancel_waiting(&fleet, &at_rest(&fleet).await).await;

    let (operations, held) = (fleet.operations().await, verdict::Held::by(&fleet.clouds).await);
    let mut survived = Tally::default();
    verdict::assert_quota(&held.seen, &mut survived);
    verdict::assert_operations(&jobs, &names, &operations, &held, &storm.tally, &mut survived);
    assert_pictures(&fleet, &mut survived).await;
    print(seed, began.elapsed(), &storm.tally, &survived);
    let cancelled = ["exports", "copies", "shares of copies"].map(|what| survived.of(&format!("{what} CANCELLED")));
    assert_eq!(cancelled.iter().sum::<usize>(), waiting);
}
