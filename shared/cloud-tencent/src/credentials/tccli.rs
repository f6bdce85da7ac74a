//! The profile of the vendor's command line, `~/.tccli/PROFILE.credential`.

use std::sync::Arc;

use reqsign_core::{Context, ProvideCredential};
use reqsign_tencent_cos::Credential;
use sampan_core::SharedClock;
use secrecy::SecretString;
use serde::Deserialize;

use super::assume_role::{AssumeRole, Role};
use super::cvm_role::CvmRole;
use super::{Given, invalid};

#[derive(Debug)]
pub(crate) struct Tccli {
    pub(crate) profile: Option<String>,
    pub(crate) metadata: String,
    pub(crate) sts: String,
    pub(crate) clock: SharedClock,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "secretId")]
    secret_id: Option<String>,
    #[serde(rename = "secretKey")]
    secret_key: Option<String>,
    token: Option<String>,
    #[serde(rename = "role-arn")]
    role_arn: Option<String>,
    #[serde(rename = "role-session-name")]
    role_session_name: Option<String>,
    r#type: Option<String>,
}

impl ProvideCredential for Tccli {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let profile = self.profile.clone().or_else(|| context.env_var("TCCLI_PROFILE"));
        let name = profile.clone().unwrap_or_else(|| "default".to_owned());
        let Some(path) = context.expand_home_dir(&format!("~/.tccli/{name}.credential")) else { return Ok(None) };
        let text = match context.file_read_as_string(&path).await {
            Ok(text) => text,
            // A profile that was asked for must be there; the habitual one need not.
            Err(error) => return if profile.is_some() { Err(error) } else { Ok(None) },
        };
        let found: Profile =
            serde_json::from_str(&text).map_err(|_| invalid("the profile of tccli is not readable"))?;
        self.resolve(found, context).await
    }
}

impl Tccli {
    async fn resolve(&self, found: Profile, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        if found.r#type.as_deref() == Some("cvm-role") {
            return CvmRole { role: None, endpoint: self.metadata.clone() }.provide_credential(context).await;
        }
        let (Some(id), Some(key)) = (found.secret_id, found.secret_key) else { return Ok(None) };
        let token = found.token.filter(|token| !token.is_empty()).map(SecretString::from);
        let keys = Given { secret_id: id.into(), secret_key: key.into(), token };
        let Some(arn) = found.role_arn.filter(|arn| !arn.is_empty()) else {
            return keys.provide_credential(context).await;
        };
        let role =
            Role { session_name: found.role_session_name.unwrap_or_else(|| "tccli".to_owned()), ..Role::new(arn) };
        let (endpoint, clock) = (self.sts.clone(), Arc::clone(&self.clock));
        AssumeRole { base: Arc::new(keys), role, endpoint, clock }.provide_credential(context).await
    }
}
