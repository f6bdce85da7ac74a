//! Every rule, at its limit and beyond, in previews and again under the lock.

use sampan_cloud::image::{Image, ImageOrigin, ImageState};
use sampan_core::limits::{LimitChoices, LimitSet, Limits};
use sampan_core::{Cloud, DiskRole, Reason, Severity, Violation, finding};
use sampan_share_service::rules;
use sampan_share_service::spec::{Change, Ground, ShareSpec};
use sampan_state::operation::State;

use crate::cloud::{disk, image, image_id};
use crate::world::{OWN, World, accounts, limits, numbers, reason, spec, succeeded};

fn broken(cloud: Cloud, change: Change, named: &[&str]) -> Vec<(String, String)> {
    let world = World::new(cloud);
    let spec = spec(cloud, change, named.iter().map(|account| (*account).to_owned()).collect());
    let (accounts, limits) = (accounts(&world.cloud), limits());
    let findings = rules::accounts::check(&spec, Ground { accounts: &accounts, limits: &limits });
    let (enforced, _) = finding::split(findings);
    enforced.into_iter().map(|violation| (violation.rule, violation.field)).collect()
}

fn at(index: usize, rule: &str) -> (String, String) {
    (rule.to_owned(), format!("spec.account_ids[{index}]"))
}

#[test]
fn account_numbers_are_digits_and_users_are_told_apart() {
    for cloud in Cloud::ALL {
        let wrong = broken(
            cloud,
            Change::Add,
            &[
                "100012345678",
                "",
                "1234",
                "12a45678",
                "０１２３４５６",
                "0123456",
                "100000000000000000000",
                "name@corp.onaliyun.com",
                "uin/100012345678",
                "uin:100012345678",
                "10000000000000000000",
            ],
        );
        let malformed = (1..=6).map(|index| at(index, "SHARE_ACCOUNT_MALFORMED"));
        let users = (7..=9).map(|index| at(index, "SHARE_ACCOUNT_NOT_ROOT"));
        assert_eq!(wrong, malformed.chain(users).collect::<Vec<_>>(), "{cloud}");
    }
}

#[test]
fn the_own_account_and_repetitions_are_refused_with_everything_else_at_once() {
    let wrong = broken(Cloud::Tencent, Change::Add, &["x", OWN, "100012345678", "100012345678"]);
    let expected = [at(0, "SHARE_ACCOUNT_MALFORMED"), at(1, "SHARE_WITH_OWN_ACCOUNT"), at(3, "SHARE_ACCOUNT_REPEATED")];
    assert_eq!(wrong, expected);
}

#[test]
fn only_an_exact_list_may_be_empty() {
    let missing = [("FIELD_REQUIRED".to_owned(), "spec.account_ids".to_owned())];
    assert_eq!(broken(Cloud::Tencent, Change::Add, &[]), missing);
    assert_eq!(broken(Cloud::Tencent, Change::Remove, &[]), missing);
    assert_eq!(broken(Cloud::Tencent, Change::Set, &[]), []);
}

#[test]
fn fifty_accounts_may_be_named_and_fifty_one_may_not() {
    let over = [("SHARE_QUOTA_SPENT".to_owned(), "spec.account_ids".to_owned())];
    for cloud in Cloud::ALL {
        let named = |count| numbers(0..count);
        let check = |change, count: u64| {
            let named = named(count);
            broken(cloud, change, &named.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(check(Change::Add, 49), []);
        assert_eq!(check(Change::Add, 50), []);
        assert_eq!(check(Change::Add, 51), over);
        assert_eq!(check(Change::Set, 51), over);
        assert_eq!(check(Change::Remove, 51), [], "nothing is exceeded by taking back");
    }
}

#[test]
fn an_answer_stays_small_however_many_accounts_are_wrong() {
    let named: Vec<String> = (0..5_000).map(|index| format!("user-{index}")).collect();
    assert_eq!(broken(Cloud::Tencent, Change::Add, &named.iter().map(String::as_str).collect::<Vec<_>>()).len(), 100);
}

#[tokio::test]
async fn who_has_the_image_already_may_lose_it_though_the_list_is_beyond_the_limit() {
    // More than the documents permit, by another edition of the limits or by hand.
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..60));
    succeeded(&world.run(Change::Remove, &numbers(0..5)).await);
    assert_eq!(world.calls_made(), [(0, 5)]);
    succeeded(&world.run(Change::Add, &numbers(5..6)).await);
    assert_eq!(world.calls_made().len(), 1, "nobody comes anew");
}

#[test]
fn the_newer_edition_permits_five_hundred_accounts_at_tencent() {
    let choices = LimitChoices { set: LimitSet::Current, ..LimitChoices::default() };
    let limits = Limits::load(&choices).unwrap();
    let most = |cloud| limits.number(cloud, "share.accounts").unwrap().value;
    assert_eq!((most(Cloud::Tencent), most(Cloud::Alibaba)), (Some(500), Some(50)));
}

#[tokio::test]
async fn the_fifty_first_account_is_counted_with_the_live_list() {
    for (there, comes, fits) in [(48, 1, true), (49, 1, true), (50, 1, false), (40, 11, false), (0, 50, true)] {
        let world = World::new(Cloud::Tencent);
        world.cloud.shared_with(&world.image, &numbers(0..there));
        let ended = world.run(Change::Add, &numbers(100..100 + comes)).await;
        if fits {
            succeeded(&ended);
            continue;
        }
        assert_eq!((ended.state, reason(&ended)), (State::Failed, "SHARE_QUOTA_SPENT"), "{there} and {comes}");
        let violation = &ended.failure.as_ref().unwrap().violations[0];
        assert_eq!((violation.limit.as_str(), violation.observed.as_str()), ("50 accounts", "51 accounts"));
        assert_eq!(violation.override_key, "limits.tencent.\"share.accounts\"");
        assert_eq!((world.cloud.calls().len(), world.units().await), (0, (0, 0, 0)), "nothing was called or spent");
    }
}

#[tokio::test]
async fn a_full_list_is_replaced_by_another_full_list() {
    let world = World::new(Cloud::Tencent);
    world.cloud.shared_with(&world.image, &numbers(0..50));
    succeeded(&world.run(Change::Set, &numbers(50..100)).await);
    assert_eq!(world.calls_made(), [(0, 50), (50, 0)], "room is made first");
}

fn of_image(cloud: Cloud, change: Change, edit: impl FnOnce(&mut Image)) -> Vec<(String, Severity)> {
    let mut image = image(&image_id(cloud));
    edit(&mut image);
    let spec: ShareSpec = spec(cloud, change, numbers(0..1));
    let told = |violation: Violation| (violation.rule, violation.severity);
    rules::image::check(&spec, Some(&image)).into_iter().map(|finding| told(finding.violation())).collect()
}

fn enforced(reason: Reason) -> Vec<(String, Severity)> {
    vec![(reason.as_str().to_owned(), Severity::Enforced)]
}

fn warning(reason: Reason) -> Vec<(String, Severity)> {
    vec![(reason.as_str().to_owned(), Severity::Warning)]
}

#[test]
fn only_own_custom_images_that_are_ready_are_shared() {
    for cloud in Cloud::ALL {
        let check = |edit: &dyn Fn(&mut Image)| of_image(cloud, Change::Add, edit);
        assert_eq!(check(&|_| {}), []);
        assert_eq!(check(&|image| image.origin = ImageOrigin::Public), enforced(Reason::ImageNotCustom));
        assert_eq!(check(&|image| image.origin = ImageOrigin::Shared), enforced(Reason::ImageSharedToYou));
        assert_eq!(check(&|image| image.origin = ImageOrigin::Marketplace), warning(Reason::ImageFromMarketplace));
        for state in [ImageState::Pending, ImageState::Failed, ImageState::Deprecated] {
            assert_eq!(check(&|image| image.state = state), enforced(Reason::ImageNotReady), "{state:?}");
        }
        let withdrawn = of_image(cloud, Change::Remove, |image| image.state = ImageState::Deprecated);
        assert_eq!(withdrawn, warning(Reason::ImageNotReady), "its shares may end");
    }
}

#[test]
fn encrypted_images_are_shared_by_the_rule_of_each_cloud() {
    let encrypt = |image: &mut Image| image.disks[0].encrypted = Some(true);
    let two_disks = |image: &mut Image| {
        image.disks.push(disk(DiskRole::Data));
        image.disks[0].encrypted = Some(true);
    };
    assert_eq!(of_image(Cloud::Tencent, Change::Add, encrypt), enforced(Reason::ImageEncrypted));
    assert_eq!(of_image(Cloud::Alibaba, Change::Add, encrypt), warning(Reason::ImageEncrypted));
    assert_eq!(of_image(Cloud::Alibaba, Change::Add, two_disks), enforced(Reason::ImageNotShareable));
    for cloud in Cloud::ALL {
        let unknown = of_image(cloud, Change::Add, |image| image.disks[0].encrypted = None);
        assert_eq!(unknown, warning(Reason::ImageEncryptionUnknown));
        assert_eq!(of_image(cloud, Change::Remove, encrypt), [], "what is shared can be taken back");
    }
}

#[test]
fn images_with_data_disks_may_be_refused_by_tencent() {
    let add_disk = |image: &mut Image| image.disks.push(disk(DiskRole::Data));
    assert_eq!(of_image(Cloud::Tencent, Change::Add, add_disk), warning(Reason::ImageNotShareable));
    assert_eq!(of_image(Cloud::Alibaba, Change::Add, add_disk), []);
}

#[test]
fn an_image_that_does_not_exist_is_told_with_the_way_to_another_region() {
    let spec: ShareSpec = spec(Cloud::Tencent, Change::Add, numbers(0..1));
    let found: Vec<Violation> = rules::image::check(&spec, None).into_iter().map(finding::Finding::violation).collect();
    assert_eq!((found.len(), found[0].rule.as_str()), (1, "IMAGE_NOT_FOUND"));
    assert!(found[0].fix.contains("copy the image there"), "{}", found[0].fix);
}

#[tokio::test]
async fn an_image_that_vanishes_after_the_start_fails_under_the_lock_and_gives_the_unit_back() {
    let world = World::new(Cloud::Tencent);
    let id = world.start(&world.spec(Change::Add, &numbers(0..1))).await;
    world.cloud.script().images.clear();
    let ended = world.end(id).await;
    assert_eq!((ended.state, reason(&ended)), (State::Failed, "IMAGE_NOT_FOUND"));
    assert_eq!((world.cloud.calls().len(), world.units().await), (0, (0, 0, 0)));
}
