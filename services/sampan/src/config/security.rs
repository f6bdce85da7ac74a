//! How connections are secured, and who may call.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Certificates of the listener. Without `cert_file` connections are not secured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Certificate chain, PEM, the server's own first. Read again when it changes.
    pub cert_file: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    pub key_file: Option<PathBuf>,
    /// Authorities of client certificates, PEM; with it, clients are asked for one.
    pub client_ca_file: Option<PathBuf>,
    /// Lets clients in that have no certificate, to prove who they are by a token.
    pub client_cert_optional: bool,
}

/// Who may call, and what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// File with the keys of the issuer of bearer tokens, as a JWK set.
    pub jwks_file: Option<PathBuf>,
    /// URL of the same, in place of a file.
    pub jwks_url: Option<String>,
    /// Whom tokens must be meant for.
    pub audience: Option<String>,
    /// Who must have made them.
    pub issuer: Option<String>,
    /// The claim that names the caller.
    pub subject_claim: String,
    /// Seconds that the issuer's clock may be off.
    pub leeway_seconds: u64,
    /// File that says what callers may do; what it does not permit is denied. Read again when it changes.
    pub policy_file: Option<PathBuf>,
    /// Addresses or SPIFFE ids (with `*`) of proxies whose word about the caller counts.
    pub trusted_proxies: Vec<String>,
    /// Subjects (with `*`) of the other roles of Sampan.
    pub peers: Vec<String>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            jwks_file: None,
            jwks_url: None,
            audience: None,
            issuer: None,
            subject_claim: "sub".to_owned(),
            leeway_seconds: 30,
            policy_file: None,
            trusted_proxies: Vec::new(),
            peers: Vec::new(),
        }
    }
}
