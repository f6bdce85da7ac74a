//! Where the services of other processes are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Addresses of the roles that run in other processes. A role that runs in this process is never asked elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeersConfig {
    /// Export.
    pub export: Addresses,
    /// Copy.
    pub copy: Addresses,
    /// Share.
    pub share: Addresses,
    /// Billing.
    pub billing: Addresses,
    /// Authorities of the peers' certificates, PEM; without it the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificate by which this process shows the peers who it is, PEM.
    pub cert_file: Option<PathBuf>,
    /// Private key of that certificate, PEM.
    pub key_file: Option<PathBuf>,
    /// File with a bearer token for the peers. Read again, because tokens are short-lived.
    pub token_file: Option<PathBuf>,
    /// Seconds that one call may take, when its own caller does not allow less.
    pub timeout_seconds: u64,
    /// Seconds after which names are looked up again.
    pub resolve_seconds: u64,
}

impl Default for PeersConfig {
    fn default() -> Self {
        Self {
            export: Addresses::default(),
            copy: Addresses::default(),
            share: Addresses::default(),
            billing: Addresses::default(),
            ca_file: None,
            cert_file: None,
            key_file: None,
            token_file: None,
            timeout_seconds: 10,
            resolve_seconds: 10,
        }
    }
}

impl PeersConfig {
    /// Returns the URLs by role.
    pub fn addresses(&self) -> BTreeMap<&'static str, Vec<String>> {
        let Self { export, copy, share, billing, .. } = self;
        let all = [("export", export), ("copy", copy), ("share", share), ("billing", billing)];
        all.into_iter().map(|(role, addresses)| (role, addresses.0.clone())).collect()
    }
}

/// One URL or several, such as `http://billing:7500`. A name may have many addresses: all of them are used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Addresses(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Addresses {
    fn from(given: OneOrMany) -> Self {
        match given {
            OneOrMany::One(url) => Self(vec![url]),
            OneOrMany::Many(urls) => Self(urls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_address_or_several() {
        let text = "billing = \"http://billing:7500\"\nshare = [\"http://a:1\", \"http://b:2\"]\n";
        let addresses = toml::from_str::<PeersConfig>(text).unwrap().addresses();
        assert_eq!(addresses["billing"], ["http://billing:7500"]);
        assert_eq!(addresses["share"], ["http://a:1", "http://b:2"]);
        assert!(addresses["export"].is_empty());
    }
}
