//! Images are shared, taken back and listed over the real wire, within the limits of both clouds.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod share_support;

use sampan_proto::operation::v1::{OperationState, TargetState};
use sampan_proto::share::v1 as pb;
use sampan_proto::share::v1::ShareChange::{Add, Remove, Set};
use sampan_tests_e2e::{ALIBABA, Lane, Refusal, TENCENT, World};
use share_support::{ACTION, accepted, holders, own, receivers, reference, run, send, shares, spec};

const BOTH: [Lane; 2] = [TENCENT, ALIBABA];

#[tokio::test]
async fn an_image_is_shared_taken_back_and_set_exactly() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let all = receivers(&lane, 0..12);
        let ended = run(&world, Add, spec(&lane, &image, &all)).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!((&own(&ended).added, holders(&world.clouds, &image).await), (&all, all.clone()));
        assert!(ended.targets.iter().all(|target| target.state() == TargetState::Succeeded));
        let codes: Vec<_> = ended.warnings.iter().map(|warning| warning.code.as_str()).collect();
        for code in ["SHARE_NOT_REVIEWED", "SHARE_INSTANCES_ONLY", "SHARE_NAME_FROZEN", "SHARE_SAME_REGION"] {
            assert!(codes.contains(&code), "{codes:?}");
        }

        run(&world, Remove, spec(&lane, &image, &all[..2])).await;
        assert_eq!(holders(&world.clouds, &image).await, all[2..]);

        let exact = receivers(&lane, 10..15);
        let ended = run(&world, Set, spec(&lane, &image, &exact)).await;
        assert_eq!((&own(&ended).accounts, holders(&world.clouds, &image).await), (&exact, exact.clone()));
        assert_eq!((own(&ended).added.len(), own(&ended).removed.len()), (3, 8));

        let request = pb::ListImageSharesRequest { image: Some(reference(&lane, &image)) };
        let listed = shares(&world).list_image_shares(request).await.expect("a list").into_inner().shares;
        let ids: Vec<_> = listed.iter().map(|share| share.account_id.clone()).collect();
        assert_eq!(ids, exact);
        assert!(listed.iter().all(|share| share.share_time.is_some()));
    }
    // Alibaba: 2 chunks, 1, and 1 for both directions. Tencent: 1, 1, and one call for each direction.
    assert_eq!(accepted(&world).await, 4 + 4);
    assert_eq!(world.clouds.counted(&TENCENT).await, 4);
    assert_eq!(world.api().quota(&TENCENT).await.used, 4, "our count is the cloud's");
}

#[tokio::test]
async fn repeating_a_share_calls_nobody_and_spends_nothing() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let wanted = spec(&lane, &image, &receivers(&lane, 0..3));
        run(&world, Add, wanted.clone()).await;
        let before = accepted(&world).await;
        for change in [Add, Set] {
            let again = run(&world, change, wanted.clone()).await;
            assert_eq!(again.state(), OperationState::Succeeded);
            assert_eq!((own(&again).added.len(), own(&again).accounts.len()), (0, 3));
        }
        assert_eq!(accepted(&world).await, before);
    }
    assert_eq!(world.api().quota(&TENCENT).await.used, 1);
}

#[tokio::test]
async fn a_preview_tells_everything_and_calls_nobody() {
    let world = World::start().await;
    let image = world.clouds.add_image(&TENCENT, "golden").await;
    let named = [TENCENT.number.to_owned(), "x".to_owned(), TENCENT.receiver(1)];
    let request = pb::PreviewShareRequest { spec: Some(spec(&TENCENT, &image, &named)), change: Add.into() };
    let told = shares(&world).preview_share(request).await.expect("a preview").into_inner();
    let rules: Vec<_> = told.violations.iter().map(|violation| violation.rule.as_str()).collect();
    assert_eq!(rules, ["SHARE_WITH_OWN_ACCOUNT", "SHARE_ACCOUNT_MALFORMED"]);
    assert!(!told.startable && told.image.is_some() && !told.warnings.is_empty());
    let refused = send(&world, Add, spec(&TENCENT, &image, &named)).await.expect_err("the start is refused");
    let refused = Refusal::of(&refused);
    let fields: Vec<_> = refused.fields().iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(fields, ["spec.account_ids[0]", "spec.account_ids[1]"]);
    assert!(world.clouds.audit().await.mutating().is_empty());
}

#[tokio::test]
async fn images_that_are_not_shared_are_refused_before_any_call() {
    let world = World::start().await;
    for lane in BOTH {
        for (word, reason) in [
            ("shared", "IMAGE_SHARED_TO_YOU"),
            ("public", "IMAGE_NOT_CUSTOM"),
            ("creatng", "IMAGE_NOT_READY"),
            ("nothere", "IMAGE_NOT_FOUND"),
        ] {
            let ended = run(&world, Add, spec(&lane, &lane.image(word), &receivers(&lane, 0..1))).await;
            assert_eq!(ended.state(), OperationState::Failed, "{word}: {ended:#?}");
            assert_eq!(ended.error.expect("an error").reason, reason, "{} {word}", lane.cloud);
        }
    }
    let ended = run(&world, Add, spec(&TENCENT, &TENCENT.image("crypted"), &receivers(&TENCENT, 0..1))).await;
    assert_eq!(ended.error.expect("an error").reason, "IMAGE_ENCRYPTED");
    assert!(world.clouds.audit().await.mutating().is_empty());
    assert_eq!(world.api().quota(&TENCENT).await.used, 0);
}

#[tokio::test]
async fn the_fifty_first_account_is_refused_with_the_live_list() {
    let world = World::start().await;
    for lane in BOTH {
        let image = world.clouds.add_image(&lane, "golden").await;
        let ended = run(&world, Add, spec(&lane, &image, &receivers(&lane, 0..49))).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        let ended = run(&world, Add, spec(&lane, &image, &receivers(&lane, 49..50))).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        let before = world.clouds.audit().await.of(ACTION).len();
        let ended = run(&world, Add, spec(&lane, &image, &receivers(&lane, 50..51))).await;
        assert_eq!(ended.error.as_ref().expect("an error").reason, "SHARE_QUOTA_SPENT");
        assert_eq!(world.clouds.audit().await.of(ACTION).len(), before, "the cloud was not asked");
        assert_eq!(holders(&world.clouds, &image).await.len(), 50);
    }
}

#[tokio::test]
async fn bad_accounts_fail_alone_with_the_clouds_own_code() {
    let world = World::start().await;
    for (lane, bad, reason) in [
        (TENCENT, "200000000001", "SHARE_ACCOUNT_NOT_ROOT"),
        (TENCENT, "100000009999", "SHARE_ACCOUNT_NOT_FOUND"),
        (ALIBABA, "9999999999999999", "SHARE_ACCOUNT_NOT_FOUND"),
        (ALIBABA, "5000000000000001", "SHARE_ACCOUNT_OF_OTHER_SITE"),
    ] {
        let image = world.clouds.add_image(&lane, &format!("with{bad}")).await;
        let mut named = receivers(&lane, 0..3);
        named.insert(1, bad.to_owned());
        let ended = run(&world, Add, spec(&lane, &image, &named)).await;
        assert_eq!(ended.state(), OperationState::PartiallySucceeded, "{bad}: {ended:#?}");
        assert_eq!(holders(&world.clouds, &image).await, receivers(&lane, 0..3), "{bad}");
        let failed: Vec<_> = ended
            .targets
            .iter()
            .filter(|target| target.state() == TargetState::Failed)
            .map(|target| &target.id)
            .collect();
        assert_eq!(failed, [bad]);
        let error = ended.targets[1].error.as_ref().expect("an error");
        assert_eq!(error.reason, reason);
        assert!(!error.vendor_code.is_empty() && !error.remedy.is_empty());
    }
}

#[tokio::test]
async fn no_sixth_call_of_a_day_reaches_the_cloud() {
    let world = World::start().await;
    let image = world.clouds.add_image(&TENCENT, "golden").await;
    for index in 0..5 {
        let ended = run(&world, Add, spec(&TENCENT, &image, &receivers(&TENCENT, index..index + 1))).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    }
    let refused = send(&world, Add, spec(&TENCENT, &image, &receivers(&TENCENT, 9..10))).await.expect_err("refused");
    assert_eq!(Refusal::of(&refused).reason(), "QUOTA_SPENT");
    assert_eq!(world.clouds.audit().await.of(ACTION).len(), 5);
}
