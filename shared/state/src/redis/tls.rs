//! Decides which certificates a connection over TLS trusts and shows.

use std::path::Path;

use redis::{ClientTlsConfig, TlsCertificates};

use super::open::OpenError;
use super::url::RedisUrl;

/// Reads the files that the URL names; none means the system's own authorities, and no certificate of ours.
pub(super) fn certificates(url: &RedisUrl) -> Result<Option<TlsCertificates>, OpenError> {
    if !url.tls {
        return Ok(None);
    }
    // Fails when somebody has installed a provider already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root_cert = url.ca.as_deref().map(|path| read("ca", path)).transpose()?;
    let client_tls = match (&url.cert, &url.key) {
        (Some(cert), Some(key)) => {
            Some(ClientTlsConfig { client_cert: read("cert", cert)?, client_key: read("key", key)? })
        }
        _ => None,
    };
    let is_default = root_cert.is_none() && client_tls.is_none();
    Ok((!is_default).then_some(TlsCertificates { client_tls, root_cert }))
}

fn read(option: &str, path: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(path)
        .map_err(|error| OpenError::Url { why: format!("{option}: {} cannot be read: {error}", path.display()) })
}
