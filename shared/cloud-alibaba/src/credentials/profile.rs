//! Reads the files that the vendor's tools keep credentials in, in every mode that names where to get them.
//!
//! `reqsign-aliyun-oss` reads fixed keys from these files and no more; roles are resolved here and assumed by it.

use std::collections::HashMap;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqsign_aliyun_oss::Credential;
use reqsign_core::{Context, Error, ProvideCredential, Result};
use secrecy::SecretString;
use serde::Deserialize;

use super::CredentialSource;
use super::rrsa::sts_host;

/// Where the command line client keeps its profiles.
const CLI_FILE: &str = "~/.aliyun/config.json";
/// Where credentials files are looked for; the vendor's clients differ about the name.
const CREDENTIALS_FILES: [&str; 3] =
    ["~/.alibabacloud/credentials.ini", "~/.alibabacloud/credentials", "~/.aliyun/credentials.ini"];
/// Profiles that may refer to each other before it is taken for a circle.
const LONGEST_CHAIN: usize = 5;

/// One profile of either file. No `Debug`: it holds secrets.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Profile {
    name: String,
    mode: String,
    access_key_id: String,
    access_key_secret: String,
    #[serde(alias = "security_token")]
    sts_token: String,
    ram_role_name: String,
    ram_role_arn: String,
    ram_session_name: String,
    external_id: String,
    sts_region: String,
    oidc_provider_arn: String,
    oidc_token_file: String,
    role_session_name: String,
    source_profile: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CliFile {
    current: String,
    profiles: Vec<Profile>,
}

/// A profile of the command line client.
#[derive(Debug)]
pub(super) struct CliProfile {
    name: Option<String>,
    file: Option<String>,
}

impl CliProfile {
    /// Without a name the environment chooses, then the file; without a file the usual one is read.
    pub(super) fn new(name: Option<String>, file: Option<String>) -> Self {
        Self { name, file }
    }
}

impl ProvideCredential for CliProfile {
    type Credential = Credential;

    async fn provide_credential(&self, ctx: &Context) -> Result<Option<Credential>> {
        let asked_for = self.name.is_some() || self.file.is_some();
        if !asked_for && is_true(ctx, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED") {
            return Ok(None);
        }
        let named = self.file.clone().or_else(|| variable(ctx, "ALIBABA_CLOUD_CONFIG_FILE"));
        let Some(text) = read(ctx, named.as_deref().unwrap_or(CLI_FILE), named.is_some()).await? else {
            return Ok(None);
        };
        // The text of the parser's error would quote the file.
        let file: CliFile = serde_json::from_str(&text)
            .map_err(|_| Error::config_invalid("the file of profiles is no JSON of that form"))?;
        let chosen = self.name.clone().or_else(|| variable(ctx, "ALIBABA_CLOUD_PROFILE"));
        let name = chosen.clone().or_else(|| some(&file.current)).unwrap_or_else(|| "default".to_owned());
        match source(ctx, &file.profiles, &name, LONGEST_CHAIN)? {
            Some(source) => fetch(ctx, source).await,
            None if chosen.is_some() => Err(Error::config_invalid(format!("there is no profile {name}"))),
            None => Ok(None),
        }
    }
}

/// The file of credentials that the vendor's libraries share.
#[derive(Debug)]
pub(super) struct CredentialsFile;

impl ProvideCredential for CredentialsFile {
    type Credential = Credential;

    async fn provide_credential(&self, ctx: &Context) -> Result<Option<Credential>> {
        let named = variable(ctx, "ALIBABA_CLOUD_CREDENTIALS_FILE");
        let name = variable(ctx, "ALIBABA_CLOUD_PROFILE").unwrap_or_else(|| "default".to_owned());
        let usual = CREDENTIALS_FILES.map(ToOwned::to_owned).to_vec();
        for path in named.clone().map_or(usual, |path| vec![path]) {
            let Some(text) = read(ctx, &path, named.is_some()).await? else { continue };
            let profiles = profiles_of_ini(&text);
            if let Some(source) = source(ctx, &profiles, &name, LONGEST_CHAIN)? {
                return fetch(ctx, source).await;
            }
        }
        Ok(None)
    }
}

fn fetch(ctx: &Context, source: CredentialSource) -> BoxFuture<'_, Result<Option<Credential>>> {
    async move { source.provider().provide_credential_dyn(ctx).await }.boxed()
}

/// Turns the profile `name` into a source; `None` when there is none of that name or it is empty.
fn source(ctx: &Context, profiles: &[Profile], name: &str, links: usize) -> Result<Option<CredentialSource>> {
    let Some(profile) = profiles.iter().find(|profile| profile.name == name) else { return Ok(None) };
    let sts_endpoint = some(&profile.sts_region).map(|region| sts_host(&region, ctx));
    let session_name = some(&profile.ram_session_name).or_else(|| some(&profile.role_session_name));
    let assume = |base: CredentialSource| CredentialSource::AssumeRole {
        base: Box::new(base),
        role_arn: profile.ram_role_arn.clone(),
        session_name: session_name.clone(),
        external_id: some(&profile.external_id),
        sts_endpoint: sts_endpoint.clone(),
    };
    Ok(match profile.mode.to_ascii_lowercase().as_str() {
        "" if profile.access_key_id.is_empty() => None,
        "" | "ak" | "access_key" | "ststoken" | "sts" | "sts_token" => Some(fixed(profile)),
        "ramrolearn" | "ram_role_arn" => Some(assume(fixed(profile))),
        "ecsramrole" | "ecs_ram_role" => Some(CredentialSource::EcsRamRole { role: some(&profile.ram_role_name) }),
        "oidc" | "oidc_role_arn" => Some(CredentialSource::Oidc {
            role_arn: profile.ram_role_arn.clone(),
            provider_arn: profile.oidc_provider_arn.clone(),
            token_file: profile.oidc_token_file.clone(),
            session_name: session_name.clone(),
            sts_endpoint: sts_endpoint.clone(),
        }),
        "chainableramrolearn" => {
            let next = links.checked_sub(1).ok_or_else(|| Error::config_invalid("profiles refer to each other"))?;
            let base = source(ctx, profiles, &profile.source_profile, next)?;
            let base = base.ok_or_else(|| {
                Error::config_invalid(format!(
                    "profile {name} refers to {}, which is not there",
                    profile.source_profile
                ))
            })?;
            Some(assume(base))
        }
        mode => {
            let what = format!("profile {name} has the mode {mode}, which needs the vendor's own client");
            return Err(Error::config_invalid(what));
        }
    })
}

fn fixed(profile: &Profile) -> CredentialSource {
    CredentialSource::Static {
        access_key_id: profile.access_key_id.clone(),
        access_key_secret: SecretString::from(profile.access_key_secret.clone()),
        security_token: some(&profile.sts_token).map(SecretString::from),
    }
}

/// Reads the sections of an INI text; `#` begins a comment, inside of values too.
fn profiles_of_ini(text: &str) -> Vec<Profile> {
    let mut sections: Vec<(String, HashMap<String, String>)> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.trim().to_owned(), HashMap::new()));
        } else if let (Some((name, value)), Some((_, values))) = (line.split_once('='), sections.last_mut()) {
            values.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    sections.into_iter().map(|(name, values)| profile_of_section(name, &values)).collect()
}

fn profile_of_section(name: String, values: &HashMap<String, String>) -> Profile {
    let value = |key: &str| values.get(key).cloned().unwrap_or_default();
    Profile {
        name,
        mode: value("type"),
        access_key_id: value("access_key_id"),
        access_key_secret: value("access_key_secret"),
        sts_token: value("security_token"),
        ram_role_name: value("role_name"),
        ram_role_arn: value("role_arn"),
        external_id: value("external_id"),
        oidc_provider_arn: value("oidc_provider_arn"),
        oidc_token_file: value("oidc_token_file_path"),
        role_session_name: value("role_session_name"),
        ..Profile::default()
    }
}

/// Reads a file; `None` when it is not there and nobody named it.
async fn read(ctx: &Context, path: &str, named: bool) -> Result<Option<String>> {
    let Some(full) = ctx.expand_home_dir(path) else { return Ok(None) };
    match ctx.file_read(&full).await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(_) if !named => Ok(None),
        Err(_) => Err(Error::config_invalid(format!("the file {path} cannot be read"))),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn variable(ctx: &Context, name: &str) -> Option<String> {
    ctx.env_var(name).filter(|value| !value.is_empty())
}

fn is_true(ctx: &Context, name: &str) -> bool {
    ctx.env_var(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
