//! An image or a bucket that cannot be exported from or to is told with a reason of its own, by the preview and by
//! the operation, before anything is spent.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use sampan_proto::export::v1::ExportSpec;
use sampan_proto::image::v1::{ImageFormat, Severity, Violation};
use sampan_proto::operation::v1::{Operation, OperationState, QuotaStatus};
use sampan_tests_e2e::{ALIBABA, Lane, TENCENT, World, spec_of};
use serde_json::json;

/// One obstacle: the word of a seeded image, a bucket, and the rules that are broken.
struct Case {
    image: &'static str,
    bucket: &'static str,
    rules: &'static [&'static str],
}

const fn image(image: &'static str, rules: &'static [&'static str]) -> Case {
    Case { image, bucket: "", rules }
}

const fn bucket(bucket: &'static str, rules: &'static [&'static str]) -> Case {
    Case { image: "ubuntu", bucket, rules }
}

const IMAGES: &[Case] = &[
    image("windows", &["IMAGE_WINDOWS"]),
    image("market", &["IMAGE_FROM_MARKETPLACE"]),
    image("crypted", &["IMAGE_ENCRYPTED"]),
    image("biggest", &["IMAGE_DISK_TOO_LARGE"]),
    image("sixdata", &["IMAGE_TOO_MANY_DATA_DISKS"]),
    image("shared", &["IMAGE_SHARED_TO_YOU"]),
    image("public", &["IMAGE_NOT_CUSTOM"]),
    image("creatng", &["IMAGE_NOT_READY"]),
    image("nothere", &["IMAGE_NOT_FOUND"]),
    // It exists, but in another account.
    image("second", &["IMAGE_NOT_FOUND"]),
];

const TENCENT_ONLY: &[Case] = &[
    image("redhat", &["IMAGE_RED_HAT"]),
    bucket("sampan-nowhere-1250000000", &["BUCKET_NOT_FOUND"]),
    bucket("sampan-shanghai-1250000000", &["BUCKET_ELSEWHERE"]),
    bucket("sampan-readonly-1250000000", &["BUCKET_NOT_WRITABLE"]),
    bucket("sampan-other-1250000001", &["BUCKET_NOT_ACCESSIBLE"]),
    Case { image: "windows", bucket: "sampan-nowhere-1250000000", rules: &["IMAGE_WINDOWS", "BUCKET_NOT_FOUND"] },
];

const ALIBABA_ONLY: &[Case] = &[
    bucket("sampan-nowhere", &["BUCKET_NOT_FOUND"]),
    bucket("sampan-shanghai", &["BUCKET_ELSEWHERE"]),
    bucket("sampan-readonly", &["BUCKET_NOT_WRITABLE"]),
    bucket("sampan-encrypted", &["BUCKET_ENCRYPTED"]),
    bucket("sampan-other", &["BUCKET_NOT_ACCESSIBLE"]),
    Case { image: "sixdata", bucket: "sampan-encrypted", rules: &["IMAGE_TOO_MANY_DATA_DISKS", "BUCKET_ENCRYPTED"] },
];

#[tokio::test]
async fn every_obstacle_on_tencent_is_told_before_anything_is_spent() {
    refuses_all(TENCENT, IMAGES.iter().chain(TENCENT_ONLY)).await;
}

#[tokio::test]
async fn every_obstacle_on_alibaba_is_told_before_anything_is_spent() {
    refuses_all(ALIBABA, IMAGES.iter().chain(ALIBABA_ONLY)).await;
}

async fn refuses_all(lane: Lane, cases: impl Iterator<Item = &Case>) {
    let world = World::start().await;
    let mut wrong = Vec::new();
    for case in cases {
        let mut spec = spec_of(&lane, lane.image(case.image));
        if !case.bucket.is_empty() {
            case.bucket.clone_into(&mut spec.bucket);
        }
        let what = format!("{} to {}", case.image, spec.bucket);
        wrong.extend(check(&world, &lane, spec, case.rules).await.into_iter().map(|told| format!("{what}: {told}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(world.clouds.audit().await.mutating().is_empty());
    assert_eq!(world.clouds.counted(&lane).await, 0);
    let quota = world.api().quota(&lane).await;
    assert_eq!((quota.used, quota.reserved, quota.spent_elsewhere), (0, 0, 0));
}

/// Returns what is not as it should be.
async fn check(world: &World, lane: &Lane, spec: ExportSpec, rules: &[&str]) -> Vec<String> {
    let api = world.api();
    let mut wrong = Vec::new();
    let preview = api.preview(spec.clone()).await;
    if preview.startable {
        wrong.push("the preview says startable".to_owned());
    }
    wrong.extend(compare("preview", &preview.violations, rules));
    let started = api.start(spec).await;
    let ended = api.ended(&started.name).await;
    wrong.extend(compare_end(lane, &ended, rules));
    wrong
}

fn compare(place: &str, told: &[Violation], rules: &[&str]) -> Vec<String> {
    let words: Vec<&str> = told.iter().map(|violation| violation.rule.as_str()).collect();
    let mut wrong = Vec::new();
    // The vendor's own check may name the cause in a broader word of its own; ours have to be there.
    if words.first() != rules.first() || !rules.iter().all(|rule| words.contains(rule)) {
        wrong.push(format!("{place} tells {words:?} instead of {rules:?}"));
    }
    let advised = |violation: &&Violation| {
        !violation.fix.is_empty() && !violation.message.is_empty() && violation.severity() == Severity::Enforced
    };
    if told.iter().filter(advised).count() != told.len() {
        wrong.push(format!("{place} does not say what to do: {told:?}"));
    }
    wrong
}

fn compare_end(lane: &Lane, ended: &Operation, rules: &[&str]) -> Vec<String> {
    let error = ended.error.clone().unwrap_or_default();
    let mut wrong = compare("operation", &error.violations, rules);
    if ended.state() != OperationState::Failed
        || rules.first() != Some(&error.reason.as_str())
        || error.remedy.is_empty()
    {
        wrong.push(format!("the operation is {:?} with {} ({})", ended.state(), error.reason, error.remedy));
    }
    let quota = ended.quota.clone().unwrap_or_default();
    let is_free = match lane.cloud {
        sampan_core::Cloud::Tencent => quota.status() == QuotaStatus::Released,
        sampan_core::Cloud::Alibaba => quota.units == 0,
    };
    if !is_free {
        wrong.push(format!("the unit was not given back: {quota:?}"));
    }
    wrong
}

#[tokio::test]
async fn an_image_that_breaks_many_rules_is_told_all_of_them_at_once() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let disks: Vec<_> = std::iter::once(json!({ "role": "system", "size_gib": 20 }))
            .chain((0..6).map(|_| json!({ "role": "data", "size_gib": 600 })))
            .collect();
        let image = json!({
            "name": "everything", "platform": "Windows", "encrypted": true, "state": "creating", "disks": disks,
        });
        let image = world.clouds.add_image_of(&lane, image).await;
        let rules = [
            "IMAGE_WINDOWS",
            "IMAGE_ENCRYPTED",
            "IMAGE_NOT_READY",
            "IMAGE_TOO_MANY_DATA_DISKS",
            "IMAGE_DISK_TOO_LARGE",
        ];
        let wrong = check(&world, &lane, spec_of(&lane, image), &rules).await;
        assert!(wrong.is_empty(), "{}: {wrong:#?}", lane.cloud);
    }
    assert!(world.clouds.audit().await.mutating().is_empty());
}

#[tokio::test]
async fn a_number_that_breaks_a_rule_is_told_with_limit_source_and_override() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let preview = world.api().preview(spec_of(&lane, lane.image("biggest"))).await;
        let told = preview.violations.first().expect("a violation");
        assert_eq!((told.limit.as_str(), told.observed.as_str()), ("500 GiB", "600 GiB"));
        assert_eq!(told.override_key, format!("limits.{}.\"export.disk_gib\"", lane.cloud));
        assert!(told.source.contains("Export"), "{told:?}");
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_told_before_anything_is_spent() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let spec = ExportSpec { role_name: "NoSuchRole".into(), ..spec_of(&lane, lane.image("ubuntu")) };
        let wrong = check(&world, &lane, spec, &["EXPORT_ROLE_MISSING"]).await;
        assert!(wrong.is_empty(), "{}: {wrong:#?}", lane.cloud);
    }
    assert!(world.clouds.audit().await.mutating().is_empty());
}

#[tokio::test]
async fn tencent_exports_the_system_disk_alone_where_the_data_disks_stand_against_it() {
    let world = World::start().await;
    let spec = ExportSpec { only_root_disk: true, ..spec_of(&TENCENT, TENCENT.image("sixdata")) };
    let preview = world.api().preview(spec.clone()).await;
    assert!(preview.startable, "{:#?}", preview.violations);
    assert_eq!(preview.expected_objects.len(), 1);
    let started = world.api().start(spec).await;
    let ended = world.api().ended(&started.name).await;
    assert_eq!((ended.state(), ended.targets.len()), (OperationState::Succeeded, 1), "{ended:#?}");
}

#[tokio::test]
async fn a_region_of_alibaba_that_has_other_formats_exports_them() {
    let world = World::start().await;
    let lane = Lane { region: "ap-southeast-1", bucket: "sampan-singapore", ..ALIBABA };
    for format in [ImageFormat::Vhd, ImageFormat::Qcow2, ImageFormat::Vmdk, ImageFormat::Vdi] {
        let spec = ExportSpec { format: format.into(), ..spec_of(&lane, "m-t4n1sampansingapor01") };
        let started = world.api().start(spec).await;
        let ended = world.api().ended(&started.name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{format:?}: {ended:#?}");
    }
}
