//! Reading, following and waiting.

use std::time::Duration;

use futures::StreamExt as _;
use sampan_core::OperationId;
use sampan_ops::Error;
use sampan_state::operation::State;
use sampan_state::{ListQuery, OnSpent};

use crate::toy::{Wait, World};

#[tokio::test]
async fn a_watch_sends_the_newest_record_at_once_then_newer_ones_and_ends_with_the_operation() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Progress(10), Wait::Progress(20)]);
    let id = world.start(OnSpent::Refuse).await;
    let mut watch = Box::pin(world.engine.watch(id, 0));
    let first = watch.next().await.unwrap().unwrap();
    assert_eq!((first.state, first.revision), (State::Running, 1));
    world.end(&runner, id).await;
    // The reader was slow: what came in between is skipped.
    let last = watch.next().await.unwrap().unwrap();
    assert_eq!(last.state, State::Succeeded);
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_watch_is_woken_by_a_change() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Progress(10)]);
    let id = world.start(OnSpent::Refuse).await;
    let revision = world.get(id).await.revision;
    let mut watch = Box::pin(world.engine.watch(id, revision));
    let (next, ticked) = tokio::join!(watch.next(), runner.tick());
    ticked.unwrap();
    assert!(next.unwrap().unwrap().revision > revision);
}

#[tokio::test]
async fn a_watch_that_resumes_from_the_final_revision_still_gets_the_final_record() {
    let world = World::new();
    let id = world.start(OnSpent::Refuse).await;
    let ended = world.end(&world.runner("r"), id).await;
    let mut watch = Box::pin(world.engine.watch(id, ended.revision));
    assert_eq!(watch.next().await.unwrap().unwrap(), ended);
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_watch_of_nothing_says_so_and_ends() {
    let world = World::new();
    let nobody = OperationId::generate(world.now());
    let mut watch = Box::pin(world.engine.watch(nobody, 0));
    let said = watch.next().await.unwrap();
    assert!(matches!(said, Err(Error::Store(sampan_state::Error::NotFound(id))) if id == nobody));
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_wait_returns_the_end_or_the_state_at_its_timeout() {
    let world = World::new();
    let runner = world.runner("r");
    world.cloud.answer_waits([Wait::Poll]);
    let id = world.start(OnSpent::Refuse).await;
    runner.tick().await.unwrap();
    let running = world.engine.wait(id, Duration::from_millis(1)).await.unwrap();
    assert_eq!(running.state, State::Running);
    world.advance(Duration::from_secs(10));
    let (ended, ticked) = tokio::join!(world.engine.wait(id, Duration::from_secs(60)), runner.tick());
    ticked.unwrap();
    assert_eq!(ended.unwrap().state, State::Succeeded);
}

#[tokio::test]
async fn operations_are_listed_newest_first() {
    let world = World::new();
    let first = world.start(OnSpent::Refuse).await;
    let second = world.start(OnSpent::Refuse).await;
    let query = ListQuery { page_size: 10, kinds: vec!["toy".to_owned()], ..ListQuery::default() };
    let page = world.engine.list(&query).await.unwrap();
    let ids: Vec<_> = page.operations.iter().map(|operation| operation.id).collect();
    assert_eq!(ids, [second, first]);
    world.engine.ready().await.unwrap();
}
