//! Decides how connections are secured: certificate, key and the authorities of clients come from files, and are read
//! again when they change, so that a renewed certificate needs no restart.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// The files of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM, the server's own first.
    pub cert_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
    /// Authorities of client certificates, PEM; `None` asks clients for none.
    pub client_ca_file: Option<PathBuf>,
    /// Whether clients without a certificate are let in, to prove who they are by a token.
    pub client_cert_optional: bool,
}

/// Files that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or is no PEM.
    #[error("{path} cannot be used: {message}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// The files do not go together.
    #[error("the certificate {path} and its key cannot be used together: {message}")]
    Pair {
        /// The file of the certificate.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// Secures the connections of a listener.
pub struct Tls {
    files: TlsFiles,
    protocols: Protocols,
    current: RwLock<Current>,
}

/// What connections may speak.
type Protocols = &'static [&'static [u8]];

#[derive(Clone)]
struct Current {
    bytes: Vec<Vec<u8>>,
    config: Arc<ServerConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Error`] that names the file.
    pub fn open(files: TlsFiles) -> Result<Self, Error> {
        Self::speaking(files, &[b"h2"])
    }

    /// Reads the files of a listener that also speaks HTTP/1.1, as gRPC-Web may.
    ///
    /// # Errors
    /// [`Error`] that names the file.
    pub fn open_for_web(files: TlsFiles) -> Result<Self, Error> {
        Self::speaking(files, &[b"h2", b"http/1.1"])
    }

    fn speaking(files: TlsFiles, protocols: Protocols) -> Result<Self, Error> {
        let current = read(&files, protocols)?;
        Ok(Self { files, protocols, current: RwLock::new(current) })
    }

    /// Returns whether client certificates are verified.
    pub fn verifies_clients(&self) -> bool {
        self.files.client_ca_file.is_some()
    }

    /// Reads the files again; returns whether they have changed. New connections use what was read.
    ///
    /// # Errors
    /// [`Error`]; the old certificate stays.
    pub fn reload(&self) -> Result<bool, Error> {
        let fresh = read(&self.files, self.protocols)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.bytes != fresh.bytes;
        if changed {
            *current = fresh;
        }
        Ok(changed)
    }

    /// Returns what secures the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).config))
    }
}

fn read(files: &TlsFiles, protocols: Protocols) -> Result<Current, Error> {
    let wrong = |path: &Path, message: String| Error::File { path: path.display().to_string(), message };
    let bytes = |path: &Path| std::fs::read(path).map_err(|error| wrong(path, error.to_string()));
    let cert = bytes(&files.cert_file)?;
    let key = bytes(&files.key_file)?;
    let chain = certificates(&files.cert_file, &cert)?;
    let private =
        PrivateKeyDer::from_pem_slice(&key).map_err(|_| wrong(&files.key_file, "no private key in it".to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&files.cert_file, error.to_string()))?;
    let mut all = vec![cert, key];
    let builder = match &files.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let authorities = bytes(path)?;
            let mut roots = RootCertStore::empty();
            for authority in certificates(path, &authorities)? {
                roots.add(authority).map_err(|error| wrong(path, error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if files.client_cert_optional { verifier.allow_unauthenticated() } else { verifier };
            all.push(authorities);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| wrong(path, error.to_string()))?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, private)
        .map_err(|error| Error::Pair { path: files.cert_file.display().to_string(), message: error.to_string() })?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Current { bytes: all, config: Arc::new(config) })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |message: &str| Error::File { path: path.display().to_string(), message: message.to_owned() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|_| wrong("it is no PEM"))?;
    if chain.is_empty() { Err(wrong("no certificate in it")) } else { Ok(chain) }
}
