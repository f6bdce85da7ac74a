//! Makes the ways to the other roles.

use std::path::Path;
use std::time::Duration;

use sampan_chassis::peer::{Options, Peers};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::client::Failure;
use crate::config::PeersConfig;
use crate::exit::Exit;

/// Makes the ways to the other roles. Nothing is connected yet.
///
/// # Errors
/// [`Failure`] that names the address that cannot be one.
pub fn open_peers(config: &PeersConfig) -> Result<Peers, Failure> {
    let options = Options {
        tls: tls(config)?,
        token_file: config.token_file.clone(),
        timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        resolve_every: Duration::from_secs(config.resolve_seconds.max(1)),
        ..Options::default()
    };
    Peers::new(options, config.addresses())
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).advice("correct the addresses under [peers]"))
}

fn tls(config: &PeersConfig) -> Result<Option<ClientTlsConfig>, Failure> {
    let PeersConfig { ca_file, cert_file, key_file, .. } = config;
    if ca_file.is_none() && cert_file.is_none() && key_file.is_none() {
        return Ok(None);
    }
    let mut tls = match ca_file {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    match (cert_file, key_file) {
        (Some(cert), Some(key)) => tls = tls.identity(Identity::from_pem(read(cert)?, read(key)?)),
        (None, None) => {}
        _ => {
            return Err(Failure::new(Exit::Usage, "the certificate for peers needs its key")
                .advice("set both peers.cert_file and peers.key_file"));
        }
    }
    Ok(Some(tls))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()))
            .advice("correct the files under [peers]")
    })
}
