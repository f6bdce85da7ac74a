//! A share that follows the image to its copies, each in its own lane.

use sampan_core::{Cloud, Reason};
use sampan_share_service::spec::{Change, ShareSpec};
use sampan_state::ListQuery;
use sampan_state::operation::{Operation, State, TargetState};

use crate::cloud::Answer;
use crate::world::{World, numbers, own, reason, result, succeeded, target, targets_in, warned};

const HERE: &str = "ap-guangzhou";
const SHANGHAI: &str = "ap-shanghai";
const BEIJING: &str = "ap-beijing";

/// A world whose image has a copy in Shanghai, and that one has a copy in Beijing.
async fn world() -> World {
    let world = World::new(Cloud::Tencent);
    world.copied((HERE, world.image.as_str()), (SHANGHAI, Some("img-sh1"))).await;
    world.copied((SHANGHAI, "img-sh1"), (BEIJING, Some("img-bj1"))).await;
    world
}

fn everywhere(world: &World, change: Change, accounts: &[String]) -> ShareSpec {
    ShareSpec { include_copies: true, ..world.spec(change, accounts) }
}

async fn shares(world: &World) -> Vec<Operation> {
    let query = ListQuery { kinds: vec!["share".to_owned()], page_size: 100, ..ListQuery::default() };
    world.engine.list(&query).await.unwrap().operations
}

#[tokio::test]
async fn the_share_reaches_every_copy_and_the_copies_of_copies() {
    let world = world().await;
    let id = world.start(&everywhere(&world, Change::Add, &numbers(0..2))).await;
    let ended = world.end(id).await;
    succeeded(&ended);
    // The copies are operations of their own: which of them calls first is open.
    let mut places: Vec<_> = world.cloud.calls().iter().map(|call| call.region.to_string()).collect();
    assert_eq!(places.first().map(String::as_str), Some(HERE));
    places.sort();
    let mut expected = [HERE, SHANGHAI, BEIJING];
    expected.sort_unstable();
    assert_eq!(places, expected);
    for region in [HERE, SHANGHAI, BEIJING] {
        assert_eq!(world.units_in(region).await, (1, 0, 0), "{region}");
    }
    let images = result(&ended).images;
    assert_eq!(
        images.iter().map(|image| image.at.image.to_string()).collect::<Vec<_>>(),
        [world.image.to_string(), "img-sh1".to_owned(), "img-bj1".to_owned()]
    );
    assert!(images.iter().all(|image| image.added == numbers(0..2) && image.accounts == numbers(0..2)));
    let followed = target(&ended, &format!("{}@{SHANGHAI}", numbers(0..1)[0]));
    assert_eq!(followed.cloud_ids["image"], "img-sh1");
    assert!(followed.cloud_ids["operation"].starts_with("operations/"));
    assert_eq!(shares(&world).await.len(), 3, "one operation per lane");
}

#[tokio::test]
async fn without_the_wish_no_copy_is_touched() {
    let world = world().await;
    succeeded(&world.run(Change::Add, &numbers(0..2)).await);
    assert_eq!(world.cloud.calls().len(), 1);
}

#[tokio::test]
async fn an_exact_list_is_set_on_every_copy() {
    let world = world().await;
    world.cloud.shared_with(&"img-sh1".parse().unwrap(), &numbers(5..7));
    let id = world.start(&everywhere(&world, Change::Set, &numbers(0..1))).await;
    let ended = world.end(id).await;
    succeeded(&ended);
    let shanghai = result(&ended).images.swap_remove(1);
    assert_eq!((shanghai.removed, shanghai.accounts), (numbers(5..7), numbers(0..1)));
    let id = world.start(&everywhere(&world, Change::Set, &[])).await;
    let ended = world.end(id).await;
    succeeded(&ended);
    assert!(result(&ended).images.iter().all(|image| image.accounts.is_empty()));
    let ids: Vec<_> = ended.targets.iter().map(|target| target.id.as_str()).collect();
    assert!(ids.contains(&format!("{}@{SHANGHAI}", numbers(0..1)[0]).as_str()), "{ids:?}");
    assert!(ids.iter().all(|id| !id.starts_with("all@")), "accounts that are known are told once: {ids:?}");
    let id = world.start(&everywhere(&world, Change::Set, &[])).await;
    let ids: Vec<_> = world.end(id).await.targets.into_iter().map(|target| target.id).collect();
    assert!(ids.contains(&format!("all@{SHANGHAI}")), "of a copy that nobody has there is this alone: {ids:?}");
}

#[tokio::test]
async fn a_region_whose_day_is_spent_fails_alone_and_is_tried_again_alone() {
    let world = world().await;
    world.spend(SHANGHAI, 5).await;
    let id = world.start(&everywhere(&world, Change::Add, &numbers(0..2))).await;
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "QUOTA_SPENT"));
    let failed: Vec<String> = numbers(0..2).iter().map(|account| format!("{account}@{SHANGHAI}")).collect();
    assert_eq!(targets_in(&ended, TargetState::Failed), failed);
    let before = world.cloud.calls().len();
    world.advance(24 * 3600);
    let again = world.engine.retry(ended.id).await.unwrap();
    let ended = world.end(again.id).await;
    succeeded(&ended);
    let calls = world.cloud.calls();
    assert_eq!((calls.len(), calls[before].region.as_str()), (before + 1, SHANGHAI));
    assert_eq!(own(&ended).added, numbers(0..2), "what was done in the first round is told too");
}

#[tokio::test]
async fn a_region_whose_day_is_spent_is_waited_for_when_asked() {
    let world = world().await;
    world.spend(SHANGHAI, 5).await;
    let spec = ShareSpec { queue_when_quota_spent: true, ..everywhere(&world, Change::Add, &numbers(0..2)) };
    let id = world.start(&spec).await;
    for _ in 0..180 {
        world.run_for(1).await;
        world.advance(60);
    }
    assert_eq!(world.get(id).await.state, State::Running, "past the hour that a change is given by itself");
    succeeded(&world.end(id).await);
    assert_eq!(world.units_in(SHANGHAI).await, (1, 0, 0));
}

#[tokio::test]
async fn a_copy_that_refuses_fails_alone() {
    let world = world().await;
    let no = Answer::Refused(sampan_cloud::CallClass::Caller, Reason::ImageNotShareable);
    world.cloud.script().answers.extend([Answer::Drops(9), no]);
    let id = world.start(&everywhere(&world, Change::Add, &numbers(0..2))).await;
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::PartiallySucceeded, "IMAGE_NOT_SHAREABLE"));
    assert_eq!(targets_in(&ended, TargetState::Failed).len(), 2);
    let again = world.engine.retry(ended.id).await.unwrap();
    succeeded(&world.end(again.id).await);
}

#[tokio::test]
async fn copies_that_are_gone_or_not_finished_are_left_out_with_a_word() {
    let world = world().await;
    world.copied((HERE, world.image.as_str()), ("ap-hongkong", None)).await;
    world.cloud.script().images.remove(&(BEIJING.parse().unwrap(), "img-bj1".parse().unwrap()));
    let id = world.start(&everywhere(&world, Change::Add, &numbers(0..1))).await;
    let ended = world.end(id).await;
    succeeded(&ended);
    assert!(warned(&ended, "COPIES_GONE") && warned(&ended, "COPIES_UNFINISHED"), "{:?}", ended.warnings);
    assert_eq!(world.cloud.calls().len(), 2);
}

#[tokio::test]
async fn two_copies_in_one_region_have_targets_of_their_own() {
    let world = world().await;
    world.copied((HERE, world.image.as_str()), (SHANGHAI, Some("img-sh2"))).await;
    let account = numbers(0..1).remove(0);
    let id = world.start(&everywhere(&world, Change::Add, &numbers(0..1))).await;
    let ended = world.end(id).await;
    succeeded(&ended);
    let ids: Vec<_> = ended.targets.iter().map(|target| target.id.clone()).collect();
    let at = |place: &str| format!("{account}@{place}");
    assert_eq!(ids, [account.clone(), at("ap-shanghai/img-sh1"), at("ap-shanghai/img-sh2"), at(BEIJING)]);
    assert_eq!(world.units_in(SHANGHAI).await, (2, 0, 0));
}

#[tokio::test]
async fn a_cancel_stops_the_copies_and_takes_back_what_was_added_everywhere() {
    let world = world().await;
    world.spend(BEIJING, 5).await;
    let spec = ShareSpec { queue_when_quota_spent: true, ..everywhere(&world, Change::Add, &numbers(0..2)) };
    let id = world.start(&spec).await;
    world.run_for(120).await;
    assert_eq!(world.cloud.calls().len(), 2, "Beijing waits for its day");
    world.engine.request_cancel(id, "somebody", true).await.unwrap();
    let ended = world.end(id).await;
    assert_eq!(ended.state, State::Cancelled, "{:?}", ended.warnings);
    for image in [world.image.as_str(), "img-sh1", "img-bj1"] {
        assert!(world.cloud.holders(&image.parse().unwrap()).is_empty(), "{image}");
    }
    assert!(shares(&world).await.iter().all(|share| share.state.is_final()));
    assert_eq!((world.units().await.0, world.units_in(SHANGHAI).await.0), (2, 2));
}
