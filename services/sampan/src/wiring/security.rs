//! Makes what secures the listener and tells callers apart, and follows the files that it is made of.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sampan_chassis::auth::keys::{Keys, Source};
use sampan_chassis::auth::{Auth, Bearer, BearerOptions, Pattern, PolicyFile, TrustedProxies};
use sampan_chassis::tls::{Tls, TlsFiles};
use sampan_cloud::stack::Transport;
use sampan_core::SharedClock;
use tokio_util::sync::CancellationToken;

use crate::client::Failure;
use crate::config::{AuthConfig, Config, TlsConfig, WebConfig};
use crate::exit::Exit;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What guards a listener.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// How connections are secured.
    pub tls: Option<Arc<Tls>>,
    /// What callers are asked for.
    pub auth: Arc<Auth>,
}

/// Reads the certificates, the keys of the issuer and the policy.
///
/// # Errors
/// [`Failure`] that names the file or the key that is missing.
pub async fn open_guard(config: &Config, clock: &SharedClock) -> Result<Guard, Failure> {
    let tls = open_tls(&config.tls, &config.web)?;
    let auth = &config.auth;
    let proxies = proxies(&auth.trusted_proxies);
    let policy = auth.policy_file.as_deref().map(PolicyFile::open).transpose();
    let policy = policy.map_err(|error| usage(&error, "correct the file of auth.policy_file"))?.map(Arc::new);
    let auth = Auth {
        bearer: open_bearer(auth, clock).await?.map(Arc::new),
        certificates: tls.as_ref().is_some_and(|tls| tls.verifies_clients()),
        proxies,
        policy,
        peers: auth.peers.iter().map(Pattern::new).collect(),
        is_local: false,
    };
    if auth.policy.is_some() && auth.bearer.is_none() && !auth.certificates && auth.proxies.is_empty() {
        return Err(Failure::new(Exit::Usage, "a policy is configured, but no way to tell callers apart")
            .advice("set tls.client_ca_file, auth.jwks_file, auth.jwks_url or auth.trusted_proxies"));
    }
    Ok(Guard { tls, auth: Arc::new(auth) })
}

fn open_tls(config: &TlsConfig, web: &WebConfig) -> Result<Option<Arc<Tls>>, Failure> {
    let files = match (&config.cert_file, &config.key_file) {
        (Some(cert_file), Some(key_file)) => TlsFiles {
            cert_file: cert_file.clone(),
            key_file: key_file.clone(),
            client_ca_file: config.client_ca_file.clone(),
            client_cert_optional: config.client_cert_optional,
        },
        (None, None) if config.client_ca_file.is_none() => return Ok(None),
        _ => {
            return Err(Failure::new(Exit::Usage, "TLS needs a certificate and its key")
                .advice("set both tls.cert_file and tls.key_file"));
        }
    };
    let open = if web.grpc_web { Tls::open_for_web } else { Tls::open };
    let tls = open(files).map_err(|error| usage(&error, "correct the files under [tls]"))?;
    Ok(Some(Arc::new(tls)))
}

async fn open_bearer(config: &AuthConfig, clock: &SharedClock) -> Result<Option<Bearer>, Failure> {
    let source = match (&config.jwks_file, &config.jwks_url) {
        (None, None) => return Ok(None),
        (Some(path), None) => Source::File(path.clone()),
        (None, Some(url)) => Source::Url(url.clone()),
        (Some(_), Some(_)) => {
            return Err(Failure::new(Exit::Usage, "both auth.jwks_file and auth.jwks_url are set").advice("set one"));
        }
    };
    let Some(audience) = &config.audience else {
        return Err(Failure::new(Exit::Usage, "bearer tokens need an audience")
            .advice("set auth.audience to what the issuer writes into `aud`"));
    };
    let options = BearerOptions {
        audiences: vec![audience.clone()],
        issuer: config.issuer.clone(),
        subject_claim: config.subject_claim.clone(),
        leeway: Duration::from_secs(config.leeway_seconds),
    };
    let keys = Keys::open(source, Transport::new()).await;
    let keys = keys.map_err(|error| usage(&error, "correct the file of auth.jwks_file"))?;
    Ok(Some(Bearer::new(keys, options, clock.clone())))
}

fn proxies(words: &[String]) -> TrustedProxies {
    let mut proxies = TrustedProxies::default();
    for word in words {
        match word.parse::<IpAddr>() {
            Ok(address) => proxies.addresses.push(address.to_canonical()),
            Err(_) => proxies.identities.push(Pattern::new(word)),
        }
    }
    proxies
}

fn usage(error: &dyn std::error::Error, advice: &str) -> Failure {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Failure::new(Exit::Usage, format!("{error}{cause}")).advice(advice)
}

impl Guard {
    /// Reads certificates and policy again when they change, until `stop`. What cannot be read is told, and what
    /// was read before goes on to apply.
    pub async fn follow(self, stop: CancellationToken) {
        if self.tls.is_none() && self.auth.policy.is_none() {
            return;
        }
        let mut told: [Option<String>; 2] = [None, None];
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let tls = self.tls.as_ref().map(|tls| tls.reload().map_err(|error| error.to_string()));
            let policy = self.auth.policy.as_ref().map(|policy| policy.reload().map_err(|error| error.to_string()));
            for ((what, outcome), told) in [("certificate", tls), ("policy", policy)].into_iter().zip(&mut told) {
                match outcome {
                    Some(Ok(true)) => tracing::info!(what, "read again, and in force"),
                    Some(Err(error)) if told.as_deref() != Some(error.as_str()) => {
                        tracing::error!(what, error, "changed, and not readable: the old one stays in force");
                        *told = Some(error);
                        continue;
                    }
                    Some(Err(_)) => continue,
                    Some(Ok(false)) | None => {}
                }
                *told = None;
            }
        }
    }
}
