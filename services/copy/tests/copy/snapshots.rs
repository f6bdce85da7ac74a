//! Images above 2 TiB travel by their snapshots.

use std::time::Duration;

use sampan_copy_service::spec::Route;
use sampan_core::{Cloud, DiskRole};
use sampan_state::operation::State;

use crate::cloud::{Answer, disk, image};
use crate::world::{World, reason, result, succeeded, to, warned};

fn large() -> World {
    let mut world = World::new(Cloud::Alibaba);
    let disks = vec![disk(DiskRole::System, "xvda", 100, "s-1"), disk(DiskRole::Data, "xvdb", 2000, "s-2")];
    world.cloud.script().image = Some(image(world.spec.image.as_str(), disks));
    world.cloud.script().takes = Duration::from_secs(300);
    world.spec.destinations.truncate(2);
    world
}

#[tokio::test]
async fn an_image_above_two_tib_goes_by_a_copy_of_each_snapshot_and_a_new_image() {
    let world = large();
    let ended = world.run().await;
    succeeded(&ended);
    assert_eq!((world.cloud.count("CopyImage"), world.cloud.count("CopySnapshot")), (0, 4));
    assert_eq!((world.cloud.count("CreateImage"), world.cloud.copies()), (2, 2));
    assert_eq!(result(&ended).images.len(), 2);
    for target in &ended.targets {
        assert_eq!(target.cloud_ids["snapshots"].split(',').count(), 1, "{:?}", target.cloud_ids);
    }
}

#[tokio::test]
async fn a_size_that_only_the_cloud_knows_changes_the_way() {
    let mut world = World::new(Cloud::Alibaba);
    world.spec.destinations.truncate(1);
    world.cloud.script().largest_gib = 10;
    let ended = world.run().await;
    succeeded(&ended);
    assert!(warned(&ended, "ROUTE_CHANGED"));
    assert_eq!((world.cloud.count("CopyImage"), world.cloud.count("CopySnapshot")), (1, 1));
    world.spec.route = Some(Route::Image);
    world.spec.image_name = Some("other".to_owned());
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "IMAGE_TOO_LARGE_TO_COPY"), "who says how is obeyed");
}

#[tokio::test]
async fn lost_answers_on_the_way_make_nothing_twice() {
    for action in ["CopySnapshot", "CreateImage"] {
        for answer in [Answer::Lost, Answer::LostOnTheWay] {
            let world = large();
            world.cloud.answer(action, [answer.clone()]);
            let ended = world.run().await;
            succeeded(&ended);
            assert_eq!(world.cloud.copies(), 2, "{action} {answer:?}");
            let made: usize =
                world.cloud.script().snapshots.values().flatten().filter(|held| !held.source.is_empty()).count();
            assert_eq!(made, 4, "{action} {answer:?}");
        }
    }
}

#[tokio::test]
async fn within_the_region_a_large_image_is_refused() {
    let mut world = large();
    world.spec.destinations = to([world.spec.region.clone()]);
    world.spec.encryption = Some(Default::default());
    let ended = world.run().await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "IMAGE_TOO_LARGE_TO_COPY"));
}
