//! The plan of an export: every violation at once, the quota, the calls, and the objects that would be written.

use sampan_chassis::convert;
use sampan_chassis::cost::Pricing;
use sampan_chassis::status::Problem;
use sampan_cloud::image::{Disk, Image, ImageOrigin};
use sampan_core::{Cloud, Reason, Violation};
use sampan_ops::{Engine, Error};
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_state::QuotaPicture;

use crate::rules;
use crate::spec::{ExportSpec, Ground, Reading};
use crate::survey::{self, Survey};
use crate::{names, price, saga, waiting};

const GIB: u64 = 1024 * 1024 * 1024;

/// Answers a request whose fields are wrong: nothing can be asked of the cloud then.
pub(crate) fn malformed(violations: &[Violation]) -> pb::PreviewExportResponse {
    pb::PreviewExportResponse {
        startable: false,
        violations: violations.iter().map(convert::image::violation).collect(),
        ..pb::PreviewExportResponse::default()
    }
}

/// Answers a request of which some fields are wrong: the cloud is asked about the others, so that one answer names
/// everything. What is wrong reaches no cloud.
pub(crate) async fn doubtful(ground: Ground<'_>, spec: &ExportSpec, reading: &Reading) -> pb::PreviewExportResponse {
    let mut answer = malformed(&reading.broken);
    let Some(account) = ground.accounts.get(&spec.account) else { return answer };
    if reading.doubts("spec.image") {
        return answer;
    }
    let bucket = spec.bucket_ref();
    let (image, bucket) = futures::join!(account.images.describe_image(&spec.region, &spec.image), async {
        if reading.doubts("spec.bucket") { None } else { Some(account.buckets.head_bucket(&bucket).await) }
    });
    let mut findings = survey::about_image(spec, &image, ground.limits);
    findings.extend(bucket.iter().flat_map(|bucket| survey::about_bucket(spec, bucket)));
    let (violations, mut warnings) = rules::split(findings);
    warnings.splice(0..0, reading.warnings.iter().cloned());
    answer.violations.extend(violations.iter().map(convert::image::violation));
    answer.warnings = warnings.iter().map(convert::image::violation).collect();
    answer.image = image.ok().flatten().map(|image| facts(spec, &image));
    answer
}

/// Answers a well-formed request from what the cloud says now.
pub(crate) async fn live(
    engine: &Engine,
    ground: Ground<'_>,
    pricing: &Pricing,
    spec: &ExportSpec,
    field_warnings: Vec<Violation>,
) -> Result<pb::PreviewExportResponse, Error> {
    let Some(account) = ground.accounts.get(&spec.account) else { return Ok(malformed(&field_warnings)) };
    let lane = spec.lane();
    let (survey, quota) = futures::join!(Survey::take(account, spec), engine.quota(&lane));
    let quota = quota?;
    let mut findings = survey.findings(spec, ground.limits);
    findings.extend(survey.busy().map(|error| survey::passing(error, true)));
    // A start that queues waits for the next day; where no day is counted, nobody knows when it could start.
    let queues = spec.queue_when_quota_spent && engine.rule(&lane).daily_units.is_some();
    findings.extend(survey.spent().map(|error| survey::passing(error, queues)));
    let (mut violations, mut warnings) = rules::split(findings);
    warnings.splice(0..0, field_warnings);
    let image = survey.image.as_ref().ok().and_then(Option::as_ref);
    let bucket = survey.bucket.as_ref().ok().and_then(Option::as_ref);
    let price = match image {
        Some(image) => price::before(pricing, spec, image, price::class_in(bucket)).await,
        None => Err(Problem::new(Reason::PriceUnavailable, "the image could not be read")),
    };
    violations.extend(price::objection(spec, &price).as_ref().map(price::violation));
    let deadline = image.map(|image| waiting::deadline(spec, &saga::exported_disks(spec, image)));
    Ok(pb::PreviewExportResponse {
        startable: violations.is_empty() && has_room(spec, &quota),
        violations: violations.iter().map(convert::image::violation).collect(),
        warnings: warnings.iter().map(convert::image::violation).collect(),
        image: image.map(|image| facts(spec, image)),
        quota: Some(convert::quota(&quota, &engine.rule(&lane))),
        planned_calls: planned_calls(spec, account.images.export_traits().action, &quota),
        expected_objects: image.map(|image| expected_objects(spec, image)).unwrap_or_default(),
        deadline: deadline.map(convert::time::duration),
        stall_after: deadline.map(|deadline| convert::time::duration(waiting::stall_after(spec, deadline))),
        price_unavailable: price.as_ref().err().map(unpriced).unwrap_or_default(),
        estimate: price.ok(),
    })
}

fn unpriced(problem: &Problem) -> String {
    format!("price unavailable: {}", problem.message())
}

fn has_room(spec: &ExportSpec, quota: &QuotaPicture) -> bool {
    let free = quota.remaining().is_none_or(|remaining| remaining > quota.waiting_count);
    free || spec.queue_when_quota_spent
}

/// Returns the message of an image.
pub(crate) fn facts(spec: &ExportSpec, image: &Image) -> image_pb::Image {
    let origin = match image.origin {
        ImageOrigin::Custom => image_pb::ImageOrigin::Custom,
        ImageOrigin::Public => image_pb::ImageOrigin::Public,
        ImageOrigin::Marketplace => image_pb::ImageOrigin::Marketplace,
        ImageOrigin::Shared => image_pb::ImageOrigin::Shared,
    };
    image_pb::Image {
        reference: Some(image_pb::ImageReference {
            cloud: convert::image::cloud(spec.cloud) as i32,
            account: spec.account.to_string(),
            region: spec.region.to_string(),
            image_id: image.id.to_string(),
        }),
        name: image.name.clone(),
        os_name: String::new(),
        platform: image.platform.clone(),
        architecture: image.architecture.clone(),
        origin: origin as i32,
        cloud_state: image.raw_state.clone(),
        disks: image.disks.iter().enumerate().map(|(index, disk)| wire_disk(index, disk)).collect(),
        create_time: image.created.map(convert::time::timestamp),
    }
}

fn wire_disk(index: usize, disk: &Disk) -> image_pb::Disk {
    image_pb::Disk {
        role: convert::image::role(disk.role) as i32,
        device: names::device(index, disk),
        size_gib: disk.size_gib,
        snapshot_id: disk.snapshot_id.clone().unwrap_or_default(),
        encrypted: disk.encrypted,
    }
}

fn expected_objects(spec: &ExportSpec, image: &Image) -> Vec<pb::ExpectedObject> {
    let exported = saga::exported_disks(spec, image);
    let object = |(index, disk): (usize, &Disk)| pb::ExpectedObject {
        disk: Some(wire_disk(index, disk)),
        key_pattern: names::pattern(spec, index, disk),
        max_size_bytes: disk.size_gib.saturating_mul(GIB),
    };
    exported.iter().enumerate().map(object).collect()
}

/// The calls of one cloud, in its own words.
struct Words {
    compute: &'static str,
    storage: &'static str,
    head_bucket: &'static str,
    list_objects: &'static str,
    /// What the trial run is for, and when it is made.
    trial: &'static str,
    /// Lists and describes tasks, where the cloud has them.
    tasks: Option<(&'static str, &'static str)>,
}

fn words(cloud: Cloud) -> Words {
    match cloud {
        Cloud::Tencent => Words {
            compute: "cvm",
            storage: "cos",
            head_bucket: "HeadBucket",
            list_objects: "GetBucket",
            trial: "asks the cloud whether it would accept the export, as a trial run",
            tasks: None,
        },
        Cloud::Alibaba => Words {
            compute: "ecs",
            storage: "oss",
            head_bucket: "GetBucketInfo",
            list_objects: "ListObjectsV2",
            trial: "asks the cloud whether it would accept the export, as a trial run, where the account permits it",
            tasks: Some(("DescribeTasks", "DescribeTaskAttribute")),
        },
    }
}

fn planned_calls(spec: &ExportSpec, export_action: &str, quota: &QuotaPicture) -> Vec<image_pb::PlannedCall> {
    let words = words(spec.cloud);
    let call = |service: &str, action: &str, detail: &str| image_pb::PlannedCall {
        service: service.to_owned(),
        action: action.to_owned(),
        region: spec.region.to_string(),
        mutating: false,
        quota_units: 0,
        detail: detail.to_owned(),
    };
    let mut calls = vec![
        call(words.compute, "DescribeImages", "reads the image and its disks"),
        call(words.storage, words.head_bucket, "looks the bucket up"),
        call(words.compute, export_action, words.trial),
        call(words.storage, words.list_objects, "notes what is in the bucket before"),
    ];
    calls.extend(words.tasks.map(|(list, _)| call(words.compute, list, "notes which exports there are before")));
    calls.push(image_pb::PlannedCall {
        mutating: true,
        quota_units: u32::from(quota.limit.is_some()),
        ..call(words.compute, export_action, "starts the export; the one call that changes something")
    });
    calls.push(match words.tasks {
        Some((_, describe)) => call(words.compute, describe, "follows the export until it is done"),
        None => call(words.storage, "HeadObject", "follows the export by its objects"),
    });
    calls.push(call(words.storage, "HeadObject", "proves every object, twice"));
    calls
}
