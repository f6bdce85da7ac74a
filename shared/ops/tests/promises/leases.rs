//! Runners side by side: leases that run out, lanes, stops and crashes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use sampan_core::clock::Clock as _;
use sampan_core::{Lane, OperationId};
use sampan_ops::{Engine, Runner};
use sampan_state::operation::State;
use sampan_state::{OnSpent, SharedStore};
use tokio_util::sync::CancellationToken;

use crate::toy::{Aside, Wait, World, lane};

const TTL: Duration = Duration::from_secs(30);

#[tokio::test]
async fn two_runners_never_run_one_operation_at_once() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Hang]);
    let id = world.start(OnSpent::Refuse).await;
    let (first, second) = (world.runner("first"), world.runner("second"));
    let running = first.tick();
    tokio::pin!(running);
    tokio::select! {
        _ = &mut running => panic!("it hangs"),
        () = world.cloud.hanging.notified() => {}
    }
    assert_eq!(second.tick().await.unwrap(), 0, "it is leased");
    assert_eq!(world.get(id).await.journal.step_name, "wait");
}

#[tokio::test]
async fn after_a_crash_the_lease_runs_out_and_another_runner_goes_on_from_the_last_commit() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Hang]);
    let id = world.start(OnSpent::Refuse).await;
    crash_while_it_hangs(&world, &world.runner("first")).await;
    let second = world.runner("second");
    assert_eq!(second.tick().await.unwrap(), 0);
    world.advance(TTL);
    assert_eq!(second.tick().await.unwrap(), 1);
    assert_eq!(world.get(id).await.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
}

async fn crash_while_it_hangs(world: &World, runner: &Runner) {
    tokio::select! {
        _ = runner.tick() => panic!("it hangs"),
        () = world.cloud.hanging.notified() => {}
    }
}

#[derive(Debug)]
struct StealLane {
    store: SharedStore,
    clock: Arc<sampan_core::clock::ManualClock>,
    engine: Engine,
}

#[async_trait]
impl Aside for StealLane {
    async fn happen(&self, operation: OperationId) {
        // The lane lease runs out in a long pause, and somebody else gets the lane; the work is still leased.
        self.clock.advance(jiff::SignedDuration::from_secs(10));
        let lane: Lane = self.engine.get(operation).await.expect("readable").lane;
        self.store.lock_lane(&lane, "somebody else", TTL).await.expect("the lease has run out");
    }
}

#[tokio::test]
async fn a_step_whose_lane_lease_was_lost_stops_before_its_call() {
    let world = World::new();
    let steal = StealLane { store: world.store.clone(), clock: world.clock.clone(), engine: world.engine.clone() };
    *world.cloud.before_call.lock().unwrap() = Some(Arc::new(steal));
    let runner = world.runner_with("r", |options| options.lane_ttl = Duration::from_secs(5));
    let id = world.start(OnSpent::Refuse).await;
    runner.tick().await.unwrap();
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
    let now = world.get(id).await;
    assert_eq!((now.state, now.journal.intent), (State::Running, None));
    assert_eq!(world.units().await, (0, 1, 4), "the unit is still only held");
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
}

#[tokio::test]
async fn a_worker_that_was_held_up_after_its_announcement_makes_no_call() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    // The store's clock stands still, so the lease is live; to the worker itself any answer takes too long.
    let late = world.runner_with("late", |options| {
        options.work_ttl = Duration::from_micros(3);
        options.renew_every = Some(TTL);
    });
    late.tick().await.unwrap();
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
    let ended = world.end(&world.runner("r"), id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
}

#[tokio::test]
async fn an_operation_waits_for_a_lane_that_somebody_else_holds() {
    let world = World::new();
    let runner = world.runner("r");
    let held = world.store.lock_lane(&lane(), "somebody else", TTL).await.unwrap();
    let id = world.start(OnSpent::Refuse).await;
    runner.tick().await.unwrap();
    assert_eq!(world.cloud.runs.load(Ordering::SeqCst), 0, "not even the live read of limits");
    world.store.unlock_lane(&held).await.unwrap();
    world.advance(Duration::from_secs(1));
    runner.tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
}

#[tokio::test]
async fn operations_in_line_for_a_lane_do_nothing_until_it_is_theirs() {
    let world = World::new();
    let runner = world.runner("r");
    let held = world.store.lock_lane(&lane(), "somebody else", TTL).await.unwrap();
    let mut line = Vec::new();
    for _ in 0..3 {
        line.push(world.start(OnSpent::Refuse).await);
        assert_eq!(runner.tick().await.unwrap(), 1);
        world.advance(Duration::from_secs(1));
    }
    while world.clock.now() < held.expires - jiff::SignedDuration::from_secs(2) {
        world.advance(Duration::from_secs(1));
        assert_eq!(runner.tick().await.unwrap(), 0, "it asks for a lane that is held");
    }
    world.store.unlock_lane(&held).await.unwrap();
    for id in line {
        assert_eq!(runner.tick().await.unwrap(), 1);
        assert_eq!(world.get(id).await.state, State::Succeeded);
    }
}

#[tokio::test]
async fn an_operation_that_was_interrupted_keeps_its_place_in_line() {
    let world = World::new();
    let runner = world.runner("r");
    let held = world.store.lock_lane(&lane(), "somebody else", TTL).await.unwrap();
    let older = world.start(OnSpent::Refuse).await;
    let work_ttl = Duration::from_secs(5);
    let lost = world.store.claim(&world.engine.kinds(), "killed", 1, work_ttl).await.unwrap();
    assert_eq!(lost[0].operation.id, older);
    world.advance(Duration::from_secs(1));
    let newer = world.start(OnSpent::Refuse).await;
    assert_eq!(runner.tick().await.unwrap(), 1, "the newer one is in line first");
    world.advance(work_ttl);
    assert_eq!(runner.tick().await.unwrap(), 1);
    world.store.unlock_lane(&held).await.unwrap();
    runner.tick().await.unwrap();
    assert_eq!((world.get(older).await.state, world.get(newer).await.state), (State::Succeeded, State::Running));
}

#[derive(Debug)]
struct NeverGoesOn(Arc<tokio::sync::Notify>);

#[async_trait]
impl Aside for NeverGoesOn {
    async fn happen(&self, _operation: OperationId) {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn two_operations_of_one_process_exclude_each_other_from_the_lane() {
    let world = World::new();
    let arrived = Arc::new(tokio::sync::Notify::new());
    *world.cloud.before_call.lock().unwrap() = Some(Arc::new(NeverGoesOn(arrived.clone())));
    let runner = world.runner_with("r", |options| options.concurrency = 1);
    world.start(OnSpent::Refuse).await;
    world.start(OnSpent::Refuse).await;
    tokio::select! {
        _ = runner.tick() => panic!("it never goes on"),
        () = async {
            arrived.notified().await;
            assert_eq!(runner.tick().await.unwrap(), 1);
        } => {}
    }
    assert_eq!(world.cloud.runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_lane_is_free_again_once_its_step_is_over() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Poll]);
    world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    world.store.lock_lane(&lane(), "somebody else", TTL).await.unwrap();
}

#[tokio::test]
async fn a_step_is_dropped_when_the_work_lease_cannot_be_renewed() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Hang]);
    let id = world.start(OnSpent::Refuse).await;
    let slow = world.runner_with("slow", |options| options.renew_every = Some(Duration::from_millis(1)));
    let other = world.runner("other");
    let ((), ticked) = tokio::join!(
        async {
            world.cloud.hanging.notified().await;
            // A pause longer than the lease: another runner takes over.
            world.advance(TTL);
            assert_eq!(other.tick().await.unwrap(), 1);
            world.cloud.let_go.notified().await;
        },
        slow.tick()
    );
    assert_eq!(ticked.unwrap(), 1);
    assert_eq!(world.cloud.dropped.load(Ordering::SeqCst), 1);
    assert_eq!(world.get(id).await.state, State::Succeeded, "what the other wrote stays");
}

#[tokio::test]
async fn a_runner_carries_on_many_operations_until_it_is_stopped() {
    let world = World::new();
    let runner = world.runner_with("r", |options| options.concurrency = 2);
    let stop = CancellationToken::new();
    let work = async {
        for _ in 0..5 {
            let id = world.start(OnSpent::Refuse).await;
            let mut watch = Box::pin(world.engine.watch(id, 0));
            while let Some(record) = futures::StreamExt::next(&mut watch).await {
                if record.unwrap().state == State::Succeeded {
                    break;
                }
            }
        }
        stop.cancel();
    };
    tokio::join!(runner.run(stop.clone()), work);
    assert_eq!(world.cloud.job_count(), 5);
}

#[tokio::test]
async fn a_stop_leaves_steps_that_outlast_the_grace_period_and_hands_their_leases_back() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Hang]);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner_with("r", |options| options.grace = Duration::from_millis(20));
    let stop = CancellationToken::new();
    let stopping = async {
        world.cloud.hanging.notified().await;
        stop.cancel();
    };
    tokio::join!(runner.run(stop.clone()), stopping);
    assert_eq!(world.cloud.dropped.load(Ordering::SeqCst), 1);
    assert_eq!(world.runner("next").tick().await.unwrap(), 1, "due at once, on the same instant");
    assert_eq!(world.get(id).await.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
}

#[tokio::test]
async fn a_stop_lets_a_running_step_end_and_begins_no_further_one() {
    let world = World::new();
    let stop = CancellationToken::new();
    world.cloud.answer_waits([Wait::StopAside(stop.clone())]);
    let id = world.start(OnSpent::Refuse).await;
    world.runner("r").run(stop).await;
    let handed_back = world.get(id).await;
    assert_eq!(handed_back.state, State::Running);
    assert_eq!(handed_back.journal.step_name, "prove", "the step that ran is done and kept");
    world.runner("next").tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
}
