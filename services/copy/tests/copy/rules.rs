//! Every rule of a copy: what breaks it, at which field, what overrides it, and what is found all at once.

use std::collections::BTreeMap;

use sampan_cloud::copy::CopyTraits;
use sampan_cloud::image::{Image, ImageOrigin, ImageState};
use sampan_cloud::{Accounts, CopyCloud as _};
use sampan_copy_service::rules::{self, Finding};
use sampan_copy_service::spec::{CopySpec, Ground, Route};
use sampan_core::limits::{Enforcement, LimitChoices, LimitOverride, LimitSet, Limits};
use sampan_core::{Cloud, DiskRole, Severity, Violation};

use crate::cloud::{disk, image, region};
use crate::world::{World, accounts, spec, to};

fn accounts_of(cloud: Cloud) -> Accounts {
    accounts(&World::new(cloud).cloud)
}

fn limits_with(set: LimitSet, change: Option<(&str, LimitOverride)>) -> Limits {
    let changes: BTreeMap<_, _> = change.into_iter().map(|(id, change)| (id.to_owned(), change)).collect();
    Limits::load(&LimitChoices { set, tencent: changes.clone(), alibaba: BTreeMap::new() })
        .or_else(|_| Limits::load(&LimitChoices { set, tencent: BTreeMap::new(), alibaba: changes }))
        .unwrap()
}

fn of_request(spec: &CopySpec, limits: &Limits) -> Vec<Violation> {
    let accounts = accounts_of(spec.cloud);
    told(rules::request::check(spec, Ground { accounts: &accounts, limits }))
}

fn told(findings: Vec<Finding>) -> Vec<Violation> {
    findings.into_iter().map(Finding::violation).collect()
}

fn asked(cloud: Cloud, change: impl FnOnce(&mut CopySpec)) -> Vec<(String, String, Severity)> {
    let mut spec = spec(cloud);
    change(&mut spec);
    short(of_request(&spec, &limits_with(LimitSet::Documented, None)))
}

fn short(violations: Vec<Violation>) -> Vec<(String, String, Severity)> {
    for violation in &violations {
        assert!(!violation.message.is_empty() && !violation.fix.is_empty(), "{violation:?}");
    }
    violations.into_iter().map(|violation| (violation.rule, violation.field, violation.severity)).collect()
}

fn one(rule: &str, field: &str) -> Vec<(String, String, Severity)> {
    vec![(rule.to_owned(), field.to_owned(), Severity::Enforced)]
}

fn warns(rule: &str, field: &str) -> Vec<(String, String, Severity)> {
    vec![(rule.to_owned(), field.to_owned(), Severity::Warning)]
}

#[test]
fn the_usual_copies_break_nothing() {
    for cloud in Cloud::ALL {
        assert_eq!(asked(cloud, |_| {}), []);
    }
}

#[test]
fn tencent_copies_between_four_documented_regions_and_not_with_north_america() {
    let pair = |from: &str, to_: &str, set| {
        let mut spec = spec(Cloud::Tencent);
        spec.region = region(from);
        spec.destinations = to([region(to_)]);
        of_request(&spec, &limits_with(set, None))
    };
    let four = ["ap-guangzhou", "ap-beijing", "ap-shanghai", "ap-hongkong"];
    for from in four {
        for to in four.iter().filter(|to| **to != from) {
            assert_eq!(pair(from, to, LimitSet::Documented), [], "{from} to {to}");
        }
    }
    for (from, to, fields) in [
        ("ap-guangzhou", "na-ashburn", vec!["spec.destinations[0].region"]),
        ("na-siliconvalley", "ap-guangzhou", vec!["spec.image.region"]),
        ("ap-tokyo", "na-ashburn", vec!["spec.image.region", "spec.destinations[0].region"]),
    ] {
        let found = pair(from, to, LimitSet::Documented);
        assert_eq!(found.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), fields);
        assert!(found.iter().all(|one| one.rule == "REGION_PAIR_UNSUPPORTED"));
        assert!(found.iter().all(|one| one.source.contains("Service Limits") && !one.override_key.is_empty()));
        assert!(!from.starts_with("na-") || found[0].message.contains("North America"), "{found:?}");
    }
    assert_eq!(pair("ap-tokyo", "na-ashburn", LimitSet::Current), [], "the newer pages permit it");
    let border = pair("ap-guangzhou", "ap-singapore", LimitSet::Current);
    assert_eq!((border.len(), border[0].severity), (1, Severity::Warning), "on request");
    let finance = pair("ap-shanghai-fsi", "ap-shanghai", LimitSet::Current);
    assert_eq!((finance.len(), finance[0].severity), (1, Severity::Enforced), "never");
    assert_eq!(pair("ap-guangzhou", "ap-taipei", LimitSet::Current).len(), 1, "not at all");
}

#[test]
fn the_list_of_regions_can_be_changed_and_switched_off() {
    let mut spec = spec(Cloud::Tencent);
    spec.destinations = to([region("ap-tokyo")]);
    let change = |change: LimitOverride| limits_with(LimitSet::Documented, Some(("copy.regions", change)));
    let longer = ["ap-guangzhou", "ap-tokyo"].map(str::to_owned).to_vec();
    let longer = change(LimitOverride { values: Some(longer), ..LimitOverride::default() });
    assert_eq!(of_request(&spec, &longer), []);
    let off = change(LimitOverride { enforcement: Some(Enforcement::Off), ..LimitOverride::default() });
    assert_eq!(of_request(&spec, &off), []);
    let warn = change(LimitOverride { enforcement: Some(Enforcement::Warn), ..LimitOverride::default() });
    assert_eq!(of_request(&spec, &warn)[0].severity, Severity::Warning);
}

#[test]
fn names_have_a_length_and_characters() {
    let name = |cloud, name: &str| asked(cloud, |spec| spec.image_name = Some(name.to_owned()));
    let wrong = one("IMAGE_NAME_MALFORMED", "spec.image_name");
    for (cloud, good, bad) in [
        (Cloud::Tencent, vec!["web", "名字", "a b"], vec!["a\u{7}b"]),
        (
            Cloud::Alibaba,
            vec!["web-1.2_3:4", "名字", "ab"],
            vec!["a", "1web", "-web", "aliyun-web", "acs:web", "http://web", "a b", "a/b"],
        ),
    ] {
        for good in good {
            assert_eq!(name(cloud, good), [], "{good}");
        }
        for bad in bad {
            assert_eq!(name(cloud, bad), wrong, "{bad}");
        }
    }
    assert_eq!(name(Cloud::Tencent, &"n".repeat(60)), []);
    assert_eq!(name(Cloud::Tencent, &"n".repeat(61)), wrong);
    assert_eq!(name(Cloud::Alibaba, &"名".repeat(128)), []);
    assert_eq!(name(Cloud::Alibaba, &"n".repeat(129)), wrong);
    let own = |cloud| asked(cloud, |spec| spec.destinations[1].image_name = Some("own".to_owned()));
    assert_eq!(own(Cloud::Alibaba), []);
    assert_eq!(own(Cloud::Tencent), one("COPY_OPTION_UNSUPPORTED", "spec.destinations[1].image_name"));
}

#[test]
fn what_only_alibaba_has_is_refused_on_tencent() {
    let all = |spec: &mut CopySpec| {
        spec.description = Some("of the nightly build".to_owned());
        spec.resource_group_id = Some("rg-acfm".to_owned());
        spec.tags = [("team".to_owned(), "images".to_owned())].into();
        spec.route = Some(Route::Snapshots);
    };
    assert_eq!(asked(Cloud::Alibaba, all), []);
    let fields: Vec<_> = asked(Cloud::Tencent, all).into_iter().map(|(_, field, _)| field).collect();
    assert_eq!(fields, ["spec.description", "spec.resource_group_id", "spec.tags", "spec.route"]);
}

#[test]
fn tags_and_descriptions_have_their_form() {
    let tags = |count: usize| -> BTreeMap<String, String> {
        (0..count).map(|index| (format!("key{index}"), String::new())).collect()
    };
    assert_eq!(asked(Cloud::Alibaba, |spec| spec.tags = tags(20)), []);
    assert_eq!(asked(Cloud::Alibaba, |spec| spec.tags = tags(21)), one("TAGS_FULL", "spec.tags"));
    for key in ["aliyun-x", "acs:x", "http://x", ""] {
        let tag: BTreeMap<_, _> = [(key.to_owned(), String::new())].into();
        assert_eq!(asked(Cloud::Alibaba, |spec| spec.tags = tag), one("TAG_MALFORMED", "spec.tags"), "{key}");
    }
    let long = "d".repeat(257);
    for text in ["d", "https://x", &long] {
        let found = asked(Cloud::Alibaba, |spec| spec.description = Some(text.to_owned()));
        assert_eq!(found, one("DESCRIPTION_MALFORMED", "spec.description"));
    }
}

#[test]
fn keys_go_with_encryption_and_with_their_region() {
    let key = || Some("c0ffee00-0000-4000-8000-000000000001".to_owned());
    let found = asked(Cloud::Alibaba, |spec| spec.destinations[0].kms_key_id = key());
    assert_eq!(found, one("ENCRYPTION_MALFORMED", "spec.destinations[0].kms_key_id"));
    let encrypted = |kms_key_id| Some(sampan_cloud::copy::Encryption { kms_key_id });
    let found = asked(Cloud::Alibaba, |spec| spec.encryption = encrypted(key()));
    assert_eq!(found, warns("KMS_KEY_REFUSED", "spec.encryption.kms_key_id"));
    let found = asked(Cloud::Alibaba, |spec| spec.encryption = encrypted(Some("a b".to_owned())));
    assert!(found.contains(&one("ENCRYPTION_MALFORMED", "spec.encryption.kms_key_id")[0]));
    let found = asked(Cloud::Tencent, |spec| spec.encryption = encrypted(None));
    assert_eq!(found.len(), 3, "not on the way to any region: {found:?}");
    assert!(found.iter().all(|(rule, _, _)| rule == "ENCRYPTION_REFUSED"));
}

#[test]
fn accounts_to_share_with_are_numbers_of_others_each_once() {
    let share = |accounts: &[&str]| {
        asked(Cloud::Tencent, |spec| spec.share_with = accounts.iter().map(|one| (*one).to_owned()).collect())
    };
    assert_eq!(share(&["100000000002", "100000000003"]), []);
    assert_eq!(share(&["bob"]), one("FIELD_MALFORMED", "spec.share_with[0]"));
    assert_eq!(share(&["100000000002", "100000000002"]), one("FIELD_MALFORMED", "spec.share_with[1]"));
    assert_eq!(share(&["100000000001"]), one("SHARE_WITH_OWN_ACCOUNT", "spec.share_with[0]"));
    let many: Vec<String> = (0..51).map(|index| (100_000_000_100_u64 + index).to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(share(&many), one("SHARE_QUOTA_SPENT", "spec.share_with"));
    assert_eq!(share(&many[..50]), []);
}

#[test]
fn snapshots_are_not_copied_within_a_region() {
    let found = asked(Cloud::Alibaba, |spec| {
        spec.route = Some(Route::Snapshots);
        spec.destinations = to([spec.region.clone()]);
    });
    assert_eq!(found, one("SNAPSHOT_NOT_COPYABLE", "spec.route"));
}

#[test]
fn more_calls_than_a_day_has_are_refused_where_a_day_is_counted() {
    let change = LimitOverride { value: Some(2), ..LimitOverride::default() };
    let changes: BTreeMap<_, _> = [("image.daily_operations".to_owned(), change)].into();
    let choices = LimitChoices { alibaba: changes.clone(), tencent: changes, ..LimitChoices::default() };
    let limits = Limits::load(&choices).unwrap();
    let found = of_request(&spec(Cloud::Alibaba), &limits);
    assert_eq!(short(found), one("NUMBER_OUT_OF_RANGE", "spec.destinations"), "three calls, two a day");
    assert_eq!(of_request(&spec(Cloud::Tencent), &limits), [], "one call for all");
}

fn traits(cloud: Cloud) -> CopyTraits {
    World::new(cloud).cloud.copy_traits()
}

fn about(cloud: Cloud, change: impl FnOnce(&mut CopySpec, &mut Image)) -> Vec<(String, String, Severity)> {
    let mut spec = spec(cloud);
    let mut image = image(spec.image.as_str(), vec![disk(DiskRole::System, "xvda", 50, "s-1")]);
    change(&mut spec, &mut image);
    let limits = limits_with(LimitSet::Documented, None);
    short(told(rules::image::check(&spec, Some(&image), traits(cloud), &limits)))
}

#[test]
fn the_origin_and_the_state_of_the_image_decide() {
    const ID: &str = "spec.image.image_id";
    for cloud in Cloud::ALL {
        assert_eq!(about(cloud, |_, _| {}), []);
        assert_eq!(about(cloud, |_, image| image.origin = ImageOrigin::Public), one("IMAGE_NOT_CUSTOM", ID));
        assert_eq!(about(cloud, |_, image| image.origin = ImageOrigin::Shared), one("IMAGE_SHARED_TO_YOU", ID));
        let market = about(cloud, |_, image| image.origin = ImageOrigin::Marketplace);
        assert_eq!(market, warns("IMAGE_FROM_MARKETPLACE", ID));
        for state in [ImageState::Pending, ImageState::Failed, ImageState::Deprecated] {
            assert_eq!(about(cloud, |_, image| image.state = state), one("IMAGE_NOT_READY", ID));
        }
        let limits = limits_with(LimitSet::Documented, None);
        let absent = told(rules::image::check(&spec(cloud), None, traits(cloud), &limits));
        assert_eq!(short(absent), one("IMAGE_NOT_FOUND", ID));
    }
}

#[test]
fn within_its_region_an_image_is_copied_to_encrypt_or_to_own_it_and_for_nothing_else() {
    for cloud in Cloud::ALL {
        let home = |spec: &mut CopySpec| spec.destinations = to([spec.region.clone()]);
        let found = about(cloud, |spec, _| home(spec));
        assert_eq!(found, one("DESTINATION_IS_SOURCE", "spec.destinations[0].region"));
        let found = about(cloud, |spec, image| {
            home(spec);
            image.origin = ImageOrigin::Shared;
        });
        assert_eq!(found, []);
        let found = about(cloud, |spec, _| {
            home(spec);
            spec.encryption = Some(Default::default());
        });
        assert_eq!(found, []);
    }
}

#[test]
fn encryption_is_judged_by_each_clouds_own_rule() {
    let encrypted = |image: &mut Image| image.disks[0].encrypted = Some(true);
    let found = about(Cloud::Tencent, |_, image| encrypted(image));
    assert_eq!(found, one("IMAGE_ENCRYPTED", "spec.image.image_id"));
    let found = about(Cloud::Alibaba, |_, image| encrypted(image));
    assert_eq!(found, one("ENCRYPTION_REFUSED", "spec.encryption"), "an encrypted image never becomes plain");
    let found = about(Cloud::Alibaba, |spec, image| {
        encrypted(image);
        spec.encryption = Some(Default::default());
    });
    assert_eq!(found, []);
    let found = about(Cloud::Alibaba, |spec, _| spec.encryption = Some(Default::default()));
    assert_eq!(
        found,
        warns("ENCRYPTION_REFUSED", "spec.encryption"),
        "plain to encrypted across regions may be refused"
    );
    for cloud in Cloud::ALL {
        let found = about(cloud, |_, image| image.disks[0].encrypted = None);
        assert_eq!(found, warns("IMAGE_ENCRYPTION_UNKNOWN", "spec.image.image_id"));
    }
}

#[test]
fn two_tib_travel_in_one_piece_and_one_more_gib_by_snapshots() {
    let limits = limits_with(LimitSet::Documented, None);
    let of = |gib: u64| image("m-1", vec![disk(DiskRole::System, "xvda", gib, "s-1")]);
    let route = |gib| rules::image::route_of(&spec(Cloud::Alibaba), &of(gib), traits(Cloud::Alibaba), &limits);
    assert_eq!((route(2048), route(2049)), (Route::Image, Route::Snapshots));
    let large = |image: &mut Image| image.disks[0].size_gib = 2049;
    assert_eq!(about(Cloud::Alibaba, |_, image| large(image)), []);
    assert_eq!(about(Cloud::Tencent, |_, image| large(image)), [], "no size is known there; the cloud decides");
    let found = about(Cloud::Alibaba, |spec, image| {
        large(image);
        spec.route = Some(Route::Image);
    });
    assert_eq!(found, one("IMAGE_TOO_LARGE_TO_COPY", "spec.image.image_id"));
    let found = about(Cloud::Alibaba, |_, image| {
        large(image);
        image.disks[0].snapshot_id = None;
    });
    assert_eq!(found, one("SNAPSHOT_NOT_FOUND", "spec.image.image_id"));
    let found = about(Cloud::Alibaba, |spec, image| {
        spec.route = Some(Route::Snapshots);
        image.disks.extend((0..17).map(|_| disk(DiskRole::Data, "", 1, "s-2")));
    });
    assert_eq!(found, one("IMAGE_TOO_MANY_DATA_DISKS", "spec.image.image_id"));
}

#[test]
fn whole_machine_images_of_tencent_are_left_to_the_cloud_with_a_word() {
    let found = about(Cloud::Tencent, |_, image| image.disks.push(disk(DiskRole::Data, "", 10, "s-2")));
    assert_eq!(found, warns("IMAGE_NOT_COPYABLE", "spec.image.image_id"));
}
