//! Asks the estimator what copies cost: the snapshots that stay in each destination, and what the copying takes.

use rust_decimal::Decimal;
use sampan_chassis::convert;
use sampan_chassis::cost::{Objection, Pricing};
use sampan_chassis::status::Problem;
use sampan_cloud::Account;
use sampan_cloud::image::Image;
use sampan_core::limits::Limits;
use sampan_core::{Cloud, Reason, Region, Violation};
use sampan_proto::billing::v1 as pb;

use crate::rules;
use crate::spec::CopySpec;

/// Field of a request that holds the limit.
const FIELD: &str = "spec.max_cost";
const GIB: u64 = 1 << 30;
/// The period whose lines tell the price of a month.
const MONTH_SECONDS: i64 = 30 * 24 * 3600;

/// What copies cost, or why nobody can tell.
pub(crate) type Price = Result<pb::Estimate, Problem>;

/// Asks what copies of the image to `regions` cost.
///
/// - `keep_for`: seconds; `None` means what the request expects, and without that 30 days.
pub(crate) async fn of(
    pricing: &Pricing,
    spec: &CopySpec,
    image: &Image,
    regions: impl IntoIterator<Item = &Region>,
    keep_for: Option<u64>,
) -> Price {
    let seconds = keep_for.or(spec.keep_for_seconds).map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    let disk = |size_gib: u64| pb::DiskSize {
        capacity_bytes: i64::try_from(size_gib.max(1).saturating_mul(GIB)).unwrap_or(i64::MAX),
        used_bytes: None,
    };
    let question = pb::EstimateCopyRequest {
        cloud: convert::image::cloud(spec.cloud).into(),
        source_region: spec.region.to_string(),
        destination_regions: regions.into_iter().map(ToString::to_string).collect(),
        disks: image.disks.iter().map(|known| disk(known.size_gib)).collect(),
        keep_for: seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        encryption: encryption(spec).into(),
        share_account_count: i32::try_from(spec.share_with.len()).unwrap_or(i32::MAX),
        ..pb::EstimateCopyRequest::default()
    };
    pricing.copy(&spec.account, question).await
}

fn encryption(spec: &CopySpec) -> pb::Encryption {
    let own_key = spec.destinations.iter().any(|destination| destination.kms_key_id.is_some());
    match &spec.encryption {
        None => pb::Encryption::Unspecified,
        Some(all) if own_key || all.kms_key_id.is_some() => pb::Encryption::OwnKey,
        Some(_) => pb::Encryption::DefaultKey,
    }
}

/// Returns what the snapshots in `region` cost in a month of 30 days, expected; `None` when a price is missing.
pub(crate) fn monthly(estimate: &pb::Estimate, region: &str) -> Option<String> {
    let is_recurring = |line: &&pb::Line| line.region == region && line.kind == pb::LineKind::Recurring as i32;
    let mut sum = None;
    for line in estimate.lines.iter().filter(is_recurring) {
        if line.status == pb::LineStatus::PriceUnknown as i32 {
            return None;
        }
        let Some(amount) = line.amount.as_ref() else { continue };
        let amount: Decimal = amount.expected.parse().ok()?;
        // Lines are told for the whole period, which has whole hours.
        let hours = Decimal::from(line.billed_hours.max(1));
        let month = amount * Decimal::from(MONTH_SECONDS / 3600) / hours;
        sum = Some(sum.unwrap_or(Decimal::ZERO) + month);
    }
    sum.map(|sum: Decimal| format!("{:.6}", sum.round_dp(6)))
}

/// Returns what stands against a start at this price; nothing does where the caller has set no limit.
pub(crate) fn objection(spec: &CopySpec, price: &Price) -> Option<Objection> {
    spec.max_cost.as_ref()?.judge(price.as_ref()).err()
}

/// Returns an objection as a broken rule of the request.
pub(crate) fn violation(objection: &Objection) -> Violation {
    objection.violation(FIELD)
}

/// Looks at the image and its price before a start that has a limit: reads alone, and nothing is admitted yet.
///
/// # Errors
/// The refusal of the start: the image cannot be read, its price is not known, or it is above the limit.
pub(crate) async fn hold_limit(
    pricing: &Pricing,
    account: &Account,
    limits: &Limits,
    spec: &CopySpec,
) -> Result<(), Problem> {
    let image = account.images.describe_image(&spec.region, &spec.image).await;
    let Some(image) = image.map_err(|error| Problem::from_call(&error))? else {
        let traits = account.copies.copy_traits();
        let (broken, _) = rules::split(rules::image::check(spec, None, traits, limits));
        let words = format!("{} cannot be priced: it does not exist", spec.image);
        return Err(Problem::violations(Reason::ImageNotFound, words, broken));
    };
    let regions = spec.destinations.iter().map(|destination| &destination.region);
    let price = of(pricing, spec, &image, regions, None).await;
    objection(spec, &price).map_or(Ok(()), |objection| Err(objection.problem(FIELD)))
}

/// Returns which snapshots stay and cost, one sentence.
pub(crate) fn snapshots_stay(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Tencent => {
            "each copy has snapshots of its own; they count as snapshot storage of its region as long as the copy exists"
        }
        Cloud::Alibaba => {
            "each copy has snapshots of its own, which stay and cost until somebody deletes them, whatever the retention \
             of those of the image, and also after the copy is deleted"
        }
    }
}
