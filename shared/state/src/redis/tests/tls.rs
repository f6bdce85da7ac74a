//! Facts of TLS: who is trusted, who is not, and what is said then.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use super::server::{Server, free_port};
use super::{admit, free_start, lane, need_redis};
use crate::redis::{OpenError, Redis, Time};

/// An authority with one server and one client, as files.
struct Authority {
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        // An authority and its servers must not share a name, or OpenSSL takes the one for the other.
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca", issuer.pem());
        for name in ["server", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
            write(name, params.signed_by(&key, &issuer).unwrap().pem());
            write(&format!("{name}.key"), key.serialize_pem());
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Starts a server with the certificate of this authority; returns its port for TLS, too.
    async fn server(&self, clients: &str) -> (Server, u16) {
        let port = free_port();
        let (cert, key, ca) = (self.text("server"), self.text("server.key"), self.text("ca"));
        let port_text = port.to_string();
        let server = Server::start(&[
            "--tls-port",
            &port_text,
            "--tls-cert-file",
            &cert,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            clients,
        ])
        .await;
        (server, port)
    }
}

async fn open(url: &str) -> Result<(), OpenError> {
    let store = Redis::open(&url.parse().unwrap(), Time::Server).await?;
    admit(&store, free_start(&lane(1))).await.unwrap();
    Ok(())
}

#[tokio::test]
async fn a_store_over_tls_works_with_the_authority_that_is_named() {
    need_redis!();
    let authority = Authority::new();
    let (_server, port) = authority.server("no").await;
    open(&format!("rediss://localhost:{port}?ca={}", authority.text("ca"))).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_and_the_remedy_named() {
    need_redis!();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (_server, port) = authority.server("no").await;
    // The system's own authorities do not know it either.
    for url in [format!("rediss://localhost:{port}?ca={}", stranger.text("ca")), format!("rediss://localhost:{port}")] {
        let problem = open(&url).await.unwrap_err();
        assert!(matches!(problem, OpenError::Certificate { .. }), "{problem:?}");
        assert!(problem.to_string().contains("ca=FILE"), "{problem}");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    need_redis!();
    let authority = Authority::new();
    let (_server, port) = authority.server("yes").await;
    let with = format!("rediss://localhost:{port}?ca={}", authority.text("ca"));
    let problem = open(&with).await.unwrap_err();
    assert!(matches!(problem, OpenError::Certificate { .. }), "{problem:?}");
    assert!(problem.to_string().contains("cert=FILE"), "{problem}");
    open(&format!("{with}&cert={}&key={}", authority.text("client"), authority.text("client.key"))).await.unwrap();
}

#[tokio::test]
async fn a_password_goes_over_tls_and_a_wrong_one_is_refused() {
    need_redis!();
    let authority = Authority::new();
    let (server, port) = authority.server("no").await;
    server.query(&["ACL", "SETUSER", "app", "on", ">right", "~*", "&*", "+@all"]).await;
    let url = |password: &str| format!("rediss://app:{password}@localhost:{port}?ca={}", authority.text("ca"));
    let problem = open(&url("wrong")).await.unwrap_err();
    assert!(matches!(problem, OpenError::Credentials { .. }), "{problem:?}");
    open(&url("right")).await.unwrap();
}

#[tokio::test]
async fn a_port_without_tls_is_an_error_and_not_a_hang() {
    need_redis!();
    let server = Server::start(&[]).await;
    let problem = open(&format!("rediss://localhost:{}", server.port())).await.unwrap_err();
    assert!(matches!(problem, OpenError::Unreachable { .. } | OpenError::Certificate { .. }), "{problem:?}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let problem = open("rediss://localhost:1?ca=/no/such/file").await.unwrap_err();
    assert!(problem.to_string().contains("/no/such/file"), "{problem}");
}
