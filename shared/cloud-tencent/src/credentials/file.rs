//! The credential file of the vendor's SDKs: INI, one section a profile, `secret_id` and `secret_key`.

use std::path::PathBuf;

use reqsign_core::{Context, ProvideCredential};
use reqsign_tencent_cos::Credential;

use super::invalid;

#[derive(Debug)]
pub(crate) struct CredentialFile {
    pub(crate) path: Option<PathBuf>,
    pub(crate) profile: String,
}

impl ProvideCredential for CredentialFile {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        let given = self.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let named = given.or_else(|| context.env_var("TENCENTCLOUD_CREDENTIALS_FILE"));
        if let Some(path) = named {
            let text = context.file_read_as_string(&path).await?;
            let found = section(&text, &self.profile);
            return found
                .map(Some)
                .ok_or_else(|| invalid(format!("the credential file has no keys of `{}`", self.profile)));
        }
        let home = context.expand_home_dir("~/.tencentcloud/credentials");
        for path in home.into_iter().chain(["/etc/tencentcloud/credentials".to_owned()]) {
            // Absent is the usual case of a habitual place.
            if let Ok(text) = context.file_read_as_string(&path).await
                && let Some(found) = section(&text, &self.profile)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Reads the keys of one section.
fn section(text: &str, profile: &str) -> Option<Credential> {
    let mut inside = false;
    let mut found = Credential::default();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside) {
            match name.trim() {
                "secret_id" => value.trim().clone_into(&mut found.secret_id),
                "secret_key" => value.trim().clone_into(&mut found.secret_key),
                _ => {}
            }
        }
    }
    (!found.secret_id.is_empty() && !found.secret_key.is_empty()).then_some(found)
}
