//! A store that fails, and how many trips the work takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use sampan_core::OperationId;
use sampan_ops::Error;
use sampan_state::OnSpent;
use sampan_state::operation::State;

use crate::toy::{Aside, Wait, World};

#[tokio::test]
async fn nothing_is_started_blind_while_the_store_is_down() {
    let world = World::new();
    world.flaky.down.store(true, Ordering::SeqCst);
    let refused = world.try_start(OnSpent::Refuse).await;
    assert!(matches!(refused, Err(Error::Store(sampan_state::Error::Unavailable(_)))));
    assert!(world.engine.ready().await.is_err());
    assert!(world.runner("r").tick().await.is_err());
}

#[derive(Debug)]
struct StoreGoesDown(Arc<crate::flaky::Flaky>);

#[async_trait]
impl Aside for StoreGoesDown {
    async fn happen(&self, _operation: OperationId) {
        self.0.down.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn no_call_is_made_when_its_announcement_cannot_be_written() {
    let world = World::new();
    *world.cloud.before_call.lock().unwrap() = Some(Arc::new(StoreGoesDown(world.flaky.clone())));
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
    world.flaky.down.store(false, Ordering::SeqCst);
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
}

#[tokio::test]
async fn no_call_is_made_when_the_answer_to_its_announcement_is_lost_and_then_exactly_one() {
    let world = World::new();
    world.flaky.lost_commits.store(1, Ordering::SeqCst);
    let id = world.start(OnSpent::Refuse).await;
    let runner = world.runner("r");
    runner.tick().await.unwrap();
    assert_eq!(world.cloud.calls.load(Ordering::SeqCst), 0);
    let ended = world.end(&runner, id).await;
    assert_eq!(ended.state, State::Succeeded);
    assert_eq!(world.cloud.job_count(), 1);
    assert_eq!(world.units().await, (1, 0, 4));
}

#[tokio::test]
async fn an_outcome_is_written_again_when_the_store_was_away_for_a_moment() {
    let world = World::new();
    world.cloud.answer_waits([Wait::DownAside(world.flaky.clone())]);
    let id = world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    assert_eq!(world.get(id).await.state, State::Succeeded);
    assert_eq!(world.cloud.runs.load(Ordering::SeqCst), 3, "no step is run again");
}

#[tokio::test]
async fn a_lease_is_prolonged_while_its_step_runs() {
    let world = World::new();
    world.cloud.answer_waits([Wait::Hang]);
    let id = world.start(OnSpent::Refuse).await;
    let ttl = Duration::from_secs(30);
    let runner = world.runner_with("r", |options| options.renew_every = Some(Duration::from_millis(1)));
    let other = world.runner("other");
    tokio::select! {
        _ = runner.tick() => panic!("it hangs"),
        () = async {
            world.cloud.hanging.notified().await;
            for _ in 0..6 {
                world.flaky.renewed.notified().await;
                // Only this moves the clock, so the lease has two thirds of its life before it whatever the machine does.
                world.advance(ttl / 3);
                assert_eq!(other.tick().await.unwrap(), 0);
            }
        } => {}
    }
    assert_eq!(world.get(id).await.journal.step_name, "wait");
}

#[tokio::test]
async fn each_step_is_one_trip_besides_its_announcement_and_its_lane() {
    let world = World::new();
    world.start(OnSpent::Refuse).await;
    world.runner("r").tick().await.unwrap();
    let trips = world.flaky.trips.lock().unwrap().clone();
    let announced = ["admit", "claim", "lock_lane", "commit"];
    let steps = ["commit", "unlock_lane", "commit", "commit"];
    assert_eq!(trips, [announced, steps].concat());
}
