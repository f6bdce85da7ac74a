//! How one account of a cloud is configured.

use sampan_core::Cloud;
use sampan_proto::billing::v1 as pb;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// One account of a cloud.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// The cloud of the account.
    pub cloud: Cloud,
    /// Number of the account at the cloud: Tencent's root uin, Alibaba's account id. Shares name accounts by it, and
    /// know their own by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Price list of the account: `cn` bills in CNY, `intl` in USD. Without it the account's jobs have no price, for
    /// nothing else tells which one applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteWord>,
    /// Where its credentials come from.
    #[serde(default)]
    pub credentials: CredentialsConfig,
    /// Addresses in place of the vendor's own: private networks, or the simulator.
    #[serde(default)]
    pub endpoints: EndpointsConfig,
    /// Whether previews ask Alibaba by a trial run (`DryRun`); see ARCHITECTURE.md before turning it on. Tencent is
    /// always asked.
    #[serde(default)]
    pub trial_runs: bool,
}

/// Price list of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteWord {
    /// The Chinese site.
    Cn,
    /// The international site.
    Intl,
}

impl SiteWord {
    /// Returns the word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Intl => "intl",
        }
    }

    /// Returns the word of the API.
    pub fn wire(self) -> pb::Site {
        match self {
            Self::Cn => pb::Site::Cn,
            Self::Intl => pb::Site::Intl,
        }
    }
}

/// Where credentials come from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CredentialsConfig {
    /// The vendor's usual chain: environment, files of its command-line tools, roles of instance and cluster.
    #[default]
    Chain,
    /// Written down here.
    Static {
        /// Id of the key.
        access_key_id: String,
        /// The secret; never printed.
        access_key_secret: SecretText,
        /// Token of temporary credentials; never printed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        security_token: Option<SecretText>,
    },
    /// A profile of the vendor's command-line tool.
    Profile {
        /// Name of the profile.
        name: String,
    },
    /// Another role, assumed with the credentials of the usual chain.
    AssumeRole {
        /// The role.
        role_arn: String,
        /// Name of the session.
        #[serde(default = "session_name")]
        session_name: String,
    },
}

fn session_name() -> String {
    "sampan".to_owned()
}

/// Addresses in place of the vendor's own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointsConfig {
    /// Image API: CVM or ECS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Buckets: COS or OSS; `{bucket}` and `{region}` are replaced. Without `{bucket}` the bucket is part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
}

/// A secret: readable by the program, `***` for everybody else.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(SecretString);

impl SecretText {
    /// Returns the secret, for a signer.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}
