//! Cancels: nothing before the call, honest afterwards, taken back when asked.

use sampan_core::{Cloud, OperationId};
use sampan_share_service::spec::{Change, ShareSpec};
use sampan_state::operation::{Operation, State, TargetState};

use crate::cloud::Answer;
use crate::world::{World, numbers, succeeded, targets_in, warned};

const HERE: &str = "ap-guangzhou";

async fn cancel(world: &World, id: OperationId, remove_result: bool) -> Operation {
    world.engine.request_cancel(id, "somebody", remove_result).await.unwrap();
    world.end(id).await
}

fn told(operation: &Operation) -> &str {
    operation.warnings.iter().find(|warning| warning.code == "CANCELLED").map_or("", |warning| &warning.message)
}

#[tokio::test]
async fn a_cancel_before_the_call_changes_nothing() {
    let world = World::new(Cloud::Tencent);
    let id = world.start(&world.spec(Change::Add, &numbers(0..2))).await;
    let ended = cancel(&world, id, true).await;
    assert_eq!((ended.state, told(&ended)), (State::Cancelled, "nothing was changed at the cloud"));
    assert_eq!((world.cloud.calls().len(), world.units().await), (0, (0, 0, 0)));
}

#[tokio::test]
async fn a_cancel_after_a_lost_answer_says_what_stays() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::Lost);
    let id = world.start(&world.spec(Change::Add, &numbers(0..2))).await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, false).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(told(&ended).contains(&numbers(0..2).join(", ")), "{}", told(&ended));
    assert_eq!((world.cloud.calls().len(), world.units().await), (1, (1, 0, 0)));
}

#[tokio::test]
async fn a_cancel_after_a_call_that_never_arrived_gives_the_unit_back() {
    let world = World::new(Cloud::Tencent);
    world.cloud.script().answers.push_back(Answer::LostOnTheWay);
    let id = world.start(&world.spec(Change::Add, &numbers(0..2))).await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, false).await;
    assert_eq!((ended.state, told(&ended)), (State::Cancelled, "nothing was changed at the cloud"));
    assert_eq!(world.units().await, (0, 0, 0));
}

#[tokio::test]
async fn a_cancel_that_removes_the_result_takes_back_what_was_added_and_nothing_else() {
    for cloud in Cloud::ALL {
        let world = World::new(cloud);
        world.cloud.shared_with(&world.image, &numbers(10..11));
        world.cloud.script().answers.push_back(Answer::Lost);
        let mut wanted = numbers(0..2);
        wanted.extend(numbers(10..11));
        let id = world.start(&world.spec(Change::Add, &wanted)).await;
        world.runner.tick().await.unwrap();
        let ended = cancel(&world, id, true).await;
        assert_eq!(ended.state, State::Cancelled);
        assert!(told(&ended).contains("taken back from"), "{}", told(&ended));
        let left: Vec<String> = world.cloud.holders(&world.image).into_iter().collect();
        assert_eq!(left, numbers(10..11), "who had it before keeps it");
        assert_eq!(targets_in(&ended, TargetState::Cancelled), numbers(0..2));
        let counted = world.units().await.0;
        assert_eq!(counted, 2, "the removal is a call of the day too");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_today_is_taken_back_after_the_reset() {
    let world = World::new(Cloud::Tencent);
    world.spend(HERE, 4).await;
    world.cloud.script().answers.push_back(Answer::Lost);
    let id = world.start(&world.spec(Change::Add, &numbers(0..2))).await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, true).await;
    assert_eq!(ended.state, State::Cancelled);
    assert!(told(&ended).contains("when the day's quota is reset"), "{}", told(&ended));
    assert_eq!(world.cloud.calls().len(), 1, "no sixth call");
    world.advance(24 * 3600);
    world.run_for(10).await;
    assert!(world.cloud.holders(&world.image).is_empty());
}

#[tokio::test]
async fn a_cancel_between_chunks_stops_the_others() {
    let world = World::new(Cloud::Alibaba);
    world.cloud.script().answers.extend([Answer::Drops(10), Answer::LostOnTheWay]);
    let id = world.start(&world.spec(Change::Add, &numbers(0..25))).await;
    world.runner.tick().await.unwrap();
    let ended = cancel(&world, id, false).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(targets_in(&ended, TargetState::Succeeded), numbers(0..10));
    assert_eq!(targets_in(&ended, TargetState::Cancelled), numbers(10..25));
    assert_eq!(world.calls_made(), [(10, 0)]);
    assert_eq!(world.units().await.0, 3, "all that it had asked for: units go back together or not at all");
}

#[tokio::test]
async fn a_cancel_of_what_is_done_comes_too_late() {
    let world = World::new(Cloud::Tencent);
    world.copied((HERE, world.image.as_str()), ("ap-shanghai", Some("img-copy1"))).await;
    let spec = ShareSpec { include_copies: true, ..world.spec(Change::Add, &numbers(0..1)) };
    let id = world.start(&spec).await;
    world.run_for(1).await;
    let operation = world.get(id).await;
    if operation.state.is_final() {
        return succeeded(&operation);
    }
    let ended = cancel(&world, id, false).await;
    assert!(ended.state == State::Cancelled || warned(&ended, "CANCEL_TOO_LATE"), "{:?}", ended.warnings);
}
