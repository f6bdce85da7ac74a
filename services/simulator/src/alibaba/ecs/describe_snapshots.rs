//! DescribeSnapshots: the snapshots behind the caller's own images, which tell encryption and marketplace origin.

use sampan_core::{Cloud, DiskRole};
use serde_json::{Value, json};

use super::describe_images::product_code;
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::{Answer, Context, time};
use crate::world::{Disk, Image, ImageState, Origin};

const MAX_IDS: usize = 100;

pub(super) fn run(context: &Context<'_>) -> Answer {
    let parameters = context.parameters;
    let region = parameters.region()?;
    let filter = Filter::read(parameters)?;
    let images = context.world.images(Cloud::Alibaba, &context.account.id, region);
    let own = images.iter().filter(|image| matches!(image.origin, Origin::Custom | Origin::Marketplace));
    let matching: Vec<Value> = own
        .flat_map(|image| image.disks.iter().map(move |disk| (image, disk)))
        .filter(|(image, disk)| filter.accepts(image, disk))
        .map(|(image, disk)| entry(image, disk))
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

struct Filter {
    ids: Option<Vec<String>>,
    status: Option<String>,
    disk_type: Option<String>,
    usage: Option<String>,
    encrypted: Option<bool>,
}

impl Filter {
    fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let word = |name: &str, known: &[&str], refused: &'static str| match parameters.optional(name) {
            None => Ok(None),
            Some(word) if known.contains(&word) => Ok(Some(word.to_owned())),
            Some(_) => Err(Refusal::not_found(refused, format!("The specified {name} is not found."))),
        };
        let status = word("Status", &["progressing", "accomplished", "failed", "all"], "InvalidStatus.NotFound")?;
        Ok(Self {
            ids: snapshot_ids(parameters)?,
            status: status.filter(|status| status != "all"),
            disk_type: word("SourceDiskType", &["system", "data", "System", "Data"], "InvalidSourceDiskType")?,
            usage: word("Usage", &["image", "disk", "image_disk", "none"], "InvalidUsage")?,
            encrypted: parameters.flag("Encrypted")?,
        })
    }

    fn accepts(&self, image: &Image, disk: &Disk) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&disk.snapshot_id))
            && self.status.as_ref().is_none_or(|status| status == status_word(image.state))
            && self.disk_type.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(disk_type(disk)))
            && self.usage.as_ref().is_none_or(|usage| usage == "image")
            && self.encrypted.is_none_or(|encrypted| encrypted == image.encrypted)
    }
}

/// `SnapshotIds` is the text of a JSON array, unlike every other list of ECS.
fn snapshot_ids(parameters: &Parameters) -> Result<Option<Vec<String>>, Refusal> {
    let Some(text) = parameters.optional("SnapshotIds") else {
        return Ok(None);
    };
    let malformed = || Refusal::forbidden("InvalidSnapshotIds.Malformed", "The specified SnapshotIds is not valid.");
    let ids: Vec<String> = serde_json::from_str(text).map_err(|_| malformed())?;
    if ids.len() > MAX_IDS { Err(malformed()) } else { Ok(Some(ids)) }
}

fn status_word(state: ImageState) -> &'static str {
    match state {
        ImageState::Creating => "progressing",
        ImageState::Ready => "accomplished",
        ImageState::Failed => "failed",
    }
}

fn disk_type(disk: &Disk) -> &'static str {
    match disk.role {
        DiskRole::System => "system",
        DiskRole::Data => "data",
    }
}

fn entry(image: &Image, disk: &Disk) -> Value {
    let is_ready = image.state == ImageState::Ready;
    json!({
        "SnapshotId": disk.snapshot_id,
        "SnapshotName": format!("{}_{}", image.name, disk.device_name()),
        "Description": "",
        "Status": status_word(image.state),
        "Progress": if is_ready { "100%" } else { "0%" },
        "RemainTime": 0,
        "Available": is_ready,
        "SourceDiskId": disk.snapshot_id.replacen("s-", "d-", 1),
        "SourceDiskSize": disk.size_gib,
        "SourceDiskType": disk_type(disk),
        "SourceStorageType": "disk",
        "SnapshotType": "user",
        "Category": "standard",
        "Encrypted": image.encrypted,
        "KMSKeyId": if image.encrypted { "00000000-0000-4000-8000-000000000001" } else { "" },
        "Usage": "image",
        "ProductCode": product_code(image),
        "InstantAccess": false,
        "CreationTime": time::to_seconds(image.created_at),
        "LastModifiedTime": time::to_seconds(image.created_at),
        "RegionId": image.region,
        "ResourceGroupId": "",
        "Tags": {"Tag": []},
    })
}
