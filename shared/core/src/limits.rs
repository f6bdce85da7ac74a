//! Decides the value, the source and the enforcement of every vendor limit; the numbers are data in `limits/*.toml`.
//!
//! Which rule uses a limit is decided by the services.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Cloud;

/// Which edition of the limits applies where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitSet {
    /// The documents that Sampan implements.
    #[default]
    Documented,
    /// What the newer SDKs and pages say.
    Current,
}

/// What happens when a limit is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// The request is refused.
    #[default]
    Enforce,
    /// The request goes on with a warning.
    Warn,
    /// Nothing is checked.
    Off,
}

/// A change to one limit by configuration (`[limits.tencent."export.disk_gib"]`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitOverride {
    /// Value in place of the one of the set, in the limit's own unit.
    pub value: Option<u64>,
    /// Words in place of those of the set, for limits that are lists.
    pub values: Option<Vec<String>>,
    /// Enforcement in place of `enforce`.
    pub enforcement: Option<Enforcement>,
}

/// The choices that a configuration makes about limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitChoices {
    /// Edition of every limit.
    #[serde(default)]
    pub set: LimitSet,
    /// Changes for Tencent, by limit id.
    #[serde(default)]
    pub tencent: BTreeMap<String, LimitOverride>,
    /// Changes for Alibaba, by limit id.
    #[serde(default)]
    pub alibaba: BTreeMap<String, LimitOverride>,
}

/// A number that a vendor does not let a request exceed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Identity, such as `export.disk_gib`.
    pub id: String,
    /// What is limited, as a phrase.
    pub title: String,
    /// Unit of `value`.
    pub unit: String,
    /// The largest permitted value; `None` when the vendor sets none.
    pub value: Option<u64>,
    /// The document that it comes from.
    pub source: String,
    /// Date of the document; empty when it carries none.
    pub date: String,
    /// What happens above `value`.
    pub enforcement: Enforcement,
}

/// A list of words that a vendor accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Identity, such as `export.formats`.
    pub id: String,
    /// What is listed, as a phrase.
    pub title: String,
    /// The accepted words, in the order of the document.
    pub values: Vec<String>,
    /// The document that it comes from.
    pub source: String,
    /// Date of the document; empty when it carries none.
    pub date: String,
    /// What happens with another word.
    pub enforcement: Enforcement,
}

/// The limits in force for both clouds.
#[derive(Debug, Clone)]
pub struct Limits {
    numbers: BTreeMap<Cloud, BTreeMap<String, Limit>>,
    words: BTreeMap<Cloud, BTreeMap<String, Words>>,
}

/// A limit table or a choice that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The table of a cloud is not readable.
    #[error("limits of {cloud} are unreadable: {message}")]
    Unreadable {
        /// The cloud of the table.
        cloud: Cloud,
        /// What the reader says.
        message: String,
    },
    /// The configuration changes a limit that does not exist.
    #[error("no limit `{id}` exists for {cloud}; there are: {known}")]
    UnknownLimit {
        /// The cloud of the change.
        cloud: Cloud,
        /// The id that is not known.
        id: String,
        /// The known ids, separated by commas.
        known: String,
    },
}

impl Limits {
    /// Reads the built-in tables and applies `choices`.
    ///
    /// # Errors
    /// [`Error::UnknownLimit`] when a change names a limit that does not exist.
    pub fn load(choices: &LimitChoices) -> Result<Self, Error> {
        let mut limits = Self { numbers: BTreeMap::new(), words: BTreeMap::new() };
        limits.read(Cloud::Tencent, include_str!("../limits/tencent.toml"), choices.set)?;
        limits.read(Cloud::Alibaba, include_str!("../limits/alibaba.toml"), choices.set)?;
        limits.apply(Cloud::Tencent, &choices.tencent)?;
        limits.apply(Cloud::Alibaba, &choices.alibaba)?;
        Ok(limits)
    }

    /// Returns the number `id` of `cloud`, or `None` when the cloud has no such limit.
    pub fn number(&self, cloud: Cloud, id: &str) -> Option<&Limit> {
        self.numbers.get(&cloud)?.get(id)
    }

    /// Returns the words `id` of `cloud`, or `None` when the cloud has no such list.
    pub fn words(&self, cloud: Cloud, id: &str) -> Option<&Words> {
        self.words.get(&cloud)?.get(id)
    }

    /// Returns the cloud whose list of regions holds `region`, if exactly one does.
    pub fn cloud_of_region(&self, region: &str) -> Option<Cloud> {
        let holds = |cloud: &Cloud| {
            self.words(*cloud, "regions").is_some_and(|words| words.values.iter().any(|known| known == region))
        };
        let mut clouds = Cloud::ALL.into_iter().filter(holds);
        let first = clouds.next();
        if clouds.next().is_some() { None } else { first }
    }

    fn read(&mut self, cloud: Cloud, text: &str, set: LimitSet) -> Result<(), Error> {
        let table: Table =
            toml::from_str(text).map_err(|error| Error::Unreadable { cloud, message: error.to_string() })?;
        for row in table.limit {
            let edition = pick(row.set.unwrap_or(set), row.documented, row.current);
            let (value, source, date) = edition.map_or((None, String::new(), String::new()), |edition| {
                (Some(edition.value), edition.source, edition.date)
            });
            let limit = Limit {
                id: row.id.clone(),
                title: row.title,
                unit: row.unit,
                value,
                source,
                date,
                enforcement: Enforcement::Enforce,
            };
            self.numbers.entry(cloud).or_default().insert(row.id, limit);
        }
        for row in table.words {
            let Some(edition) = pick(row.set.unwrap_or(set), row.documented, row.current) else { continue };
            let words = Words {
                id: row.id.clone(),
                title: row.title,
                values: edition.values,
                source: edition.source,
                date: edition.date,
                enforcement: Enforcement::Enforce,
            };
            self.words.entry(cloud).or_default().insert(row.id, words);
        }
        Ok(())
    }

    fn apply(&mut self, cloud: Cloud, changes: &BTreeMap<String, LimitOverride>) -> Result<(), Error> {
        const SOURCE: &str = "configuration of this server";
        for (id, change) in changes {
            if let Some(limit) = self.numbers.get_mut(&cloud).and_then(|numbers| numbers.get_mut(id)) {
                if let Some(value) = change.value {
                    limit.value = Some(value);
                    limit.source = SOURCE.to_owned();
                    limit.date = String::new();
                }
                limit.enforcement = change.enforcement.unwrap_or(limit.enforcement);
            } else if let Some(words) = self.words.get_mut(&cloud).and_then(|words| words.get_mut(id)) {
                if let Some(values) = &change.values {
                    words.values.clone_from(values);
                    words.source = SOURCE.to_owned();
                    words.date = String::new();
                }
                words.enforcement = change.enforcement.unwrap_or(words.enforcement);
            } else {
                return Err(Error::UnknownLimit { cloud, id: id.clone(), known: self.known(cloud) });
            }
        }
        Ok(())
    }

    fn known(&self, cloud: Cloud) -> String {
        let numbers = self.numbers.get(&cloud).into_iter().flat_map(BTreeMap::keys);
        let words = self.words.get(&cloud).into_iter().flat_map(BTreeMap::keys);
        numbers.chain(words).map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn pick<T>(set: LimitSet, documented: Option<T>, current: Option<T>) -> Option<T> {
    match set {
        LimitSet::Documented => documented.or(current),
        LimitSet::Current => current.or(documented),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    limit: Vec<Row<NumberEdition>>,
    #[serde(default)]
    words: Vec<Row<WordsEdition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<T> {
    id: String,
    title: String,
    #[serde(default)]
    unit: String,
    documented: Option<T>,
    current: Option<T>,
    /// Fixes the edition of this row whatever the configuration chooses.
    #[serde(default, rename = "use")]
    set: Option<LimitSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberEdition {
    value: u64,
    source: String,
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsEdition {
    values: Vec<String>,
    source: String,
    date: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_set_is_the_default_and_the_current_one_can_be_chosen() {
        let documented = Limits::load(&LimitChoices::default()).unwrap();
        assert_eq!(documented.number(Cloud::Tencent, "image.per_region").unwrap().value, Some(10));
        assert_eq!(documented.number(Cloud::Tencent, "image.daily_operations").unwrap().value, Some(5));
        assert_eq!(documented.number(Cloud::Alibaba, "image.daily_operations").unwrap().value, None);
        let current = Limits::load(&LimitChoices { set: LimitSet::Current, ..LimitChoices::default() }).unwrap();
        assert_eq!(current.number(Cloud::Tencent, "image.per_region").unwrap().value, Some(500));
        assert_eq!(current.number(Cloud::Alibaba, "export.disk_gib").unwrap().value, Some(2048));
    }

    #[test]
    fn every_limit_that_has_a_value_names_its_source() {
        for set in [LimitSet::Documented, LimitSet::Current] {
            let limits = Limits::load(&LimitChoices { set, ..LimitChoices::default() }).unwrap();
            for limit in limits.numbers.values().flat_map(BTreeMap::values).filter(|limit| limit.value.is_some()) {
                assert!(!limit.source.is_empty(), "{}", limit.id);
            }
        }
    }

    #[test]
    fn a_change_of_an_unknown_limit_is_refused_with_the_known_ones() {
        let change = LimitOverride { value: Some(1), ..LimitOverride::default() };
        let choices =
            LimitChoices { tencent: BTreeMap::from([("export.disks".to_owned(), change)]), ..LimitChoices::default() };
        let error = Limits::load(&choices).unwrap_err();
        assert!(error.to_string().contains("export.data_disks"), "{error}");
    }

    #[test]
    fn a_region_names_its_cloud() {
        let limits = Limits::load(&LimitChoices::default()).unwrap();
        assert_eq!(limits.cloud_of_region("ap-guangzhou"), Some(Cloud::Tencent));
        assert_eq!(limits.cloud_of_region("cn-hangzhou"), Some(Cloud::Alibaba));
        assert_eq!(limits.cloud_of_region("mars-1"), None);
    }
}
