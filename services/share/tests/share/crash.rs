//! The checks that every saga has to pass, on both clouds, and with copies.

use std::collections::BTreeSet;
use std::sync::Arc;

use sampan_core::Cloud;
use sampan_core::clock::ManualClock;
use sampan_ops::LaneRules;
use sampan_ops::crash_checks::{CheckWorld, Scenario, crash_at_each_step, fail_at_each_step, repeat_each_step};
use sampan_share_service::spec::{Change, ShareSpec};
use sampan_state::SharedStore;
use sampan_state::embedded::Embedded;
use sampan_state::operation::Operation;

use crate::cloud::FakeCloud;
use crate::world::{NOON, World, limits, numbers, own, saga, spec, start_of};

/// 25 accounts, two of which have the image already: one call at Tencent, three at Alibaba.
async fn one_image(cloud: Cloud) -> CheckWorld<Arc<FakeCloud>> {
    let clock = Arc::new(ManualClock::new(NOON.parse().unwrap()));
    let fake = FakeCloud::new(cloud, clock.clone());
    fake.shared_with(&crate::cloud::image_id(cloud), &numbers(0..2));
    let store: SharedStore = Embedded::in_memory(clock.clone()).unwrap();
    CheckWorld {
        saga: Arc::new(saga(&fake, &store)),
        store,
        clock,
        rules: LaneRules::new(limits()),
        start: start_of(&spec(cloud, Change::Add, numbers(0..25)), &fake),
        fakes: fake,
    }
}

/// An image with two copies in other regions.
async fn with_copies(cloud: Cloud) -> CheckWorld<Arc<FakeCloud>> {
    let world = World::new(cloud);
    let (here, there, far) = match cloud {
        Cloud::Tencent => ("ap-guangzhou", "ap-shanghai", "ap-beijing"),
        Cloud::Alibaba => ("cn-hangzhou", "cn-shanghai", "cn-beijing"),
    };
    world.copied((here, world.image.as_str()), (there, Some("img-there"))).await;
    world.copied((here, world.image.as_str()), (far, Some("img-far"))).await;
    let spec = ShareSpec { include_copies: true, ..world.spec(Change::Add, &numbers(0..3)) };
    CheckWorld {
        saga: Arc::new(saga(&world.cloud, &world.store)),
        store: world.store.clone(),
        clock: world.clock.clone(),
        rules: LaneRules::new(limits()),
        start: start_of(&spec, &world.cloud),
        fakes: world.cloud.clone(),
    }
}

/// Nothing is added twice, nobody is forgotten, and no call was made for what was done already.
fn judge(cloud: &Arc<FakeCloud>, ended: &Operation, scenario: Scenario, images: usize) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for arrived in cloud.calls() {
        for account in arrived.call.add.iter().chain(&arrived.call.remove) {
            if !seen.insert((arrived.image.clone(), account.clone())) {
                return Err(format!("{account} was called for twice on {}", arrived.image));
            }
        }
    }
    if let Scenario::Failed(_) = scenario {
        return Ok(());
    }
    let told = sampan_state::result::ShareResult::clone(&crate::world::result(ended));
    if told.images.len() != images {
        return Err(format!("{} images, not {images}", told.images.len()));
    }
    let all = if images == 1 { 25 } else { 3 };
    for image in &told.images {
        let holders: Vec<String> = cloud.holders(&image.at.image).into_iter().collect();
        if holders.len() != all || image.accounts != holders || !image.drift.is_empty() {
            return Err(format!("{} is shared with {holders:?}, told {image:?}", image.at.image));
        }
    }
    if own(ended).added.is_empty() { Err("nothing was added".to_owned()) } else { Ok(()) }
}

/// Scenarios: undisturbed and each step; two per step; three per step.
const PASSED: (usize, usize, usize) = (4, 6, 9);

async fn passed(
    factory: impl AsyncFn() -> CheckWorld<Arc<FakeCloud>>,
    images: usize,
) -> Result<(usize, usize, usize), String> {
    let judge = |cloud: &Arc<FakeCloud>, ended: &Operation, scenario| judge(cloud, ended, scenario, images);
    Ok((
        repeat_each_step(&factory, judge).await?,
        fail_at_each_step(&factory, judge).await?,
        crash_at_each_step(&factory, judge).await?,
    ))
}

#[tokio::test]
async fn no_repetition_failure_or_crash_calls_for_an_account_twice() {
    for cloud in Cloud::ALL {
        assert_eq!(passed(async || one_image(cloud).await, 1).await, Ok(PASSED), "{cloud}");
    }
}

#[tokio::test]
async fn no_repetition_failure_or_crash_loses_or_repeats_a_copy() {
    for cloud in Cloud::ALL {
        assert_eq!(passed(async || with_copies(cloud).await, 3).await, Ok(PASSED), "{cloud}");
    }
}
