//! Decides which snapshots a DescribeSnapshots call asks for, and which of its filter values do not exist.

use jiff::Timestamp;

use super::{disk_type, key_of, status_word, usage_word};
use crate::alibaba::ecs::parameters::Parameters;
use crate::alibaba::ecs::refusal::Refusal;
use crate::alibaba::ecs::time;
use crate::world::Snapshot;

const MAX_IDS: usize = 100;
const MAX_TAGS: usize = 20;

/// The conditions of one call; all must hold.
pub(super) struct Filter {
    ids: Option<Vec<String>>,
    name: Option<String>,
    status: Option<String>,
    disk_type: Option<String>,
    usage: Option<String>,
    encrypted: Option<bool>,
    kms_key: Option<String>,
    tags: Vec<(String, String)>,
    created_from: Option<Timestamp>,
    /// A condition that no snapshot of the simulator meets: made by a schedule, of a machine, of another category.
    matches_nothing: bool,
}

impl Filter {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let word = |name: &str, known: &[&str], refused: &'static str| match parameters.optional(name) {
            None => Ok(None),
            Some(word) if known.contains(&word) => Ok(Some(word.to_owned())),
            Some(_) => Err(Refusal::not_found(refused, format!("The specified {name} is not found."))),
        };
        let status = word("Status", &["progressing", "accomplished", "failed", "all"], "InvalidStatus.NotFound")?;
        let kind = word("SnapshotType", &["auto", "user", "all"], "InvalidSnapshotType.NotFound")?;
        let category = parameters.optional("Category").map(str::to_ascii_lowercase);
        if category.as_deref().is_some_and(|word| !["standard", "flash", "archive"].contains(&word)) {
            let message = "The specified Category is not valid.";
            return Err(Refusal::forbidden("InvalidSnapshotCategory.Malformed", message));
        }
        if parameters.optional("SnapshotLinkId").is_some() {
            let message = "The specified SnapshotLinkId is not found.";
            return Err(Refusal::not_found("InvalidSnapshotLinkId.NotFound", message));
        }
        let tags = parameters.numbered_pairs("Tag");
        if tags.len() > MAX_TAGS {
            return Err(Refusal::bad_request("InvalidTagCount", "The specified tags are beyond the permitted range."));
        }
        Ok(Self {
            ids: snapshot_ids(parameters)?,
            name: parameters.optional("SnapshotName").map(str::to_owned),
            status: status.filter(|status| status != "all"),
            disk_type: word("SourceDiskType", &["system", "data", "System", "Data"], "InvalidSourceDiskType")?,
            usage: word("Usage", &["image", "disk", "image_disk", "none"], "InvalidUsage")?,
            encrypted: parameters.flag("Encrypted")?,
            kms_key: parameters.optional("KMSKeyId").map(str::to_owned),
            created_from: created_from(parameters)?,
            matches_nothing: kind.is_some_and(|kind| kind == "auto")
                || category.is_some_and(|word| word != "standard")
                || ["InstanceId", "DiskId", "ResourceGroupId"].iter().any(|name| parameters.optional(name).is_some()),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        })
    }

    pub(super) fn accepts(&self, snapshot: &Snapshot, is_used: bool) -> bool {
        !self.matches_nothing
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&snapshot.id))
            && self.created_from.is_none_or(|from| snapshot.created_at >= from)
            && self.name.as_ref().is_none_or(|name| snapshot.name == *name)
            && self.status.as_ref().is_none_or(|status| status == status_word(snapshot.state))
            && self.disk_type.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(disk_type(snapshot)))
            && self.usage.as_ref().is_none_or(|usage| usage == usage_word(is_used))
            && self.encrypted.is_none_or(|encrypted| encrypted == snapshot.encrypted)
            && self.kms_key.as_ref().is_none_or(|key| key == key_of(snapshot))
            && self.tags.iter().all(|(key, value)| {
                snapshot.tags.iter().any(|tag| tag.key == *key && (value.is_empty() || tag.value == *value))
            })
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

/// `Filter.N` knows one key.
fn created_from(parameters: &Parameters) -> Result<Option<Timestamp>, Refusal> {
    let mut from = None;
    for (key, value) in parameters.numbered_pairs("Filter") {
        if key != "CreationStartTime" {
            return Err(Refusal::not_found("InvalidFilterKey.NotFound", "The specified filter key is not found."));
        }
        let invalid = || Refusal::not_found("InvalidFilterValue", "The specified filter value is not valid.");
        from = Some(time::parse(value).ok_or_else(invalid)?);
    }
    Ok(from)
}
