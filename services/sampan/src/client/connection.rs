//! Makes the connection to a server: address, certificates, token.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Uri};
use tonic::{Request, Status};

use super::Failure;
use crate::cli::ConnectionArgs;
use crate::exit::Exit;

/// Connects to `endpoint`.
pub(super) async fn open(endpoint: &str, connection: &ConnectionArgs) -> Result<Channel, Failure> {
    let has_form = |address: &Endpoint| matches!(address.uri().scheme_str(), Some("http" | "https"));
    let mut address = Endpoint::from_shared(endpoint.to_owned()).ok().filter(has_form).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("`{endpoint}` is no address of a server"))
            .advice("use the form http://HOST:PORT or https://HOST:PORT")
    })?;
    if address.uri().scheme_str() == Some("https") {
        address = address.tls_config(tls(connection)?).map_err(|error| {
            let advice = "correct the files of --tls-ca, --tls-cert and --tls-key";
            Failure::new(Exit::Usage, format!("the certificates cannot be used: {}", innermost(&error))).advice(advice)
        })?;
    } else if (connection.token.is_some() || connection.token_file.is_some()) && !is_loopback(address.uri()) {
        eprintln!("warning: the token travels to {endpoint} unencrypted; use https://");
    }
    patient(address).connect().await.map_err(|error| unanswered(endpoint, &error))
}

/// Sets what every connection has.
pub(super) fn patient(address: Endpoint) -> Endpoint {
    address.connect_timeout(Duration::from_secs(5)).http2_keep_alive_interval(Duration::from_secs(20))
}

fn is_loopback(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn tls(connection: &ConnectionArgs) -> Result<ClientTlsConfig, Failure> {
    let mut tls = match &connection.tls_ca {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let (Some(cert), Some(key)) = (&connection.tls_cert, &connection.tls_key) {
        tls = tls.identity(Identity::from_pem(read(cert)?, read(key)?));
    }
    Ok(tls)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display())))
}

/// Says why nobody answered.
pub(super) fn unanswered(endpoint: &str, error: &(dyn Error + 'static)) -> Failure {
    match secured(error) {
        Some(rustls::Error::InvalidCertificate(cause)) => {
            let cause = format!("the certificate of {endpoint} is not accepted: {cause}");
            Failure::new(Exit::Unavailable, cause)
                .advice("name its authority with --tls-ca, and the server as its certificate does")
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            Failure::new(Exit::Unavailable, format!("the server at {endpoint} does not speak TLS"))
                .advice("use http:// in the address, if nobody else can listen")
        }
        Some(cause) => Failure::new(Exit::Unavailable, format!("no secure connection to {endpoint}: {cause}"))
            .advice("a server that asks for a certificate is shown one by --tls-cert and --tls-key"),
        None => Failure::new(Exit::Unavailable, format!("no server answers at {endpoint}"))
            .advice("start one with `sampan serve`, or name another with --endpoint"),
    }
}

/// Returns what TLS has against the connection.
fn secured<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // An I/O error hides what it was made of from `source`.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(inner) = inner
            && let Some(found) = secured(inner)
        {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

pub(super) fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Shows the bearer token with every call.
#[derive(Debug, Clone, Default)]
pub struct ShowToken {
    value: Option<AsciiMetadataValue>,
    file: Option<PathBuf>,
}

impl ShowToken {
    /// Reads the token.
    pub(super) fn new(connection: &ConnectionArgs) -> Result<Self, Failure> {
        let file = connection.token_file.clone();
        let token = match &file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Failure::new(Exit::Usage, format!("{} cannot be read: {error}", path.display()))
                        .advice("correct --token-file")
                })?;
                Some(SecretString::from(text))
            }
            None => connection.token.clone(),
        };
        let value = token.map(|token| {
            header(token.expose_secret()).ok_or_else(|| {
                Failure::new(Exit::Usage, "the token is empty, or has characters that no token has")
                    .advice("correct SAMPAN_TOKEN, --token or --token-file")
            })
        });
        Ok(Self { value: value.transpose()?, file })
    }
}

fn header(token: &str) -> Option<AsciiMetadataValue> {
    let token = Some(token.trim()).filter(|token| !token.is_empty())?;
    let mut value = AsciiMetadataValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Interceptor for ShowToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let fresh = self.file.as_ref().and_then(|path| header(&std::fs::read_to_string(path).ok()?));
        // A file that is being written at this moment is no reason to lose the call: the last token may still do.
        if let Some(value) = fresh.or_else(|| self.value.clone()) {
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}
