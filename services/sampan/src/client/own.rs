//! Reaches the server that the configuration of this machine describes, to ask how it is.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use super::Failure;
use super::connection::{patient, unanswered};
use crate::config::{Config, TlsConfig};
use crate::exit::Exit;

/// Connects to the server of `config` on this machine.
pub(super) async fn open(config: &Config) -> Result<Channel, Failure> {
    let address = address(&config.server.listen)?;
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| Failure::new(Exit::Usage, format!("`{address}` is no address: {error}")))?;
    let connected = match &config.tls.cert_file {
        None => patient(endpoint).connect().await,
        Some(cert_file) => {
            let connector = TlsConnector::from(Arc::new(client(cert_file, &config.tls)?));
            let connect = tower::service_fn(move |_: Uri| {
                let connector = connector.clone();
                async move {
                    let stream = TcpStream::connect(address).await?;
                    let secured = connector.connect(ServerName::from(address.ip()), stream).await?;
                    Ok::<_, io::Error>(TokioIo::new(secured))
                }
            });
            patient(endpoint).connect_with_connector(connect).await
        }
    };
    connected.map_err(|error| unanswered(&address.to_string(), &error))
}

/// Returns where a server that listens on `listen` can be reached from its own machine.
fn address(listen: &str) -> Result<SocketAddr, Failure> {
    let wrong = |message: String| Failure::new(Exit::Usage, message).advice("name the server with --endpoint");
    let address: SocketAddr = listen.parse().map_err(|_| wrong(format!("`{listen}` is no address to listen on")))?;
    if address.port() == 0 {
        return Err(wrong(format!("a server that listens on {listen} is at a port that only it knows")));
    }
    Ok(on_this_machine(address))
}

/// Returns the address by which whoever listens on `address` is reached from the same machine.
pub fn on_this_machine(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

fn client(cert_file: &Path, tls: &TlsConfig) -> Result<ClientConfig, Failure> {
    let wrong = |path: &Path, message: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format!("{} cannot be used: {message}", path.display()))
            .advice("correct the files under [tls]")
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(cert_file, &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ItsOwn(provider)));
    let mut config = match (&tls.client_ca_file, &tls.key_file) {
        (Some(_), Some(key_file)) => {
            let chain: Result<Vec<_>, _> =
                CertificateDer::pem_file_iter(cert_file).map_err(|error| wrong(cert_file, &error))?.collect();
            let chain = chain.map_err(|error| wrong(cert_file, &error))?;
            let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| wrong(key_file, &error))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| wrong(cert_file, &error))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Takes whatever certificate the server shows, for it is the one of this machine's own address: nothing but the
/// question how it is goes there. A certificate that has just been renewed, or that names the server as others call
/// it, must not make a good server look dead.
#[derive(Debug)]
struct ItsOwn(Arc<CryptoProvider>);

impl ServerCertVerifier for ItsOwn {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        assert_eq!(address("0.0.0.0:7500").unwrap().to_string(), "127.0.0.1:7500");
        assert_eq!(address("[::]:7500").unwrap().to_string(), "[::1]:7500");
        assert_eq!(address("10.0.0.5:7").unwrap().to_string(), "10.0.0.5:7");
        assert!(address("127.0.0.1:0").unwrap_err().within(None).contains("--endpoint"));
    }
}
