//! Looks at running work grow with lanes, not with operations: who claims them asks the cloud for all of a lane at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use sampan_tests_chaos::{Fleet, REPLICAS};
use sampan_tests_e2e::{ALIBABA, Setup, request, spec_of};
use serde_json::json;
use tokio::time::Instant;

/// Exports that run at once in the lane.
const MANY: usize = 30;
/// Distance of two looks at work that is some seconds old, with the scale below.
const EVERY: Duration = Duration::from_millis(1500);
/// Looks at work that is younger than that.
const YOUNG: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_operations_of_a_lane_are_asked_for_together_by_each_replica() {
    let setup = Setup { poll_scale: 0.1, log: "warn", export_takes: Duration::from_secs(20), ..Setup::default() };
    let Some(fleet) = Fleet::start(&setup).await else { return };
    fleet.clouds.limits(&ALIBABA, json!({ "running_exports": MANY })).await;
    let mut names = Vec::new();
    for number in 0..MANY {
        let image = fleet.clouds.add_image(&ALIBABA, &format!("image{number}")).await;
        let api = fleet.api(number).await;
        names.push(api.send(request(spec_of(&ALIBABA, image))).await.expect("admitted").name);
    }
    let api = fleet.api(0).await;
    for name in &names {
        api.until(name, |operation| operation.step == "await_completion").await;
    }
    let last = |seen: &sampan_tests_e2e::Seen| seen.0.last().map_or(0, |line| line.seq);
    let (begun, before) = (Instant::now(), last(&fleet.clouds.audit().await));
    api.ended(&names[0]).await;
    let (took, seen) = (begun.elapsed(), fleet.clouds.audit_after(before).await);
    let calls = seen.of("DescribeTasks").len();
    let beats = usize::try_from(took.as_millis() / EVERY.as_millis()).unwrap() + YOUNG;
    println!("{calls} calls in {took:?} for {MANY} operations of one lane: {beats} beats, {REPLICAS} replicas");
    assert!(calls > 0, "nobody looked");
    // One call of each replica a beat. Looks at each operation's own time made 76 where these make 10.
    assert!(calls <= REPLICAS * beats, "{calls} calls for {beats} beats of {REPLICAS} replicas");
}
