//! Rules about the image.

use sampan_cloud::image::{Disk, Image, ImageOrigin, ImageState};
use sampan_core::limits::Limits;
use sampan_core::{Cloud, DiskRole, Severity, Violation};
use sampan_export_service::rules::image::check;
use sampan_export_service::spec::ExportSpec;

use crate::{bounds, current, documented, rules, spec, told};

fn disk(role: DiskRole, size_gib: u64) -> Disk {
    Disk { role, device: None, size_gib, snapshot_id: None, encrypted: Some(false) }
}

/// A good image with a system disk and data disks of these sizes.
fn image(system_gib: u64, data_gib: &[u64]) -> Image {
    let data = data_gib.iter().map(|size| disk(DiskRole::Data, *size));
    Image {
        id: "img-72n9mi0y".parse().unwrap(),
        name: "web".to_owned(),
        origin: ImageOrigin::Custom,
        state: ImageState::Ready,
        raw_state: "NORMAL".to_owned(),
        platform: "Debian".to_owned(),
        is_windows: false,
        is_red_hat: false,
        architecture: "x86_64".to_owned(),
        boot_mode: None,
        disks: std::iter::once(disk(DiskRole::System, system_gib)).chain(data).collect(),
        created: None,
    }
}

fn judge(spec: &ExportSpec, image: &Image, limits: &Limits) -> Vec<Violation> {
    told(check(spec, Some(image), limits))
}

/// Judges a change to a good image on both clouds.
fn changed(change: impl Fn(&mut Image)) -> [Vec<Violation>; 2] {
    Cloud::ALL.map(|cloud| {
        let mut image = image(50, &[100]);
        change(&mut image);
        judge(&spec(cloud), &image, &documented())
    })
}

/// Checks that both clouds refuse a change by one rule, with everything that a caller needs.
fn refused(rule: &str, change: impl Fn(&mut Image)) {
    for found in changed(change) {
        assert_eq!(rules(&found), [rule]);
        let found = &found[0];
        assert_eq!((found.severity, found.field.as_str()), (Severity::Enforced, "spec.image.image_id"));
        assert!(!found.source.is_empty() && !found.fix.is_empty(), "{found:?}");
        assert!(!found.message.ends_with('.') && !found.fix.ends_with('.'), "{found:?}");
    }
}

#[test]
fn a_good_image_breaks_no_rule() {
    assert_eq!(changed(|_| ()), [vec![], vec![]]);
}

#[test]
fn an_image_that_does_not_exist_is_told_with_where_it_was_looked_for() {
    let found = told(check(&spec(Cloud::Tencent), None, &documented()));
    assert_eq!(rules(&found), ["IMAGE_NOT_FOUND"]);
    assert_eq!(found[0].message, "img-72n9mi0y does not exist in ap-guangzhou of account tencent");
}

#[test]
fn only_custom_images_leave_the_cloud() {
    refused("IMAGE_NOT_CUSTOM", |image| image.origin = ImageOrigin::Public);
    refused("IMAGE_FROM_MARKETPLACE", |image| image.origin = ImageOrigin::Marketplace);
    refused("IMAGE_SHARED_TO_YOU", |image| image.origin = ImageOrigin::Shared);
}

#[test]
fn windows_images_do_not_leave_the_cloud() {
    refused("IMAGE_WINDOWS", |image| image.is_windows = true);
}

#[test]
fn red_hat_images_are_refused_on_tencent_alone() {
    let [tencent, alibaba] = changed(|image| image.is_red_hat = true);
    assert_eq!((rules(&tencent), alibaba), (vec!["IMAGE_RED_HAT"], vec![]));
    assert_eq!(tencent[0].source_date, "2026-08-21");
}

#[test]
fn encrypted_images_are_refused_and_unknown_ones_warned_about() {
    refused("IMAGE_ENCRYPTED", |image| image.disks[1].encrypted = Some(true));
    for found in changed(|image| image.disks[0].encrypted = None) {
        assert_eq!((rules(&found), found[0].severity), (vec!["IMAGE_ENCRYPTION_UNKNOWN"], Severity::Warning));
    }
    // One that is known to be encrypted decides, whatever is not known of the others.
    refused("IMAGE_ENCRYPTED", |image| {
        image.disks[0].encrypted = None;
        image.disks[1].encrypted = Some(true);
    });
}

#[test]
fn an_image_must_be_ready_and_the_fix_depends_on_what_it_is_instead() {
    for (state, fix) in [
        (ImageState::Pending, "Wait until"),
        (ImageState::Failed, "Make the image anew"),
        (ImageState::Deprecated, "Put the image back"),
    ] {
        refused("IMAGE_NOT_READY", |image| image.state = state);
        let [found, _] = changed(|image| image.state = state);
        assert!(found[0].fix.starts_with(fix), "{}", found[0].fix);
    }
}

#[test]
fn data_disks_are_counted() {
    for (cloud, most) in [(Cloud::Tencent, 5), (Cloud::Alibaba, 4)] {
        bounds(cloud, "export.data_disks", "IMAGE_TOO_MANY_DATA_DISKS", most, |limits, count| {
            judge(&spec(cloud), &image(50, &vec![10; usize::try_from(count).unwrap()]), limits)
        });
        // The newer documents give no other count.
        let data = vec![10; usize::try_from(most).unwrap() + 1];
        assert_eq!(rules(&judge(&spec(cloud), &image(50, &data), &current())), ["IMAGE_TOO_MANY_DATA_DISKS"]);
    }
}

#[test]
fn a_data_disk_is_bounded_on_both_clouds_and_the_bound_of_alibaba_has_grown() {
    for cloud in Cloud::ALL {
        bounds(cloud, "export.disk_gib", "IMAGE_DISK_TOO_LARGE", 500, |limits, size| {
            judge(&spec(cloud), &image(50, &[size]), limits)
        });
    }
    let large = |cloud, size| rules(&judge(&spec(cloud), &image(50, &[size]), &current())).len();
    assert_eq!((large(Cloud::Alibaba, 2048), large(Cloud::Alibaba, 2049)), (0, 1));
    assert_eq!((large(Cloud::Tencent, 500), large(Cloud::Tencent, 501)), (0, 1));
}

#[test]
fn the_system_disk_is_bounded_on_tencent_alone() {
    bounds(Cloud::Tencent, "export.disk_gib", "IMAGE_DISK_TOO_LARGE", 500, |limits, size| {
        judge(&spec(Cloud::Tencent), &image(size, &[]), limits)
    });
    assert!(judge(&spec(Cloud::Alibaba), &image(4096, &[]), &documented()).is_empty());
}

#[test]
fn every_disk_that_is_too_large_is_named() {
    let found = judge(&spec(Cloud::Tencent), &image(501, &[500, 502]), &documented());
    let messages: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(messages, ["system disk xvda has 501 GiB", "data disk xvdc has 502 GiB"]);
}

#[test]
fn disks_that_are_left_out_break_no_rule() {
    let root_only = ExportSpec { only_root_disk: true, ..spec(Cloud::Tencent) };
    let six_large = image(500, &[501; 6]);
    assert!(judge(&root_only, &six_large, &documented()).is_empty());
    assert_eq!(judge(&spec(Cloud::Tencent), &six_large, &documented()).len(), 7);
}

#[test]
fn the_number_of_images_in_the_region_is_no_rule_of_an_export() {
    let ten = sampan_core::limits::LimitOverride { value: Some(0), ..Default::default() };
    let limits = crate::changed(Cloud::Tencent, "image.per_region", ten);
    assert!(judge(&spec(Cloud::Tencent), &image(50, &[]), &limits).is_empty());
}

#[test]
fn all_broken_rules_are_told_at_once() {
    let mut bad = image(501, &[501; 6]);
    bad.is_windows = true;
    bad.origin = ImageOrigin::Marketplace;
    bad.state = ImageState::Pending;
    bad.disks[0].encrypted = Some(true);
    let found = judge(&spec(Cloud::Tencent), &bad, &documented());
    assert_eq!(
        rules(&found)[..6],
        [
            "IMAGE_FROM_MARKETPLACE",
            "IMAGE_WINDOWS",
            "IMAGE_ENCRYPTED",
            "IMAGE_NOT_READY",
            "IMAGE_TOO_MANY_DATA_DISKS",
            "IMAGE_DISK_TOO_LARGE"
        ]
    );
}
