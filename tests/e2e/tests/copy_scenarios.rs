//! The scenarios of the copy document, over the real wire: other regions, other accounts, encryption, large images.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod copy_support;

use copy_support::{accepted, action, copies, left, named, reference, regions, run, spec, states};
use sampan_proto::copy::v1 as pb;
use sampan_proto::operation::v1::{OperationState, TargetState};
use sampan_proto::share::v1::share_service_client::ShareServiceClient;
use sampan_proto::share::v1::{ShareImageRequest, ShareSpec};
use sampan_tests_e2e::{ALIBABA, Lane, TENCENT, World};

const BOTH: [Lane; 2] = [TENCENT, ALIBABA];
/// The second account of a cloud, as the server names it and as the cloud numbers it.
const SECOND: [(&str, &str); 2] = [("tencent-2", "100000000002"), ("alibaba-2", "1000000000000002")];

fn second(lane: &Lane) -> Lane {
    let (account, number) = if lane.account == "tencent" { SECOND[0] } else { SECOND[1] };
    Lane { account, number, ..*lane }
}

#[tokio::test]
async fn an_image_is_copied_to_three_regions_in_one_operation() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let ended = run(&world, spec(&lane, &image, &regions(&lane))).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!(states(&ended), [TargetState::Succeeded; 3]);
        let seen = world.clouds.audit().await;
        let calls = if lane.account == "tencent" { 1 } else { 3 };
        assert_eq!(accepted(&seen, action(&lane)), calls);
        for (region, copied) in regions(&lane).iter().zip(&left(&ended).images) {
            let there = named(&world, &lane, region, "golden").await;
            assert_eq!(there.len(), 1, "{there:?}");
            assert_eq!(there[0]["id"], copied.reference.as_ref().unwrap().image_id);
            assert_eq!(copied.snapshot_ids.len(), 1, "{copied:?}");
            assert!(!copied.snapshot_cost_per_month.is_empty(), "{ended:#?}");
        }
        let facts = left(&ended).not_copied.join(" ");
        for word in ["role authorisation", "service authorisation", "user data"] {
            assert!(facts.contains(word), "{facts}");
        }
    }
    assert_eq!(world.clouds.counted(&TENCENT).await, 1);
    assert_eq!(world.api().quota(&TENCENT).await.used, 1, "our count is the cloud's");
}

#[tokio::test]
async fn copy_then_share_gives_another_account_the_copies() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let other = second(&lane);
        let wanted =
            pb::CopySpec { share_with: vec![other.number.to_owned()], ..spec(&lane, &image, &regions(&lane)[..2]) };
        let ended = run(&world, wanted).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        let shares = world.clouds.get("shares").await;
        let shares = shares["shares"].as_array().unwrap();
        for copied in &left(&ended).images {
            assert_eq!(copied.shared_with, [other.number]);
            assert!(copied.share_operation.starts_with("operations/"));
            let id = &copied.reference.as_ref().unwrap().image_id;
            assert!(shares.iter().any(|share| share.to_string().contains(id.as_str())), "{shares:?}");
        }
    }
}

#[tokio::test]
async fn share_then_copy_gives_the_receiver_an_image_of_its_own() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let receiver = second(&lane);
        let request = ShareImageRequest {
            spec: Some(ShareSpec {
                image: Some(reference(&lane, &image)),
                account_ids: vec![receiver.number.to_owned()],
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut shares = ShareServiceClient::new(world.api().channel);
        let started = shares.share_image(request).await.expect("accepted").into_inner().operation.unwrap();
        world.api().ended(&started.name).await;

        let away = run(&world, spec(&receiver, &image, &regions(&lane)[..1])).await;
        assert_eq!(away.error.clone().unwrap_or_default().reason, "IMAGE_SHARED_TO_YOU", "{away:#?}");
        let own = pb::CopySpec { image_name: "mine".to_owned(), ..spec(&receiver, &image, &[lane.region]) };
        let ended = run(&world, own).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!(named(&world, &receiver, lane.region, "mine").await.len(), 1);

        // The copy is independent: it travels on from the receiver's account.
        let id = left(&ended).images[0].reference.clone().unwrap().image_id;
        let on = run(&world, spec(&receiver, &id, &regions(&lane)[..1])).await;
        assert_eq!(on.state(), OperationState::Succeeded, "{on:#?}");
    }
}

#[tokio::test]
async fn within_the_region_no_copy_is_made_without_a_reason_and_sharing_is_named() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let request = pb::PreviewCopyRequest { spec: Some(spec(&lane, &image, &[lane.region])), keep_for: None };
        let told = copies(&world).preview_copy(request).await.expect("a preview").into_inner();
        assert!(!told.startable);
        let violation = told.violations.iter().find(|found| found.rule == "DESTINATION_IS_SOURCE").unwrap();
        assert!(violation.fix.contains("share the image"), "{violation:?}");
    }
}

#[tokio::test]
async fn a_copy_within_the_region_encrypts_and_a_plain_copy_of_an_encrypted_image_is_refused() {
    let world = World::start().await;
    for lane in BOTH {
        // The seeded region is nearly full by the documented ceiling.
        world.clouds.limits(&lane, serde_json::json!({ "images_per_region": 50 })).await;
        let image = world.clouds.add_image(&lane, "golden").await;
        let wanted = pb::CopySpec {
            image_name: "sealed".to_owned(),
            encryption: Some(pb::CopyEncryption { kms_key_id: "c0ffee00-0000-4000-8000-000000000001".to_owned() }),
            ..spec(&lane, &image, &[lane.region])
        };
        let ended = run(&world, wanted).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        let there = named(&world, &lane, lane.region, "sealed").await;
        assert!(there[0].to_string().contains("\"encrypted\":true"), "{there:?}");
        let id = there[0]["id"].as_str().unwrap().to_owned();
        let refused = run(&world, spec(&lane, &id, &regions(&lane)[..1])).await;
        let reason = refused.error.clone().unwrap_or_default().reason;
        assert_eq!(reason, if lane.account == "tencent" { "IMAGE_ENCRYPTED" } else { "ENCRYPTION_REFUSED" });
    }
}

#[tokio::test]
async fn an_image_above_two_tib_travels_by_its_snapshots() {
    let world = World::start().await;
    let image = ALIBABA.image("hugeone");
    let ended = run(&world, spec(&ALIBABA, &image, &regions(&ALIBABA)[..1])).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    let seen = world.clouds.audit().await;
    assert_eq!(
        (accepted(&seen, "CopyImage"), accepted(&seen, "CopySnapshot"), accepted(&seen, "CreateImage")),
        (0, 2, 1)
    );
    assert_eq!(left(&ended).images[0].snapshot_ids.len(), 2, "{ended:#?}");
}

#[tokio::test]
async fn bad_requests_are_refused_with_every_field_named() {
    let world = World::start().await;
    let image = world.clouds.add_image(&TENCENT, "golden").await;
    let mut wanted = spec(&TENCENT, &image, &["ap-shanghai", "ap-shanghai", "mars-1", "na-ashburn"]);
    wanted.image_name = "n".repeat(61);
    wanted.share_with = vec![TENCENT.number.to_owned(), "bob".to_owned()];
    let refused = copies(&world).copy_image(copy_support::request(wanted)).await.expect_err("refused");
    let told = sampan_tests_e2e::Refusal::of(&refused);
    let text = format!("{told:?}");
    for field in [
        "spec.destinations[1].region",
        "spec.destinations[3].region",
        "spec.image_name",
        "spec.share_with[0]",
        "spec.share_with[1]",
    ] {
        assert!(text.contains(field), "{field} in {text}");
    }
    assert!(world.clouds.audit().await.mutating().is_empty());
}

#[tokio::test]
async fn a_preview_tells_the_plan_and_makes_no_call_that_changes_anything() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let request = pb::PreviewCopyRequest { spec: Some(spec(&lane, &image, &regions(&lane))), keep_for: None };
        let told = copies(&world).preview_copy(request).await.expect("a preview").into_inner();
        assert!(told.startable, "{:?}", told.violations);
        assert_eq!(told.destinations.len(), 3);
        assert!(told.estimate.is_some(), "{}", told.price_unavailable);
        assert!(told.destinations.iter().all(|destination| destination.image_count.is_some()));
    }
    assert!(world.clouds.audit().await.mutating().is_empty());
}
