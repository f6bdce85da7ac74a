//! Decides which images a DescribeImages call asks for, and which of its filter values do not exist.

use jiff::Timestamp;

use super::{os_type, owner_alias, status_word};
use crate::alibaba::ecs::parameters::Parameters;
use crate::alibaba::ecs::refusal::Refusal;
use crate::alibaba::ecs::time;
use crate::world::{Image, Origin};

const MAX_IDS: usize = 100;
const OWNER_ALIASES: [&str; 4] = ["system", "self", "others", "marketplace"];
/// Without a `Status`, images that are being made stay invisible.
const DEFAULT_STATUS: &str = "Available";

/// The conditions of one call; all must hold.
pub(super) struct Filter {
    ids: Option<Vec<String>>,
    statuses: Vec<String>,
    owner_alias: Option<String>,
    owner_id: Option<String>,
    name: Option<String>,
    snapshot: Option<String>,
    os_type: Option<String>,
    is_public: Option<bool>,
    is_usable: Option<bool>,
    created_from: Option<Timestamp>,
    created_to: Option<Timestamp>,
    tags: Vec<(String, String)>,
    resource_group: Option<String>,
    /// A condition that no image of the simulator meets: a family, another architecture.
    matches_nothing: bool,
}

impl Filter {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let text = |name| parameters.optional(name).map(str::to_owned);
        let word = |name: &str, known: &[&str], code: &'static str| match parameters.optional(name) {
            Some(word) if !known.contains(&word) => {
                Err(Refusal::not_found(code, format!("The specified {name} is not valid.")))
            }
            word => Ok(word.map(str::to_owned)),
        };
        let architecture = word("Architecture", &["i386", "x86_64", "arm64"], "InvalidArchitecture")?;
        let usage = word("Usage", &["instance", "none"], "InvalidUsage")?;
        let ids = parameters.comma_list("ImageId").map(to_owned_list);
        if ids.as_ref().is_some_and(|ids| ids.len() > MAX_IDS) {
            return Err(Refusal::invalid("ImageId"));
        }
        let tags = parameters.numbered_pairs("Tag");
        if tags.len() > 20 {
            return Err(Refusal::bad_request("InvalidTagCount", "The specified tags are beyond the permitted range."));
        }
        let mut filter = Self {
            ids,
            statuses: parameters.comma_list("Status").map_or_else(|| vec![DEFAULT_STATUS.to_owned()], to_owned_list),
            owner_alias: read_owner_alias(parameters)?,
            owner_id: text("ImageOwnerId"),
            name: text("ImageName"),
            snapshot: text("SnapshotId"),
            os_type: word("OSType", &["windows", "linux"], "InvalidOSType")?,
            is_public: parameters.flag("IsPublic")?,
            is_usable: parameters.flag("Usable")?,
            created_from: None,
            created_to: None,
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            resource_group: text("ResourceGroupId"),
            matches_nothing: text("ImageFamily").is_some()
                || architecture.is_some_and(|wanted| wanted != "x86_64")
                || usage.is_some_and(|wanted| wanted != "none")
                || parameters.flag("IsSupportCloudinit")? == Some(false)
                || parameters.flag("IsSupportIoOptimized")? == Some(false),
        };
        filter.check(parameters)?;
        filter.read_numbered(parameters)?;
        Ok(filter)
    }

    /// Conditions that need another one beside them.
    fn check(&self, parameters: &Parameters) -> Result<(), Refusal> {
        if self.is_usable.is_some() && parameters.optional("Status").is_none() {
            return Err(Refusal::missing("Status"));
        }
        let asks_others = self.owner_alias.as_deref() == Some("others");
        if self.is_public == Some(true) && !asks_others {
            let message = "A public image can be queried with ImageOwnerAlias others only.";
            return Err(Refusal::bad_request("InvalidImageOwnerAlias.PublicImageUnsupported", message));
        }
        if self.owner_id.is_some() && !asks_others {
            let message = "ImageOwnerId is supported for shared and public images only.";
            return Err(Refusal::bad_request("InvalidOperation.ImageOwnerIdUnsupported", message));
        }
        Ok(())
    }

    /// `Filter.N.Key` and `.Value`.
    fn read_numbered(&mut self, parameters: &Parameters) -> Result<(), Refusal> {
        let invalid = || Refusal::not_found("InvalidFilterValue", "The specified filter value is not valid.");
        for (key, value) in parameters.numbered_pairs("Filter") {
            match key {
                "CreationStartTime" => self.created_from = Some(time::parse(value).ok_or_else(invalid)?),
                "CreationEndTime" => self.created_to = Some(time::parse(value).ok_or_else(invalid)?),
                "NetworkType" if matches!(value, "vpc" | "classic") => {}
                "NetworkType" => {
                    let message = "The specified filter value of NetworkType is not valid.";
                    return Err(Refusal::bad_request("InvalidFilterValue.NetworkType", message));
                }
                "CpuOnlineUpgrade" | "CpuOnlineDowngrade" | "MemoryOnlineUpgrade" | "MemoryOnlineDowngrade" => {
                    if !matches!(value, "supported" | "unsupported") {
                        return Err(invalid());
                    }
                }
                _ => {
                    return Err(Refusal::not_found(
                        "InvalidFilterKey.NotFound",
                        "The specified filter key is not found.",
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn accepts(&self, image: &Image) -> bool {
        let status = status_word(image.state);
        let is_all = self.statuses.iter().any(|wanted| wanted == "ALL");
        !self.matches_nothing
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&image.id))
            && (is_all || self.statuses.iter().any(|wanted| wanted == status))
            && self.owner_alias.as_ref().is_none_or(|alias| alias == owner_alias(image.origin))
            && self.owner_id.as_ref().is_none_or(|owner| image.owner.as_ref() == Some(owner))
            && self.name.as_ref().is_none_or(|name| image.name.contains(name.trim_matches('*')))
            && self.snapshot.as_ref().is_none_or(|id| image.disks.iter().any(|disk| disk.snapshot_id == *id))
            && self.os_type.as_ref().is_none_or(|os| os == os_type(image))
            && self.is_public.is_none_or(|public| public == (image.origin == Origin::Public))
            && self.tags.iter().all(|(key, value)| {
                image.tags.iter().any(|tag| tag.key == *key && (value.is_empty() || tag.value == *value))
            })
            && self.resource_group.as_ref().is_none_or(|group| image.resource_group.as_ref() == Some(group))
            && self.is_usable.is_none_or(|usable| usable == (status == DEFAULT_STATUS))
            && self.created_from.is_none_or(|from| image.created_at >= from)
            && self.created_to.is_none_or(|to| image.created_at <= to)
    }
}

fn read_owner_alias(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    match parameters.optional("ImageOwnerAlias") {
        Some(alias) if !OWNER_ALIASES.contains(&alias) => Err(Refusal::bad_request(
            "InvalidImageOwnerAlias.ValueNotSupported",
            "The specified ImageOwnerAlias value is not supported.",
        )),
        alias => Ok(alias.map(str::to_owned)),
    }
}

fn to_owned_list(items: Vec<&str>) -> Vec<String> {
    items.into_iter().map(str::to_owned).collect()
}
