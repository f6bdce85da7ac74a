//! With whom the simulated clouds let an image be shared, and what receivers can do with it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[expect(dead_code, reason = "shared with the tests of copies")]
mod images;

use images::{ALIBABA, Clouds, TENCENT, alibaba_image, clouds, copy, share, sync};
use sampan_core::Cloud;
use sampan_simulator::world::{CopyRequest, Encryption, ImageRefusal, Limits, Origin};

const GOOD: &str = "img-ubuntu01";
const THEM: &str = "100000000002";

fn give(clouds: &Clouds, accounts: &[&str]) -> Result<(), ImageRefusal> {
    clouds.world.share(Cloud::Tencent, &share(TENCENT, GOOD, accounts, &[]))
}

fn receivers(clouds: &Clouds) -> Vec<String> {
    let shares = clouds.world.receivers(Cloud::Tencent, TENCENT.0, TENCENT.1, GOOD).unwrap();
    shares.into_iter().map(|share| share.receiver).collect()
}

#[test]
fn a_share_lets_the_receiver_see_the_image_in_its_region_until_it_is_taken_back() {
    let clouds = clouds();
    let seen = |region: &str| clouds.world.image(Cloud::Tencent, THEM, region, GOOD);
    assert!(seen("ap-guangzhou").is_none());
    give(&clouds, &[THEM]).unwrap();
    let theirs = seen("ap-guangzhou").unwrap();
    assert_eq!(
        (theirs.origin, theirs.owner.as_deref(), theirs.account.as_str()),
        (Origin::Shared, Some(TENCENT.0), THEM)
    );
    assert!(seen("ap-shanghai").is_none());
    assert!(clouds.world.image(Cloud::Tencent, "100000000100", "ap-guangzhou", GOOD).is_none());
    clouds.world.share(Cloud::Tencent, &share(TENCENT, GOOD, &[], &[THEM])).unwrap();
    assert!(seen("ap-guangzhou").is_none());
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, TENCENT.1), 2);
}

#[test]
fn a_call_with_one_bad_account_changes_and_spends_nothing() {
    let clouds = clouds();
    give(&clouds, &["100000000100"]).unwrap();
    for (bad, is_its_reason) in [
        (TENCENT.0, (|r| matches!(r, ImageRefusal::AccountIsSelf { .. })) as fn(&ImageRefusal) -> bool),
        ("200000000001", |r| matches!(r, ImageRefusal::AccountIsSub { .. })),
        ("999999999999", |r| matches!(r, ImageRefusal::AccountUnknown { .. })),
        ("100000000100", |r| matches!(r, ImageRefusal::AccountHasIt { .. })),
    ] {
        let refused = give(&clouds, &[THEM, bad]).unwrap_err();
        assert!(is_its_reason(&refused), "{bad}: {refused}");
    }
    assert_eq!(receivers(&clouds), ["100000000100"]);
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, TENCENT.1), 1);
}

#[test]
fn the_fifty_first_account_is_refused() {
    let clouds = clouds();
    let ids: Vec<String> = (100..151).map(|number| format!("100000000{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(give(&clouds, &ids), Err(ImageRefusal::ShareQuota { limit: 50 }));
    give(&clouds, &ids[..50]).unwrap();
    assert_eq!(give(&clouds, &ids[50..]), Err(ImageRefusal::ShareQuota { limit: 50 }));
    assert_eq!(receivers(&clouds).len(), 50);
    // On Alibaba one call can make room and use it.
    let image = alibaba_image("ubuntu");
    let of_alibaba = |number: u32| format!("1000000000000{number}");
    for number in 100..150 {
        let id = of_alibaba(number);
        clouds.world.share(Cloud::Alibaba, &share(ALIBABA, &image, &[&id], &[])).unwrap();
    }
    let (more, gone) = (of_alibaba(150), of_alibaba(100));
    let add = clouds.world.share(Cloud::Alibaba, &share(ALIBABA, &image, &[&more], &[]));
    assert_eq!(add, Err(ImageRefusal::ShareQuota { limit: 50 }));
    clouds.world.share(Cloud::Alibaba, &share(ALIBABA, &image, &[&more], &[&gone])).unwrap();
}

#[test]
fn alibaba_takes_a_repetition_without_a_word_and_knows_no_sub_accounts() {
    let clouds = clouds();
    let image = alibaba_image("ubuntu");
    let give = |account: &str| clouds.world.share(Cloud::Alibaba, &share(ALIBABA, &image, &[account], &[]));
    give("1000000000000002").unwrap();
    give("1000000000000002").unwrap();
    assert_eq!(clouds.world.shares().len(), 1);
    assert!(matches!(give("5000000000000001"), Err(ImageRefusal::AccountOfOtherSite { .. })));
    assert!(matches!(give(ALIBABA.0), Err(ImageRefusal::AccountIsSelf { .. })));
    assert!(matches!(give("27"), Err(ImageRefusal::AccountUnknown { .. })));
    clouds.world.share(Cloud::Alibaba, &share(ALIBABA, &image, &[], &["1000000000000150"])).unwrap();
}

#[test]
fn a_shared_image_is_deleted_after_its_shares_only_and_exported_by_its_owner_only() {
    let clouds = clouds();
    give(&clouds, &[THEM]).unwrap();
    let delete = |account: &str| {
        let request = sampan_simulator::world::DeleteRequest {
            account: account.to_owned(),
            region: TENCENT.1.to_owned(),
            image_ids: vec![GOOD.to_owned()],
            with_snapshots: true,
            force: true,
            dry_run: false,
        };
        clouds.world.delete_images(Cloud::Tencent, &request)
    };
    assert!(matches!(delete(TENCENT.0), Err(ImageRefusal::SharedOut { .. })));
    assert!(matches!(delete(THEM), Err(ImageRefusal::NotOwner { .. })));
    // Received images are not shared on.
    let on = clouds.world.share(Cloud::Tencent, &share((THEM, TENCENT.1), GOOD, &["100000000100"], &[]));
    assert!(matches!(on, Err(ImageRefusal::NotOwner { .. })));
    clouds.world.share(Cloud::Tencent, &share(TENCENT, GOOD, &[], &[THEM])).unwrap();
    delete(TENCENT.0).unwrap();
}

#[test]
fn a_receiver_copies_within_the_region_and_owns_the_result() {
    let clouds = clouds();
    give(&clouds, &[THEM]).unwrap();
    let own = |region: &str| CopyRequest { account: THEM.to_owned(), ..sync(GOOD, &[region]) };
    assert!(matches!(clouds.copy(&own("ap-shanghai")), Err(ImageRefusal::SharedElsewhere { .. })));
    let made = clouds.copy(&own(TENCENT.1)).unwrap().remove(0).image_id;
    clouds.pass(100);
    clouds.world.share(Cloud::Tencent, &share(TENCENT, GOOD, &[], &[THEM])).unwrap();
    let image = clouds.world.image(Cloud::Tencent, THEM, TENCENT.1, &made).unwrap();
    assert_eq!((image.origin, image.owner), (Origin::Custom, None));
    assert!(clouds.world.image(Cloud::Tencent, TENCENT.0, TENCENT.1, &made).is_none());
    // The operation was the receiver's.
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, THEM, TENCENT.1), 1);
    let theirs = alibaba_image("ubuntu");
    clouds.world.share(Cloud::Alibaba, &share(ALIBABA, &theirs, &["1000000000000002"], &[])).unwrap();
    let received = |region| CopyRequest { account: "1000000000000002".to_owned(), ..copy("ubuntu", region) };
    assert!(matches!(clouds.copy(&received("cn-beijing")), Err(ImageRefusal::SharedElsewhere { .. })));
    clouds.copy(&received("cn-hangzhou")).unwrap();
}

#[test]
fn encrypted_images_are_shared_by_each_clouds_rule() {
    let clouds = clouds();
    let crypted = clouds.world.share(Cloud::Tencent, &share(TENCENT, "img-crypted1", &[THEM], &[]));
    assert!(matches!(crypted, Err(ImageRefusal::Encrypted { .. })));
    let give = |image: &str| clouds.world.share(Cloud::Alibaba, &share(ALIBABA, image, &["1000000000000002"], &[]));
    assert!(matches!(give(&alibaba_image("crypted")), Err(ImageRefusal::ServiceKey { .. })));
    let encryption = Some(Encryption { kms_key: Some("c0ffee00-0000-4000-8000-000000000001".to_owned()) });
    let encrypted = |word| {
        let request = CopyRequest { encryption: encryption.clone(), ..copy(word, "cn-hangzhou") };
        clouds.copy(&request).unwrap().remove(0).image_id
    };
    let (one, many) = (encrypted("ubuntu"), encrypted("debian"));
    assert!(matches!(give(&one), Err(ImageRefusal::NotReady { .. })));
    clouds.pass(100);
    assert!(matches!(give(&many), Err(ImageRefusal::SeveralEncrypted { .. })));
    let limits = Limits { encrypted_shares: false, ..Limits::of(Cloud::Alibaba) };
    clouds.world.set_limits(Cloud::Alibaba, ALIBABA.0, limits).unwrap();
    assert_eq!(give(&one), Err(ImageRefusal::ShareRoleMissing));
    clouds.world.set_limits(Cloud::Alibaba, ALIBABA.0, Limits::of(Cloud::Alibaba)).unwrap();
    give(&one).unwrap();
}

#[test]
fn a_share_by_hand_checks_and_spends_nothing() {
    let clouds = clouds();
    let shares = clouds.world.change_share(Cloud::Tencent, TENCENT.1, GOOD, "999999999999", true).unwrap();
    assert_eq!(shares.len(), 1);
    assert_eq!(receivers(&clouds), ["999999999999"]);
    assert!(clouds.world.change_share(Cloud::Tencent, TENCENT.1, GOOD, "999999999999", false).unwrap().is_empty());
    assert!(clouds.world.change_share(Cloud::Tencent, "ap-beijing", GOOD, THEM, true).is_err());
    assert_eq!(clouds.world.used_operations(Cloud::Tencent, TENCENT.0, TENCENT.1), 0);
}
