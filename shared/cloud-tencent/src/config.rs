//! Decides where an account is called and how; every address can be replaced, for simulators and private links.

use sampan_cloud::audit::AuditTrail;
use sampan_cloud::stack::{CallPolicy, Transport};
use sampan_core::{Region, SharedClock};

use crate::credentials::CredentialSource;

/// Language of the vendor's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    /// Returns the vendor's word, such as `en-US`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en-US",
            Self::Chinese => "zh-CN",
        }
    }
}

/// One account of Tencent Cloud.
#[derive(Debug, Clone)]
pub struct TencentConfig {
    /// Where the credentials come from.
    pub credentials: CredentialSource,
    /// Addresses that replace the vendor's own.
    pub endpoints: Endpoints,
    /// Language of the vendor's messages.
    pub language: Language,
    /// Attempts and times of a call.
    pub policy: CallPolicy,
    /// The clock that signatures and lifetimes come from.
    pub clock: SharedClock,
    /// Connections; one transport serves every account of a process.
    pub transport: Transport,
    /// Records calls that change something; `None` keeps no records.
    pub audit: Option<AuditTrail>,
}

impl TencentConfig {
    /// Describes an account at the vendor's own addresses, with the default policy and connections of its own.
    pub fn new(credentials: CredentialSource, clock: SharedClock) -> Self {
        Self {
            credentials,
            endpoints: Endpoints::default(),
            language: Language::default(),
            policy: CallPolicy::default(),
            clock,
            transport: Transport::new(),
            audit: None,
        }
    }
}

/// Addresses that replace the vendor's own: scheme and authority, such as `http://127.0.0.1:7401`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The CVM API, and CBS too unless `cbs` is set.
    pub api: Option<String>,
    /// The CBS API.
    pub cbs: Option<String>,
    /// Buckets. `{bucket}` and `{region}` are filled in; without `{bucket}` the bucket becomes the first part of
    /// the path.
    pub cos: Option<String>,
    /// The STS API, for roles.
    pub sts: Option<String>,
    /// The metadata service of a CVM instance.
    pub metadata: Option<String>,
}

impl Endpoints {
    pub(crate) fn cvm(&self, region: &Region) -> String {
        given(&[&self.api]).unwrap_or_else(|| api_host("cvm", region))
    }

    pub(crate) fn cbs(&self, region: &Region) -> String {
        given(&[&self.cbs, &self.api]).unwrap_or_else(|| api_host("cbs", region))
    }

    pub(crate) fn sts(&self) -> String {
        given(&[&self.sts]).unwrap_or_else(|| "https://sts.tencentcloudapi.com".to_owned())
    }

    pub(crate) fn metadata(&self) -> String {
        given(&[&self.metadata]).unwrap_or_else(|| "http://metadata.tencentyun.com".to_owned())
    }

    pub(crate) fn cos(&self) -> String {
        given(&[&self.cos]).unwrap_or_else(|| "https://{bucket}.cos.{region}.myqcloud.com".to_owned())
    }
}

fn given(choices: &[&Option<String>]) -> Option<String> {
    choices.iter().find_map(|choice| choice.as_deref()).map(|address| address.trim_end_matches('/').to_owned())
}

/// Financial regions are isolated and answer at their own host only (document 213/31573).
fn api_host(service: &str, region: &Region) -> String {
    match region.as_str().ends_with("-fsi") {
        true => format!("https://{service}.{region}.tencentcloudapi.com"),
        false => format!("https://{service}.tencentcloudapi.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn financial_regions_are_called_at_their_own_host() {
        let endpoints = Endpoints::default();
        let at = |region: &str| endpoints.cvm(&region.parse().unwrap());
        assert_eq!(at("ap-guangzhou"), "https://cvm.tencentcloudapi.com");
        assert_eq!(at("ap-shanghai-fsi"), "https://cvm.ap-shanghai-fsi.tencentcloudapi.com");
    }

    #[test]
    fn a_replaced_api_serves_cbs_too_unless_that_has_its_own() {
        let region = "ap-shanghai-fsi".parse().unwrap();
        let mut endpoints = Endpoints { api: Some("http://127.0.0.1:7401/".to_owned()), ..Endpoints::default() };
        assert_eq!(
            (endpoints.cvm(&region), endpoints.cbs(&region)),
            tuple("http://127.0.0.1:7401", "http://127.0.0.1:7401")
        );
        endpoints.cbs = Some("http://127.0.0.1:1".to_owned());
        assert_eq!(
            (endpoints.cvm(&region), endpoints.cbs(&region)),
            tuple("http://127.0.0.1:7401", "http://127.0.0.1:1")
        );
    }

    fn tuple(cvm: &str, cbs: &str) -> (String, String) {
        (cvm.to_owned(), cbs.to_owned())
    }
}
