//! DescribeSnapshots: the caller's snapshots, which tell encryption and marketplace origin.

mod filter;

use sampan_core::{Cloud, DiskRole};
use serde_json::{Value, json};

use super::describe_images::MARKETPLACE_CODE;
use super::refusal::Refusal;
use super::{Answer, Context, time};
use crate::world::{Image, Snapshot, SnapshotState};
use filter::Filter;

/// Key of the cloud's own, which encrypts where no other is named.
const SERVICE_KEY: &str = "00000000-0000-4000-8000-000000000001";

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let filter = Filter::read(parameters)?;
    if parameters.flag("DryRun")? == Some(true) {
        return Err(Refusal::dry_run());
    }
    let images = context.world.images(Cloud::Alibaba, &context.account.id, region);
    let is_used = |snapshot: &Snapshot| {
        let needs = |image: &Image| image.disks.iter().any(|disk| disk.snapshot_id == snapshot.id);
        images.iter().any(|image| image.origin.is_own() && needs(image))
    };
    let matching: Vec<Value> = context
        .world
        .snapshots(Cloud::Alibaba, &context.account.id, region)
        .iter()
        .filter(|snapshot| filter.accepts(snapshot, is_used(snapshot)))
        .map(|snapshot| entry(snapshot, is_used(snapshot)))
        .collect();
    let total = matching.len();
    // Token paging wins over page numbers when a call uses it; the token is the index of the next entry.
    let token_paging = parameters.optional("MaxResults").is_some() || parameters.optional("NextToken").is_some();
    let page = parameters.page()?;
    let mut answer = json!({"RegionId": region, "PageNumber": page.number, "PageSize": page.size, "TotalCount": total});
    let entries = if token_paging {
        let size = parameters.number("MaxResults", 10, 100)?;
        let start = match parameters.optional("NextToken") {
            None => 0,
            Some(token) => token.parse().map_err(|_| Refusal::invalid("NextToken"))?,
        };
        let next = usize::saturating_add(start, size);
        answer["NextToken"] = json!(if next < total { next.to_string() } else { String::new() });
        matching.into_iter().skip(start).take(size).collect()
    } else {
        page.of(matching)
    };
    answer["Snapshots"] = json!({"Snapshot": entries});
    Ok(answer.as_object().cloned().unwrap_or_default())
}

fn status_word(state: SnapshotState) -> &'static str {
    match state {
        SnapshotState::Progressing => "progressing",
        SnapshotState::Ready => "accomplished",
        SnapshotState::Failed => "failed",
    }
}

fn usage_word(is_used: bool) -> &'static str {
    if is_used { "image" } else { "none" }
}

fn disk_type(snapshot: &Snapshot) -> &'static str {
    match snapshot.role {
        DiskRole::System => "system",
        DiskRole::Data => "data",
    }
}

fn key_of(snapshot: &Snapshot) -> &str {
    if snapshot.encrypted { snapshot.kms_key.as_deref().unwrap_or(SERVICE_KEY) } else { "" }
}

fn entry(snapshot: &Snapshot, is_used: bool) -> Value {
    let is_ready = snapshot.state == SnapshotState::Ready;
    let tags: Vec<Value> = snapshot.tags.iter().map(|tag| json!({"TagKey": tag.key, "TagValue": tag.value})).collect();
    // Told of copies from another region alone.
    let source = snapshot.copied_from.as_ref().filter(|source| source.region != snapshot.region);
    let mut fields = json!({
        "SnapshotId": snapshot.id,
        "SnapshotName": snapshot.name,
        "Description": snapshot.description,
        "Status": status_word(snapshot.state),
        "Progress": format!("{}%", snapshot.progress),
        "RemainTime": 0,
        "Available": is_ready,
        "SourceDiskId": snapshot.id.replacen("s-", "d-", 1),
        "SourceDiskSize": snapshot.size_gib,
        "SourceDiskType": disk_type(snapshot),
        "SourceStorageType": "disk",
        "SourceSnapshotId": source.map(|source| source.id.as_str()).unwrap_or_default(),
        "SourceRegionId": source.map(|source| source.region.as_str()).unwrap_or_default(),
        "SnapshotType": "user",
        "Category": "standard",
        "Encrypted": snapshot.encrypted,
        "KMSKeyId": key_of(snapshot),
        "Usage": usage_word(is_used),
        "ProductCode": if snapshot.of_marketplace { MARKETPLACE_CODE } else { "" },
        "InstantAccess": false,
        "CreationTime": time::to_seconds(snapshot.created_at),
        "LastModifiedTime": time::to_seconds(snapshot.created_at),
        "RegionId": snapshot.region,
        "ResourceGroupId": "",
        "Tags": {"Tag": tags},
    });
    if let Some(days) = snapshot.retention_days {
        fields["RetentionDays"] = json!(days);
    }
    fields
}
