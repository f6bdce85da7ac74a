//! The checks that every saga has to pass, over a cloud that reports tasks and one that only shows objects.

use std::sync::Arc;

use sampan_core::Cloud;
use sampan_core::clock::ManualClock;
use sampan_export_service::ExportSaga;
use sampan_ops::LaneRules;
use sampan_ops::crash_checks::{CheckWorld, Scenario, crash_at_each_step, fail_at_each_step, repeat_each_step};
use sampan_state::embedded::Embedded;
use sampan_state::operation::Operation;

use crate::cloud::FakeCloud;
use crate::estimator::Estimator;
use crate::world::{NOON, accounts, limits, result, spec, start_of};

async fn world(cloud: Cloud) -> CheckWorld<Arc<FakeCloud>> {
    let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
    let fake = FakeCloud::new(cloud, clock.clone());
    CheckWorld {
        store: Embedded::in_memory(clock.clone()).unwrap(),
        clock,
        rules: LaneRules::new(limits()),
        saga: Arc::new(ExportSaga::new(accounts(&fake), limits(), Estimator::up().pricing())),
        start: start_of(&spec(cloud)),
        fakes: fake,
    }
}

fn judge(cloud: &Arc<FakeCloud>, ended: &Operation, scenario: Scenario) -> Result<(), String> {
    let accepted = cloud.accepted();
    if let Scenario::Failed(_) = scenario {
        return if accepted <= 1 { Ok(()) } else { Err(format!("{accepted} exports were accepted")) };
    }
    if accepted != 1 {
        return Err(format!("{accepted} exports were accepted, not 1"));
    }
    let artifacts = result(ended).artifacts;
    if artifacts.len() == 2 { Ok(()) } else { Err(format!("{} artifacts, not 2", artifacts.len())) }
}

/// Scenarios: undisturbed and each step; two per step; three per step.
const PASSED: (usize, usize, usize) = (4, 6, 9);

async fn passed(cloud: Cloud) -> Result<(usize, usize, usize), String> {
    let factory = async || world(cloud).await;
    Ok((
        repeat_each_step(factory, judge).await?,
        fail_at_each_step(factory, judge).await?,
        crash_at_each_step(factory, judge).await?,
    ))
}

#[tokio::test]
async fn no_repetition_failure_or_crash_makes_a_second_export_where_the_cloud_reports_tasks() {
    assert_eq!(passed(Cloud::Alibaba).await, Ok(PASSED));
}

#[tokio::test]
async fn no_repetition_failure_or_crash_makes_a_second_export_where_only_objects_tell() {
    assert_eq!(passed(Cloud::Tencent).await, Ok(PASSED));
}
