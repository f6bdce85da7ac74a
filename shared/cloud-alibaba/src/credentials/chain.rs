//! Decides in which order credentials are looked for, and how long the machine's metadata service is waited for.

use std::fmt;
use std::time::Duration;

use reqsign_aliyun_oss::{
    Credential, CredentialsUriCredentialProvider, EcsRamRoleCredentialProvider, EnvCredentialProvider,
};
use reqsign_core::{Context, Error, ProvideCredential, ProvideCredentialDyn, Result};
use tracing::debug;

use super::profile::{CliProfile, CredentialsFile};
use super::rrsa::Rrsa;

/// Time for the three requests to the metadata service, which answers in milliseconds where there is one; away
/// from the vendor's machines its address swallows packets.
const METADATA: Duration = Duration::from_secs(3);

/// Sources that are tried one after the other until one has credentials.
#[derive(Debug)]
pub(super) struct Chain(Vec<(&'static str, Box<dyn ProvideCredentialDyn<Credential = Credential>>)>);

impl Chain {
    /// Returns the sources of the vendor's own clients, in the order of alibabacloud-credentials 1.0.12.
    pub(super) fn of_the_vendor() -> Self {
        Self(vec![
            ("environment", Box::new(EnvCredentialProvider::new())),
            ("oidc", Box::new(Rrsa)),
            ("cli profile", Box::new(CliProfile::new(None, None))),
            ("credentials file", Box::new(CredentialsFile)),
            ("machine role", Box::new(Bounded(EcsRamRoleCredentialProvider::new()))),
            ("credentials uri", Box::new(CredentialsUriCredentialProvider::new())),
        ])
    }
}

impl ProvideCredential for Chain {
    type Credential = Credential;

    async fn provide_credential(&self, ctx: &Context) -> Result<Option<Credential>> {
        let mut problems = Vec::new();
        for (name, source) in &self.0 {
            match source.provide_credential_dyn(ctx).await {
                Ok(Some(found)) if !found.access_key_id.is_empty() && !found.access_key_secret.is_empty() => {
                    debug!(source = name, "credentials found");
                    return Ok(Some(found));
                }
                Ok(_) => {}
                Err(error) => problems.push(format!("{name}: {error}")),
            }
        }
        // A source that is set up and broken is what the reader has to hear about.
        if problems.is_empty() { Ok(None) } else { Err(Error::credential_invalid(problems.join("; "))) }
    }
}

/// The role of the machine, asked for a bounded time.
pub(super) struct Bounded(pub(super) EcsRamRoleCredentialProvider);

impl ProvideCredential for Bounded {
    type Credential = Credential;

    async fn provide_credential(&self, ctx: &Context) -> Result<Option<Credential>> {
        match tokio::time::timeout(METADATA, self.0.provide_credential(ctx)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::unexpected("the metadata service of the machine does not answer")),
        }
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bounded").field(&self.0).finish()
    }
}
