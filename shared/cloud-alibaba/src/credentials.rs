//! Decides where the credentials of an account come from; how they look in files is decided in the submodules.
//!
//! The fetching itself is that of `reqsign-aliyun-oss`, where it has it: environment, metadata service, URI,
//! `AssumeRole` and its OIDC form. When they are fetched anew is decided by the call stack.

mod chain;
mod profile;
mod rrsa;

use std::fmt;
use std::sync::Arc;

use reqsign_aliyun_oss::{
    AssumeRoleCredentialProvider, AssumeRoleWithOidcCredentialProvider, Credential, CredentialsUriCredentialProvider,
    EcsRamRoleCredentialProvider, EnvCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialDyn};
use secrecy::{ExposeSecret as _, SecretString};

use chain::{Bounded, Chain};
use profile::CliProfile;

/// Session name of assumed roles, where none is configured.
const SESSION: &str = "sampan";

/// Something that credentials can be had from.
pub type Provider = Arc<dyn ProvideCredentialDyn<Credential = Credential>>;

/// Where the credentials of an account come from. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// What the vendor's own clients look through, in their order: environment, OIDC (RRSA), profile of the
    /// command line client, credentials file, role of the machine, credentials URI.
    Default,
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and `ALIBABA_CLOUD_SECURITY_TOKEN`, or those
    /// of OSS: `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`.
    Environment,
    /// Fixed keys.
    Static {
        /// Access key id.
        access_key_id: String,
        /// Access key secret.
        access_key_secret: SecretString,
        /// Token of temporary keys.
        security_token: Option<SecretString>,
    },
    /// A profile of the vendor's command line client.
    Profile {
        /// Name of the profile; `None` means the current one.
        name: Option<String>,
        /// The file; `None` means `~/.aliyun/config.json`.
        file: Option<String>,
    },
    /// The role of the machine, from its metadata service.
    EcsRamRole {
        /// Name of the role; `None` asks the service.
        role: Option<String>,
    },
    /// A role that is assumed by the token of a Kubernetes service account.
    Oidc {
        /// The role.
        role_arn: String,
        /// The identity provider that is trusted.
        provider_arn: String,
        /// File with the token.
        token_file: String,
        /// Session name; `None` means `sampan`.
        session_name: Option<String>,
        /// Host of the token service; `None` means `sts.aliyuncs.com`.
        sts_endpoint: Option<String>,
    },
    /// An address that answers with credentials.
    Uri(String),
    /// A role that is assumed by other credentials.
    AssumeRole {
        /// The credentials that may assume the role.
        base: Box<CredentialSource>,
        /// The role.
        role_arn: String,
        /// Session name; `None` means `sampan`.
        session_name: Option<String>,
        /// External id, where the role asks for one.
        external_id: Option<String>,
        /// Host of the token service; `None` means `sts.aliyuncs.com`.
        sts_endpoint: Option<String>,
    },
}

impl CredentialSource {
    /// Returns what fetches the credentials; nothing is fetched here.
    pub fn provider(&self) -> Provider {
        match self {
            Self::Default => Arc::new(Chain::of_the_vendor()),
            Self::Environment => Arc::new(EnvCredentialProvider::new()),
            Self::Static { access_key_id, access_key_secret, security_token } => Arc::new(Fixed(Credential {
                access_key_id: access_key_id.clone(),
                access_key_secret: access_key_secret.expose_secret().to_owned(),
                security_token: security_token.as_ref().map(|token| token.expose_secret().to_owned()),
                expires_in: None,
            })),
            Self::Profile { name, file } => Arc::new(CliProfile::new(name.clone(), file.clone())),
            Self::EcsRamRole { role } => Arc::new(Bounded(machine_role(role.as_deref()))),
            Self::Uri(uri) => Arc::new(CredentialsUriCredentialProvider::new().with_uri(uri)),
            Self::Oidc { role_arn, provider_arn, token_file, session_name, sts_endpoint } => {
                let provider = AssumeRoleWithOidcCredentialProvider::new()
                    .with_role_arn(role_arn)
                    .with_oidc_provider_arn(provider_arn)
                    .with_oidc_token_file(token_file)
                    .with_role_session_name(session_name.as_deref().unwrap_or(SESSION));
                match sts_endpoint {
                    Some(endpoint) => Arc::new(provider.with_sts_endpoint(endpoint)),
                    None => Arc::new(provider),
                }
            }
            Self::AssumeRole { base, role_arn, session_name, external_id, sts_endpoint } => {
                let mut provider = AssumeRoleCredentialProvider::new()
                    .with_base_provider(base.provider())
                    .with_role_arn(role_arn)
                    .with_role_session_name(session_name.as_deref().unwrap_or(SESSION));
                if let Some(id) = external_id {
                    provider = provider.with_external_id(id);
                }
                if let Some(endpoint) = sts_endpoint {
                    provider = provider.with_sts_endpoint(endpoint);
                }
                Arc::new(provider)
            }
        }
    }
}

fn machine_role(name: Option<&str>) -> EcsRamRoleCredentialProvider {
    let provider = EcsRamRoleCredentialProvider::new();
    name.map_or(provider.clone(), |name| provider.with_role_name(name))
}

/// Credentials that never change. The one of `reqsign-aliyun-oss` would show its secret in `Debug`.
struct Fixed(Credential);

impl ProvideCredential for Fixed {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        if self.0.access_key_id.is_empty() || self.0.access_key_secret.is_empty() {
            return Err(reqsign_core::Error::config_invalid("the configured access key is empty"));
        }
        Ok(Some(self.0.clone()))
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
