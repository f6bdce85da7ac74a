//! Makes the clients of every configured account.

use std::collections::BTreeMap;
use std::sync::Arc;

use sampan_cloud::audit::{AuditLog, AuditTrail};
use sampan_cloud::stack::{CallPolicy, Transport};
use sampan_cloud::{Account, Accounts, Clients};
use sampan_cloud_alibaba::{AlibabaCloud, AlibabaConfig, CredentialSource as AlibabaCredentials};
use sampan_cloud_tencent::credentials::{CredentialSource as TencentCredentials, Role};
use sampan_cloud_tencent::{TencentCloud, TencentConfig};
use sampan_core::retry::RetryPolicy;
use sampan_core::{AccountName, Cloud, SharedClock};
use secrecy::SecretString;

use crate::client::Failure;
use crate::config::{AccountConfig, CloudCallsConfig, Config, CredentialsConfig, SecretText};
use crate::exit::Exit;

/// Makes the clients of every account. No call is made; those that change something are recorded in `log`.
///
/// # Errors
/// [`Failure`] that names the account whose addresses cannot be used.
pub fn open_accounts(
    config: &Config,
    clock: &SharedClock,
    transport: &Transport,
    log: Option<Arc<dyn AuditLog>>,
) -> Result<Accounts, Failure> {
    let shared = Shared { policy: call_policy(&config.cloud_calls), clock, transport, log };
    let chosen = if config.accounts.is_empty() { default_accounts() } else { config.accounts.clone() };
    chosen.iter().map(|(name, account)| open(name, account, &shared)).collect()
}

/// Without configuration, each cloud has one account of its own name, with the vendor's credential chain.
fn default_accounts() -> BTreeMap<AccountName, AccountConfig> {
    let account = |cloud: Cloud| {
        let name = cloud.as_str().parse::<AccountName>().ok()?;
        Some((
            name,
            AccountConfig {
                cloud,
                number: None,
                site: None,
                credentials: CredentialsConfig::default(),
                endpoints: crate::config::EndpointsConfig::default(),
                trial_runs: false,
            },
        ))
    };
    Cloud::ALL.into_iter().filter_map(account).collect()
}

fn call_policy(config: &CloudCallsConfig) -> CallPolicy {
    CallPolicy {
        retry: RetryPolicy {
            first_delay: std::time::Duration::from_millis(config.first_delay_millis),
            max_attempts: config.max_attempts.max(1),
            ..RetryPolicy::default()
        },
        attempt_timeout: config.attempt_timeout(),
        deadline: config.deadline(),
    }
}

/// What all accounts share.
struct Shared<'a> {
    policy: CallPolicy,
    clock: &'a SharedClock,
    transport: &'a Transport,
    log: Option<Arc<dyn AuditLog>>,
}

impl Shared<'_> {
    fn trail(&self, account: &AccountName) -> Option<AuditTrail> {
        let log = Arc::clone(self.log.as_ref()?);
        Some(AuditTrail { account: account.to_string().into(), log, clock: self.clock.clone() })
    }
}

fn open(name: &AccountName, account: &AccountConfig, shared: &Shared<'_>) -> Result<Account, Failure> {
    let Shared { ref policy, clock, transport, .. } = *shared;
    let bad = |error: String| {
        Failure::new(Exit::Usage, format!("account {name}: {error}")).advice("correct the endpoints of the account")
    };
    let clients = match account.cloud {
        Cloud::Tencent => {
            let mut config = TencentConfig::new(tencent_credentials(&account.credentials), clock.clone());
            config.audit = shared.trail(name);
            config.endpoints.api.clone_from(&account.endpoints.api);
            config.endpoints.cos.clone_from(&account.endpoints.bucket);
            config.policy = policy.clone();
            config.transport = transport.clone();
            TencentCloud::open(config)
        }
        Cloud::Alibaba => {
            let mut config = AlibabaConfig::new(alibaba_credentials(&account.credentials), clock.clone());
            config.audit = shared.trail(name);
            config.endpoints.api.clone_from(&account.endpoints.api);
            config.endpoints.oss.clone_from(&account.endpoints.bucket);
            config.policy = policy.clone();
            config.trial_runs = account.trial_runs;
            config.transport = transport.clone();
            AlibabaCloud::open(config).map_err(|error| bad(error.to_string()))?
        }
    };
    let Clients { images, copies, shares, buckets } = clients;
    let (name, number) = (name.clone(), account.number.clone());
    Ok(Account { name, cloud: account.cloud, number, images, copies, shares, buckets })
}

fn secret(text: &SecretText) -> SecretString {
    text.expose().to_owned().into()
}

fn tencent_credentials(config: &CredentialsConfig) -> TencentCredentials {
    match config {
        CredentialsConfig::Chain => TencentCredentials::Default,
        CredentialsConfig::Static { access_key_id, access_key_secret, security_token } => TencentCredentials::Static {
            secret_id: access_key_id.clone().into(),
            secret_key: secret(access_key_secret),
            token: security_token.as_ref().map(secret),
        },
        CredentialsConfig::Profile { name } => TencentCredentials::Tccli { profile: Some(name.clone()) },
        CredentialsConfig::AssumeRole { role_arn, session_name } => TencentCredentials::AssumeRole {
            base: Box::new(TencentCredentials::Default),
            role: Role { session_name: session_name.clone(), ..Role::new(role_arn) },
        },
    }
}

fn alibaba_credentials(config: &CredentialsConfig) -> AlibabaCredentials {
    match config {
        CredentialsConfig::Chain => AlibabaCredentials::Default,
        CredentialsConfig::Static { access_key_id, access_key_secret, security_token } => AlibabaCredentials::Static {
            access_key_id: access_key_id.clone(),
            access_key_secret: secret(access_key_secret),
            security_token: security_token.as_ref().map(secret),
        },
        CredentialsConfig::Profile { name } => AlibabaCredentials::Profile { name: Some(name.clone()), file: None },
        CredentialsConfig::AssumeRole { role_arn, session_name } => AlibabaCredentials::AssumeRole {
            base: Box::new(AlibabaCredentials::Default),
            role_arn: role_arn.clone(),
            session_name: Some(session_name.clone()),
            external_id: None,
            sts_endpoint: None,
        },
    }
}
