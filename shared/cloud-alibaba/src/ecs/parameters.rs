//! Decides how parameters that are lists travel: flat, numbered from 1.

use std::collections::BTreeMap;

use sampan_cloud::copy::Encryption;

/// Parameters of a call in the making.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, Option<String>)>);

impl Parameters {
    /// Adds a parameter; one without a value is left out of the call.
    pub(super) fn set(mut self, name: impl Into<String>, value: impl Into<Option<String>>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Adds `name.1`, `name.2` and so on.
    pub(super) fn list(mut self, name: &str, values: &[String]) -> Self {
        let numbered = values.iter().enumerate().map(|(index, value)| (format!("{name}.{}", index + 1), value.clone()));
        self.0.extend(numbered.map(|(name, value)| (name, Some(value))));
        self
    }

    /// Adds what stands for the encryption; without one the vendor leaves the copy as its source is.
    pub(super) fn encryption(self, encryption: Option<&Encryption>) -> Self {
        self.set("Encrypted", encryption.map(|_| "true".to_owned()))
            .set("KMSKeyId", encryption.and_then(|encryption| encryption.kms_key_id.clone()))
    }

    /// Adds the tags.
    pub(super) fn tags(self, tags: &BTreeMap<String, String>) -> Self {
        tags.iter().enumerate().fold(self, |parameters, (index, (key, value))| {
            let number = index + 1;
            parameters.set(format!("Tag.{number}.Key"), key.clone()).set(format!("Tag.{number}.Value"), value.clone())
        })
    }
}

impl IntoIterator for Parameters {
    type Item = (String, Option<String>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(parameters: Parameters) -> Vec<String> {
        parameters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect()
    }

    #[test]
    fn lists_and_tags_are_numbered_from_one() {
        let accounts = ["111".to_owned(), "222".to_owned()];
        let tags = [("a", "b"), ("c", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(
            sent(Parameters::default().list("AddAccount", &accounts).tags(&tags.into())),
            ["AddAccount.1=111", "AddAccount.2=222", "Tag.1.Key=a", "Tag.1.Value=b", "Tag.2.Key=c", "Tag.2.Value="]
        );
    }

    #[test]
    fn a_key_travels_only_with_encryption() {
        let encrypted = |key: Option<&str>| {
            let encryption = Encryption { kms_key_id: key.map(ToOwned::to_owned) };
            sent(Parameters::default().encryption(Some(&encryption)))
        };
        assert_eq!(sent(Parameters::default().encryption(None)), [""; 0]);
        assert_eq!(encrypted(None), ["Encrypted=true"]);
        assert_eq!(encrypted(Some("k-1")), ["Encrypted=true", "KMSKeyId=k-1"]);
    }
}
