//! Rules about the request alone.

use sampan_core::limits::{Enforcement, LimitOverride, Limits};
use sampan_core::{Cloud, ImageFormat, Severity, Violation};
use sampan_export_service::rules::request::check;
use sampan_export_service::spec::{ExportSpec, Ground};

use crate::{accounts, bounds, changed, current, documented, only, rules, spec, told};

fn judge(spec: &ExportSpec, limits: &Limits) -> Vec<Violation> {
    told(check(spec, Ground { accounts: &accounts(), limits }))
}

fn prefixed(cloud: Cloud, prefix: &str) -> ExportSpec {
    ExportSpec { prefix: Some(prefix.to_owned()), ..spec(cloud) }
}

fn formatted(cloud: Cloud, format: ImageFormat) -> ExportSpec {
    ExportSpec { format, ..spec(cloud) }
}

#[test]
fn a_good_request_breaks_no_rule_in_either_edition() {
    for cloud in Cloud::ALL {
        for limits in [documented(), current()] {
            assert!(judge(&prefixed(cloud, "Nightly7"), &limits).is_empty());
        }
    }
}

#[test]
fn bucket_names_have_the_form_of_their_cloud() {
    let with = |cloud, name: &str| judge(&ExportSpec { bucket: name.to_owned(), ..spec(cloud) }, &documented());
    let longest = "a".repeat(63);
    for (cloud, name) in [
        (Cloud::Tencent, "a-12345"),
        (Cloud::Tencent, "my-images-1250000000"),
        (Cloud::Alibaba, "abc"),
        (Cloud::Alibaba, &longest),
    ] {
        assert!(with(cloud, name).is_empty(), "{name}");
    }
    let too_long = "a".repeat(64);
    for (cloud, name) in [
        (Cloud::Tencent, "images"),
        (Cloud::Tencent, "images-1234"),
        (Cloud::Tencent, "images-12345x"),
        (Cloud::Tencent, "-1250000000"),
        (Cloud::Tencent, "Images-1250000000"),
        (Cloud::Tencent, "a/b-1250000000"),
        (Cloud::Alibaba, "ab"),
        (Cloud::Alibaba, "-abc"),
        (Cloud::Alibaba, "abc-"),
        (Cloud::Alibaba, "ABC"),
        (Cloud::Alibaba, "a.bc"),
        (Cloud::Alibaba, &too_long),
    ] {
        assert_eq!(rules(&with(cloud, name)), ["BUCKET_NAME_MALFORMED"], "{name}");
    }
    let huge = with(Cloud::Alibaba, &"x".repeat(5_000_000));
    assert!(huge[0].observed.len() <= 80 && huge[0].message.len() <= 200, "an answer repeats the beginning only");
}

#[test]
fn a_prefix_is_bounded() {
    for (cloud, longest) in [(Cloud::Tencent, 100), (Cloud::Alibaba, 30)] {
        bounds(cloud, "export.prefix_chars", "PREFIX_MALFORMED", longest, |limits, length| {
            judge(&prefixed(cloud, &"p".repeat(usize::try_from(length).unwrap())), limits)
        });
    }
}

#[test]
fn a_prefix_holds_letters_digits_and_the_marks_of_its_cloud() {
    for good in ["a", "Z9", "a-b_c.d"] {
        assert!(judge(&prefixed(Cloud::Tencent, good), &documented()).is_empty(), "{good}");
    }
    for (cloud, bad) in [
        (Cloud::Tencent, "a/b"),
        (Cloud::Tencent, "a b"),
        (Cloud::Tencent, "ä"),
        (Cloud::Tencent, "\u{9884}"),
        (Cloud::Alibaba, "a-b"),
        (Cloud::Alibaba, "a_b"),
        (Cloud::Alibaba, "\n"),
    ] {
        let found = judge(&prefixed(cloud, bad), &documented());
        assert_eq!(rules(&found), ["PREFIX_MALFORMED"], "{bad}");
        let warned = judge(&prefixed(cloud, bad), &changed(cloud, "export.prefix_marks", only(Enforcement::Warn)));
        assert_eq!(warned[0].severity, Severity::Warning);
        assert!(
            judge(&prefixed(cloud, bad), &changed(cloud, "export.prefix_marks", only(Enforcement::Off))).is_empty()
        );
    }
    let more = LimitOverride { values: Some(vec!["/".to_owned()]), ..LimitOverride::default() };
    assert!(judge(&prefixed(Cloud::Alibaba, "a/b"), &changed(Cloud::Alibaba, "export.prefix_marks", more)).is_empty());
}

#[test]
fn the_fix_of_a_prefix_is_the_rule_itself() {
    let fix = |cloud| judge(&prefixed(cloud, "a b"), &documented())[0].fix.clone();
    assert_eq!(fix(Cloud::Alibaba), "Use 1 to 30 letters or digits, or leave the prefix unset");
    assert_eq!(fix(Cloud::Tencent), "Use 1 to 100 letters, digits or - _ ., or leave the prefix unset");
}

#[test]
fn an_empty_prefix_is_refused_and_a_long_odd_one_breaks_both_rules() {
    assert_eq!(rules(&judge(&prefixed(Cloud::Alibaba, ""), &documented())), ["PREFIX_MALFORMED"]);
    let both = judge(&prefixed(Cloud::Alibaba, &"-".repeat(31)), &documented());
    assert_eq!(both.len(), 2);
    let off = changed(Cloud::Alibaba, "export.prefix_chars", only(Enforcement::Off));
    assert_eq!(judge(&prefixed(Cloud::Alibaba, &"-".repeat(31)), &off).len(), 1, "one rule off leaves the other on");
    let huge = judge(&prefixed(Cloud::Alibaba, &"-".repeat(5_000_000)), &documented());
    assert!(huge.iter().all(|found| found.observed.len() <= 80));
}

#[test]
fn formats_are_those_of_the_cloud() {
    for format in [ImageFormat::Raw, ImageFormat::Vhd, ImageFormat::Qcow2, ImageFormat::Vmdk] {
        assert!(judge(&formatted(Cloud::Tencent, format), &documented()).is_empty());
    }
    let found = judge(&formatted(Cloud::Tencent, ImageFormat::Vdi), &documented());
    assert_eq!(
        (rules(&found), found[0].fix.as_str()),
        (vec!["FORMAT_UNSUPPORTED"], "Choose one of raw, vhd, qcow2, vmdk")
    );
    let warned = judge(
        &formatted(Cloud::Tencent, ImageFormat::Vdi),
        &changed(Cloud::Tencent, "export.formats", only(Enforcement::Warn)),
    );
    assert_eq!(warned[0].severity, Severity::Warning);
}

#[test]
fn other_formats_than_raw_need_one_of_the_nine_regions_of_alibaba() {
    let found = judge(&formatted(Cloud::Alibaba, ImageFormat::Qcow2), &documented());
    assert_eq!(rules(&found), ["FORMAT_UNSUPPORTED_IN_REGION"]);
    let there = ExportSpec { region: "ap-southeast-1".parse().unwrap(), ..formatted(Cloud::Alibaba, ImageFormat::Vdi) };
    assert!(judge(&there, &documented()).is_empty());
    let off = changed(Cloud::Alibaba, "export.format_regions", only(Enforcement::Off));
    assert!(judge(&formatted(Cloud::Alibaba, ImageFormat::Qcow2), &off).is_empty());
}

#[test]
fn only_tencent_leaves_data_disks_out() {
    let root = |cloud| ExportSpec { only_root_disk: true, ..spec(cloud) };
    assert!(judge(&root(Cloud::Tencent), &documented()).is_empty());
    let found = judge(&root(Cloud::Alibaba), &documented());
    assert_eq!((rules(&found), found[0].field.as_str()), (vec!["ROOT_DISK_ONLY_UNSUPPORTED"], "spec.only_root_disk"));
}
