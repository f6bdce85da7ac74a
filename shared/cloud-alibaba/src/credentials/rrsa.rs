//! Adds to OIDC from the environment what the vendor's clients know and `reqsign-aliyun-oss` does not: the region
//! and the private network of the token service.

use reqsign_aliyun_oss::{AssumeRoleWithOidcCredentialProvider, Credential};
use reqsign_core::{Context, ProvideCredential, Result};

use super::SESSION;

/// Variables that must all be set, or the source has nothing.
const REQUIRED: [&str; 3] =
    ["ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"];

/// A role that is assumed by the token of a Kubernetes service account, as its webhook sets it up.
#[derive(Debug)]
pub(super) struct Rrsa;

impl ProvideCredential for Rrsa {
    type Credential = Credential;

    async fn provide_credential(&self, ctx: &Context) -> Result<Option<Credential>> {
        let unset = |name: &&str| ctx.env_var(name).is_none_or(|value| value.is_empty());
        if REQUIRED.iter().any(unset) {
            return Ok(None);
        }
        let mut provider = AssumeRoleWithOidcCredentialProvider::new();
        if ctx.env_var("ALIBABA_CLOUD_ROLE_SESSION_NAME").is_none() {
            provider = provider.with_role_session_name(SESSION);
        }
        if let Some(region) = ctx.env_var("ALIBABA_CLOUD_STS_REGION").filter(|region| !region.is_empty()) {
            provider = provider.with_sts_endpoint(sts_host(&region, ctx));
        }
        provider.provide_credential(ctx).await
    }
}

/// Returns the host of the token service in `region`.
pub(super) fn sts_host(region: &str, ctx: &Context) -> String {
    let private =
        ctx.env_var("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    format!("{}.{region}.aliyuncs.com", if private { "sts-vpc" } else { "sts" })
}
