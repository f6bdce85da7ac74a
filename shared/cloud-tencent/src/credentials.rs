//! Decides where an account's credentials come from: the habits of the vendor's own tools.
//!
//! Environment and OIDC on TKE come from `reqsign-tencent-cos`; given keys, the credential file, the profile of
//! `tccli`, the role of an instance and an assumed role are here, behind the same trait. When credentials are
//! fetched anew is decided by the cache of the call stack.

mod assume_role;
mod cvm_role;
mod file;
mod tccli;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use reqsign_core::{Context, ProvideCredential, ProvideCredentialDyn};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_tencent_cos::{AssumeRoleWithWebIdentityCredentialProvider, Credential, EnvCredentialProvider};
use sampan_cloud::stack::{CredentialCache, Transport, credential_context};
use sampan_core::SharedClock;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Endpoints;
pub use assume_role::Role;

type Provider = Arc<dyn ProvideCredentialDyn<Credential = Credential>>;

/// Where credentials come from. `Debug` hides every secret.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// Environment, credential file, `tccli` profile, TKE OIDC, instance role: the first that has any.
    Default,
    /// Keys that were given.
    Static {
        /// SecretId.
        secret_id: SecretString,
        /// SecretKey.
        secret_key: SecretString,
        /// Token of temporary keys.
        token: Option<SecretString>,
    },
    /// `TENCENTCLOUD_SECRET_ID`, `TENCENTCLOUD_SECRET_KEY`, and `TENCENTCLOUD_TOKEN` or
    /// `TENCENTCLOUD_SECURITY_TOKEN`.
    Environment,
    /// An INI file; `None` looks at `TENCENTCLOUD_CREDENTIALS_FILE`, `~/.tencentcloud/credentials` and
    /// `/etc/tencentcloud/credentials`.
    File {
        /// The file.
        path: Option<PathBuf>,
        /// Its section, `default` by habit.
        profile: String,
    },
    /// `~/.tccli/PROFILE.credential`.
    Tccli {
        /// The profile; `None` looks at `TCCLI_PROFILE`, then takes `default`.
        profile: Option<String>,
    },
    /// The role of the CVM instance that the process runs on.
    CvmRole {
        /// The role; `None` asks the metadata service.
        role: Option<String>,
    },
    /// The role of the TKE pod that the process runs in, by its OIDC token (`TKE_*` variables).
    TkeOidc,
    /// A role that other credentials assume.
    AssumeRole {
        /// Credentials that may assume it.
        base: Box<CredentialSource>,
        /// The role.
        role: Role,
    },
}

/// Makes the cache of an account's credentials; nothing is read before its first use.
pub(crate) fn cache(
    source: CredentialSource,
    endpoints: &Endpoints,
    transport: &Transport,
    clock: &SharedClock,
) -> CredentialCache<Credential> {
    let context = credential_context(transport).with_file_read(TokioFileRead);
    let provider = Tidy { inner: provider(source, endpoints, clock) };
    CredentialCache::new(context, Arc::new(provider), Arc::clone(clock))
}

fn provider(source: CredentialSource, endpoints: &Endpoints, clock: &SharedClock) -> Provider {
    let assume =
        |base, role| assume_role::AssumeRole { base, role, endpoint: endpoints.sts(), clock: Arc::clone(clock) };
    match source {
        CredentialSource::Default => Arc::new(Chain {
            sources: [
                CredentialSource::Environment,
                CredentialSource::File { path: None, profile: "default".to_owned() },
                CredentialSource::Tccli { profile: None },
                CredentialSource::TkeOidc,
                CredentialSource::CvmRole { role: None },
            ]
            .map(|source| provider(source, endpoints, clock))
            .to_vec(),
        }),
        CredentialSource::Static { secret_id, secret_key, token } => Arc::new(Given { secret_id, secret_key, token }),
        CredentialSource::Environment => Arc::new(EnvCredentialProvider::new()),
        CredentialSource::File { path, profile } => Arc::new(file::CredentialFile { path, profile }),
        CredentialSource::Tccli { profile } => Arc::new(tccli::Tccli {
            profile,
            metadata: endpoints.metadata(),
            sts: endpoints.sts(),
            clock: Arc::clone(clock),
        }),
        CredentialSource::CvmRole { role } => Arc::new(cvm_role::CvmRole { role, endpoint: endpoints.metadata() }),
        CredentialSource::TkeOidc => Arc::new(AssumeRoleWithWebIdentityCredentialProvider::new()),
        CredentialSource::AssumeRole { base, role } => Arc::new(assume(provider(*base, endpoints, clock), role)),
    }
}

/// Keys that were given. Kept here, because the provider of `reqsign` shows parts of them in `Debug`.
#[derive(Debug)]
struct Given {
    secret_id: SecretString,
    secret_key: SecretString,
    token: Option<SecretString>,
}

impl ProvideCredential for Given {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        Ok(Some(Credential {
            secret_id: self.secret_id.expose_secret().to_owned(),
            secret_key: self.secret_key.expose_secret().to_owned(),
            security_token: self.token.as_ref().map(|token| token.expose_secret().to_owned()),
            expires_in: None,
        }))
    }
}

/// Takes the first source that has credentials. A source that fails is passed over, but its problem is told when
/// no other source has any.
struct Chain {
    sources: Vec<Provider>,
}

impl ProvideCredential for Chain {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let mut problem = None;
        for source in &self.sources {
            match source.provide_credential_dyn(context).await {
                Ok(Some(credential)) => return Ok(Some(credential)),
                Ok(None) => {}
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        // Away from the vendor's machines the last source never answers, so its silence is no fault that passes.
        problem.map_or(Ok(None), |problem| Err(problem.set_retryable(false)))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.sources).finish()
    }
}

/// Refuses keys with blanks around them: they come from a careless copy, and the cloud only says that it does not
/// know them.
#[derive(Debug)]
struct Tidy {
    inner: Provider,
}

impl ProvideCredential for Tidy {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let found = self.inner.provide_credential_dyn(context).await?;
        let untidy = |text: &str| text.is_empty() || text.trim() != text;
        match found {
            Some(found) if untidy(&found.secret_id) || untidy(&found.secret_key) => {
                Err(invalid("the secret id or the secret key is empty or has blanks around it"))
            }
            found => Ok(found),
        }
    }
}

fn invalid(message: impl Into<String>) -> reqsign_core::Error {
    reqsign_core::Error::credential_invalid(message.into())
}

#[cfg(test)]
mod tests;
