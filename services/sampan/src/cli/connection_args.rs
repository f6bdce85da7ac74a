//! The options that say how a server is reached, and who calls.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

/// How a server is reached, and who calls.
#[derive(Debug, Clone, Default, Args)]
pub struct ConnectionArgs {
    /// Bearer token that says who calls. Others on this machine can read a flag: the variable and the file are safer.
    #[arg(long, env = "SAMPAN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<SecretString>,
    /// File with the bearer token, in place of --token. Read again for every call, because tokens are short-lived.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Authorities of the server's certificate, PEM; default: those of the system.
    #[arg(long, env = "SAMPAN_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Certificate that says who calls, PEM, for servers that ask for one.
    #[arg(long, env = "SAMPAN_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of that certificate, PEM.
    #[arg(long, env = "SAMPAN_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}
