//! The plan of an export: every violation at once, the quota, the calls, and the objects that would be written.

use sampan_chassis::convert;
use sampan_cloud::image::{Image, ImageOrigin};
use sampan_core::{Cloud, DiskRole, ImageFormat, Violation};
use sampan_ops::{Engine, Error};
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_state::QuotaPicture;

use crate::rules;
use crate::spec::{ExportSpec, Ground};
use crate::survey::Survey;
use crate::waiting;

const GIB: u64 = 1024 * 1024 * 1024;

/// Answers a request whose fields are wrong: nothing can be asked of the cloud then.
pub(crate) fn malformed(violations: &[Violation]) -> pb::PreviewExportResponse {
    pb::PreviewExportResponse {
        startable: false,
        violations: violations.iter().map(convert::image::violation).collect(),
        ..pb::PreviewExportResponse::default()
    }
}

/// Answers a well-formed request from what the cloud says now.
pub(crate) async fn live(
    engine: &Engine,
    ground: Ground<'_>,
    spec: &ExportSpec,
    field_warnings: Vec<Violation>,
) -> Result<pb::PreviewExportResponse, Error> {
    let Some(account) = ground.accounts.get(&spec.account) else { return Ok(malformed(&field_warnings)) };
    let lane = spec.lane();
    let (survey, quota) = futures::join!(Survey::take(account, spec), engine.quota(&lane));
    let quota = quota?;
    let (violations, mut warnings) = rules::split(survey.findings(spec, ground.limits));
    warnings.splice(0..0, field_warnings);
    let image = survey.image.as_ref().ok().and_then(Option::as_ref);
    let deadline = image.map(|image| waiting::deadline(spec, image));
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
    })
}

fn has_room(spec: &ExportSpec, quota: &QuotaPicture) -> bool {
    let free = quota.remaining().is_none_or(|remaining| remaining > quota.waiting_count);
    free || spec.queue_when_quota_spent
}

fn facts(spec: &ExportSpec, image: &Image) -> image_pb::Image {
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

fn wire_disk(index: usize, disk: &sampan_cloud::image::Disk) -> image_pb::Disk {
    image_pb::Disk {
        role: convert::image::role(disk.role) as i32,
        device: crate::saga::device_name(index, disk),
        size_gib: disk.size_gib,
        snapshot_id: disk.snapshot_id.clone().unwrap_or_default(),
        encrypted: disk.encrypted,
    }
}

fn expected_objects(spec: &ExportSpec, image: &Image) -> Vec<pb::ExpectedObject> {
    let exported =
        image.disks.iter().enumerate().filter(|(_, disk)| !spec.only_root_disk || disk.role == DiskRole::System);
    exported
        .map(|(index, disk)| pb::ExpectedObject {
            disk: Some(wire_disk(index, disk)),
            key_pattern: key_pattern(spec, index, disk),
            max_size_bytes: disk.size_gib.saturating_mul(GIB),
        })
        .collect()
}

/// Names follow the vendors' documented schemes; what only the cloud knows stays a `*`.
fn key_pattern(spec: &ExportSpec, index: usize, disk: &sampan_cloud::image::Disk) -> String {
    let stem = spec.key_stem();
    let format = spec.format;
    match spec.cloud {
        Cloud::Tencent => format!("{stem}{}_{}.{format}", disk.role, disk.snapshot_id.as_deref().unwrap_or("*")),
        Cloud::Alibaba => {
            let ending = if format == ImageFormat::Raw { "raw.tar.gz" } else { format.as_str() };
            match disk.role {
                DiskRole::System => format!("{stem}system.{ending}"),
                DiskRole::Data => format!("{stem}data_{}.{ending}", crate::saga::device_name(index, disk)),
            }
        }
    }
}

fn planned_calls(spec: &ExportSpec, export_action: &str, quota: &QuotaPicture) -> Vec<image_pb::PlannedCall> {
    let (compute, storage, follow) = match spec.cloud {
        Cloud::Tencent => ("cvm", "cos", ("cos", "HeadObject")),
        Cloud::Alibaba => ("ecs", "oss", ("ecs", "DescribeTaskAttribute")),
    };
    let call = |service: &str, action: &str, detail: &str| image_pb::PlannedCall {
        service: service.to_owned(),
        action: action.to_owned(),
        region: spec.region.to_string(),
        mutating: false,
        quota_units: 0,
        detail: detail.to_owned(),
    };
    let units = u32::from(quota.limit.is_some());
    vec![
        call(compute, "DescribeImages", "reads the image and its disks"),
        call(storage, "HeadBucket", "looks the bucket up"),
        image_pb::PlannedCall {
            mutating: true,
            quota_units: units,
            ..call(compute, export_action, "starts the export; the one call that changes something")
        },
        call(follow.0, follow.1, "follows the export until it is done"),
        call(storage, "HeadObject", "proves every object, twice"),
    ]
}
