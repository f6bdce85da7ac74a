//! What owners and receivers should know of every share, whatever the facts are: the warnings of the documents.

use sampan_core::finding::Source;
use sampan_core::{Cloud, Severity, Violation};

use super::sources;
use crate::plan::Difference;
use crate::spec::{Change, ShareSpec};

/// Nobody has reviewed the image for its receivers.
pub const NOT_REVIEWED: &str = "SHARE_NOT_REVIEWED";
/// Receivers can only create instances from it.
pub const INSTANCES_ONLY: &str = "SHARE_INSTANCES_ONLY";
/// Receivers cannot change its name and description.
pub const NAME_FROZEN: &str = "SHARE_NAME_FROZEN";
/// Receivers find it in the region of the image only.
pub const SAME_REGION: &str = "SHARE_SAME_REGION";
/// Instances of receivers outlive the share, and lose their way back to the image.
pub const INSTANCES_LOSE_IMAGE: &str = "UNSHARE_INSTANCES_LOSE_IMAGE";
/// Copies that receivers have made stay.
pub const COPIES_STAY: &str = "UNSHARE_COPIES_STAY";

/// Returns the warnings that go with a change, in a fixed order.
pub fn of(spec: &ShareSpec, difference: &Difference) -> Vec<Violation> {
    let (shares, unshares) = match spec.change {
        Change::Add => (true, false),
        Change::Remove => (false, true),
        Change::Set => (!spec.account_ids.is_empty(), !difference.remove.is_empty()),
    };
    let mut warnings = Vec::new();
    if shares {
        warnings.extend(sharing(spec));
    }
    if unshares {
        warnings.extend(unsharing(spec));
    }
    warnings
}

fn sharing(spec: &ShareSpec) -> [Violation; 4] {
    let vendor = vendor(spec.cloud);
    let overview = sources::overview(spec.cloud);
    [
        warning(
            NOT_REVIEWED,
            format!("{vendor} does not review shared images: receivers should take them from accounts they trust only"),
            "Tell receivers what is on the image and where it comes from",
            overview,
        ),
        warning(
            INSTANCES_ONLY,
            "receivers can only create instances from it; who needs more copies it within the region and owns the copy"
                .to_owned(),
            "",
            overview,
        ),
        warning(
            NAME_FROZEN,
            "receivers cannot change its name and description".to_owned(),
            "Give it a name that tells receivers what it is before you share it",
            overview,
        ),
        warning(
            SAME_REGION,
            format!("a share never crosses regions: receivers find the image in {} only", spec.region),
            "For another region, copy the image there and share the copy; include_copies shares copies that exist",
            overview,
        ),
    ]
}

fn unsharing(spec: &ShareSpec) -> [Violation; 2] {
    [
        warning(
            INSTANCES_LOSE_IMAGE,
            "instances that receivers have created from it go on running, but their system disks cannot be set back \
             to the image (re-initialised, reinstalled) any more"
                .to_owned(),
            "Ask receivers first, or give them time to move to an image of their own",
            sources::call(Cloud::Alibaba),
        ),
        warning(
            COPIES_STAY,
            "copies that receivers have made of it are their own and stay with them".to_owned(),
            "Treat what was on the image as known to every receiver",
            sources::overview(spec.cloud),
        ),
    ]
}

fn vendor(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Tencent => "Tencent Cloud",
        Cloud::Alibaba => "Alibaba Cloud",
    }
}

fn warning(code: &str, message: String, fix: &str, (source, date): Source<'_>) -> Violation {
    Violation {
        rule: code.to_owned(),
        field: String::new(),
        message,
        limit: String::new(),
        observed: String::new(),
        source: source.to_owned(),
        source_date: date.to_owned(),
        fix: fix.to_owned(),
        override_key: String::new(),
        severity: Severity::Warning,
    }
}
