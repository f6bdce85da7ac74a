//! Asks the estimator what an export costs: before it by the size of the disks, after it by that of the objects.

use sampan_chassis::convert;
use sampan_chassis::cost::{Objection, Pricing};
use sampan_chassis::status::Problem;
use sampan_cloud::Account;
use sampan_cloud::bucket::Bucket;
use sampan_cloud::image::{Disk, Image};
use sampan_proto::billing::v1 as pb;
use sampan_state::result::Artifact;

use crate::spec::ExportSpec;
use crate::{rules, saga};

/// Field of a request that holds the limit.
const FIELD: &str = "spec.max_cost";
const GIB: u64 = 1 << 30;
/// The estimator takes no size of 0; an empty object costs no more than this one.
const SMALLEST: u64 = 1;

/// What an export costs, or why nobody can tell.
pub(crate) type Price = Result<pb::Estimate, Problem>;

/// Asks what an export of these facts costs.
pub(crate) async fn before(pricing: &Pricing, spec: &ExportSpec, image: &Image, class: String) -> Price {
    let disks = saga::exported_disks(spec, image);
    let sizes = disks.iter().map(|disk: &Disk| disk.size_gib.saturating_mul(GIB));
    pricing.export(&spec.account, question(spec, sizes, class)).await
}

/// Returns the storage class that objects get in a bucket; empty for the standard class.
pub(crate) fn class_in(bucket: Option<&Bucket>) -> String {
    bucket.and_then(|bucket| bucket.storage_class.clone()).unwrap_or_default()
}

/// Asks what an export that left these objects costs.
pub(crate) async fn after(pricing: &Pricing, spec: &ExportSpec, artifacts: &[Artifact]) -> Price {
    let sizes = artifacts.iter().map(|artifact| artifact.size_bytes);
    let class = artifacts.first().map(|artifact| artifact.storage_class.clone()).unwrap_or_default();
    let mut question = question(spec, sizes, class);
    // The sizes are those of the files, whatever their disks have.
    question.overrides = Some(pb::Overrides { export_ratio: "1".to_owned(), ..pb::Overrides::default() });
    pricing.export(&spec.account, question).await
}

fn question(spec: &ExportSpec, sizes: impl Iterator<Item = u64>, storage_class: String) -> pb::EstimateExportRequest {
    let disk = |bytes: u64| pb::DiskSize {
        capacity_bytes: i64::try_from(bytes.max(SMALLEST)).unwrap_or(i64::MAX),
        used_bytes: None,
    };
    pb::EstimateExportRequest {
        cloud: convert::image::cloud(spec.cloud).into(),
        region: spec.region.to_string(),
        storage_class,
        format: convert::image::format(spec.format).into(),
        disks: sizes.map(disk).collect(),
        keep_for: spec.expected_use.keep_for(),
        downloads: Some(spec.expected_use.downloads()),
        ..pb::EstimateExportRequest::default()
    }
}

/// Returns what stands against a start at this price; nothing does where the caller has set no limit.
pub(crate) fn objection(spec: &ExportSpec, price: &Price) -> Option<Objection> {
    spec.max_cost.as_ref()?.judge(price.as_ref()).err()
}

/// Returns an objection as a broken rule of the request.
pub(crate) fn violation(objection: &Objection) -> sampan_core::Violation {
    objection.violation(FIELD)
}

/// Looks at the image and its price before a start that has a limit: reads alone, and nothing is admitted yet.
///
/// # Errors
/// The refusal of the start: the image cannot be read, its price is not known, or it is above the limit.
pub(crate) async fn hold_limit(
    pricing: &Pricing,
    account: &Account,
    limits: &sampan_core::limits::Limits,
    spec: &ExportSpec,
) -> Result<(), Problem> {
    let bucket = spec.bucket_ref();
    let (image, bucket) =
        futures::join!(account.images.describe_image(&spec.region, &spec.image), account.buckets.head_bucket(&bucket));
    let Some(image) = image.map_err(|error| Problem::from_call(&error))? else {
        let (broken, _) = rules::split(rules::image::check(spec, None, limits));
        return Err(Problem::violations(
            sampan_core::Reason::ImageNotFound,
            format!("{} cannot be priced: it does not exist", spec.image),
            broken,
        ));
    };
    // A bucket that cannot be looked at is a matter of the operation's own checks; its class is the standard one.
    let bucket = bucket.ok().flatten();
    let price = before(pricing, spec, &image, class_in(bucket.as_ref())).await;
    objection(spec, &price).map_or(Ok(()), |objection| Err(objection.problem(FIELD)))
}
