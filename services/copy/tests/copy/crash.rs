//! The checks that every saga has to pass: over both clouds, by snapshots, and for all or nothing.

use std::sync::Arc;
use std::time::Duration;

use sampan_copy_service::spec::{CopySpec, FailurePolicy, Route};
use sampan_core::Cloud;
use sampan_core::clock::ManualClock;
use sampan_ops::LaneRules;
use sampan_ops::crash_checks::{CheckWorld, Scenario, crash_at_each_step, fail_at_each_step, repeat_each_step};
use sampan_state::embedded::Embedded;
use sampan_state::operation::Operation;

use crate::cloud::FakeCloud;
use crate::peers::Neighbours;
use crate::world::{NOON, limits, result, saga, spec, start_of};

#[derive(Debug)]
struct Fakes {
    cloud: Arc<FakeCloud>,
    peers: Neighbours,
    all_or_nothing: bool,
}

async fn world(cloud: Cloud, change: fn(&mut CopySpec)) -> CheckWorld<Fakes> {
    let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
    let fake = FakeCloud::new(cloud, clock.clone());
    fake.script().takes = Duration::from_secs(120);
    let peers = Neighbours::new();
    let mut spec = spec(cloud);
    spec.share_with = vec!["100000000002".to_owned()];
    change(&mut spec);
    let all_or_nothing = spec.failure_policy == FailurePolicy::AllOrNothing;
    CheckWorld {
        store: Embedded::in_memory(clock.clone()).unwrap(),
        clock,
        rules: LaneRules::new(limits()),
        saga: saga(&fake, &peers),
        start: start_of(&spec),
        fakes: Fakes { cloud: fake, peers, all_or_nothing },
    }
}

fn judge(fakes: &Fakes, ended: &Operation, scenario: Scenario) -> Result<(), String> {
    let copies = fakes.cloud.copies();
    let shares = fakes.peers.script().shares.len();
    if let Scenario::Failed(step) = scenario {
        return match (fakes.all_or_nothing, copies) {
            (true, 0) => Ok(()),
            (true, left) => Err(format!("{left} copies stay after step {step} failed")),
            (false, most) if most <= 3 => Ok(()),
            (false, many) => Err(format!("{many} copies of 3")),
        };
    }
    if (copies, shares) != (3, 3) {
        return Err(format!("{copies} copies and {shares} shares, not 3 of each"));
    }
    let images = result(ended).images.len();
    if images == 3 { Ok(()) } else { Err(format!("{images} images in the result, not 3")) }
}

/// Scenarios: undisturbed and each step; two per step; three per step.
const PASSED: (usize, usize, usize) = (6, 10, 15);

async fn passed(cloud: Cloud, change: fn(&mut CopySpec)) -> Result<(usize, usize, usize), String> {
    let factory = async || world(cloud, change).await;
    Ok((
        repeat_each_step(factory, judge).await?,
        fail_at_each_step(factory, judge).await?,
        crash_at_each_step(factory, judge).await?,
    ))
}

#[tokio::test]
async fn no_repetition_failure_or_crash_copies_or_shares_twice_where_one_call_serves_all() {
    assert_eq!(passed(Cloud::Tencent, |_| {}).await, Ok(PASSED));
}

#[tokio::test]
async fn no_repetition_failure_or_crash_copies_or_shares_twice_where_each_region_has_its_call() {
    assert_eq!(passed(Cloud::Alibaba, |_| {}).await, Ok(PASSED));
}

#[tokio::test]
async fn no_repetition_failure_or_crash_copies_or_shares_twice_on_the_way_by_snapshots() {
    assert_eq!(passed(Cloud::Alibaba, |spec| spec.route = Some(Route::Snapshots)).await, Ok(PASSED));
}

#[tokio::test]
async fn a_failure_of_any_step_before_the_end_leaves_nothing_where_all_or_nothing_was_asked_for() {
    for cloud in Cloud::ALL {
        let all = |spec: &mut CopySpec| spec.failure_policy = FailurePolicy::AllOrNothing;
        assert_eq!(passed(cloud, all).await, Ok(PASSED), "{cloud}");
    }
}
