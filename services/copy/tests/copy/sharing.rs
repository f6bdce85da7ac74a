//! Usable copies are passed on; a failed share never undoes a copy.

use std::collections::BTreeMap;

use sampan_core::Cloud;
use sampan_ops::StartRequest;
use sampan_state::Admitted;
use sampan_state::operation::State;

use crate::world::{World, result, start_of, succeeded, warned};

fn sharing(cloud: Cloud) -> World {
    let mut world = World::new(cloud);
    world.spec.share_with = vec!["100000000002".to_owned(), "100000000003".to_owned()];
    world
}

#[tokio::test]
async fn each_copy_is_shared_once_by_the_share_service_in_its_own_region() {
    for cloud in Cloud::ALL {
        let world = sharing(cloud);
        world.peers.script().looks = 3;
        let ended = world.run().await;
        succeeded(&ended);
        let script = world.peers.script();
        assert_eq!((script.starts, script.shares.len()), (3, 3));
        let left = result(&ended);
        for (index, copied) in left.images.iter().enumerate() {
            assert_eq!(copied.shared_with, world.spec.share_with);
            let operation = copied.share_operation.clone().unwrap();
            let asked = &script.shares[operation.strip_prefix("operations/").unwrap()];
            let image = asked.spec.as_ref().unwrap().image.as_ref().unwrap();
            assert_eq!(image.region, world.region(index).as_str());
            assert_eq!(image.image_id, copied.at.image.as_str());
        }
    }
}

#[tokio::test]
async fn a_copy_is_shared_as_soon_as_it_is_usable() {
    let world = sharing(Cloud::Alibaba);
    let id = world.start().await;
    world.run_for(700).await;
    assert_eq!(world.get(id).await.state, State::Running);
    assert_eq!(world.peers.script().shares.len(), 1, "the first is shared while the second is copied");
    succeeded(&world.end(id).await);
}

#[tokio::test]
async fn a_share_that_fails_is_told_and_the_copy_stays() {
    for break_it in [
        (|script: &mut crate::peers::Script| script.fails = true) as fn(&mut crate::peers::Script),
        |script| script.refuses = true,
        |script| script.share_is_down = true,
        |script| script.waits_for_quota = true,
    ] {
        let world = sharing(Cloud::Tencent);
        break_it(&mut world.peers.script());
        let ended = world.run().await;
        succeeded(&ended);
        assert!(warned(&ended, "SHARE_FAILED"), "{:?}", ended.warnings);
        assert_eq!(world.cloud.copies(), 3);
        assert!(result(&ended).images.iter().all(|copied| copied.shared_with.is_empty()));
    }
}

#[tokio::test]
async fn a_share_service_that_is_away_for_a_while_is_asked_again() {
    let world = sharing(Cloud::Tencent);
    world.peers.script().share_is_down = true;
    let id = world.start().await;
    world.run_for(660).await;
    assert_eq!(world.get(id).await.state, State::Running);
    world.peers.script().share_is_down = false;
    let ended = world.end(id).await;
    succeeded(&ended);
    assert!(!warned(&ended, "SHARE_FAILED"));
    assert_eq!(world.peers.script().shares.len(), 3);
}

#[tokio::test]
async fn nothing_is_shared_that_nobody_asked_for_and_nobody_is_told_so() {
    let world = World::new(Cloud::Tencent);
    let alone = world.run().await;
    assert_eq!(world.peers.script().starts, 0);
    assert!(!alone.journal.outputs.contains_key("share_copies"), "the step is passed over");
    let shared = sharing(Cloud::Tencent).run().await;
    assert!(shared.journal.outputs.contains_key("share_copies"));
}

#[tokio::test]
async fn a_share_carries_the_labels_of_the_copy_and_its_name_where_there_is_room() {
    for (count, all) in [(2, 3), (64, 64)] {
        let world = sharing(Cloud::Tencent);
        let labels: BTreeMap<_, _> = (0..count).map(|index| (format!("team-{index}"), "images".to_owned())).collect();
        let start = StartRequest { labels: labels.clone(), ..start_of(&world.spec) };
        let (Admitted::New(copy) | Admitted::Existing(copy)) = world.engine.start(start).await.unwrap();
        succeeded(&world.end(copy.id).await);
        let script = world.peers.script();
        assert_eq!(script.shares.len(), 3);
        for share in script.shares.values() {
            assert_eq!(share.labels.len(), all);
            assert!(labels.iter().all(|(key, value)| share.labels.get(key) == Some(value)), "{:?}", share.labels);
            assert!(share.labels.get("sampan-copy").is_none_or(|name| *name == copy.id.to_string()));
        }
    }
}
