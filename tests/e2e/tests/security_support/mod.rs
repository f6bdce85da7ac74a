//! A site with an authority, an issuer of tokens, a policy, simulated clouds and a secured server.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, dead_code, reason = "tests")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
    date_time_ymd,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sampan_core::clock;
use sampan_tests_e2e::{Server, ServerFolder, Setup, Simulator, command, prepare};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for a change of a file to be noticed.
const PATIENCE: Duration = Duration::from_secs(40);

/// Signs tokens.
pub struct Issuer(EcdsaKeyPair);

impl Issuer {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap())
    }

    fn keys(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) }] })
    }

    /// Returns a token that ends `lasts` seconds from now.
    pub fn token(&self, subject: &str, audience: &str, lasts: i64) -> String {
        let now = clock::system().now().as_second();
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "alg": "ES256", "typ": "JWT", "kid": "one" }));
        let claims = part(json!({ "aud": audience, "sub": subject, "exp": now + lasts }));
        let message = format!("{header}.{claims}");
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// Makes certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns a certificate and its key, good for servers and clients.
    pub fn issue(&self, names: Vec<SanType>, expired: bool) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 2);
        }
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// Names of a server on loopback that is also a client.
pub fn here() -> Vec<SanType> {
    vec![SanType::IpAddress("127.0.0.1".parse().unwrap()), SanType::URI("spiffe://corp/sampan".try_into().unwrap())]
}

/// Everything that a secured server is made of.
pub struct Site {
    pub clouds: Simulator,
    pub authority: Authority,
    pub issuer: Issuer,
    pub files: ServerFolder,
    folder: TempDir,
}

impl Site {
    /// Makes the files; no server runs yet. A good certificate of this site secures it.
    pub async fn new(auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("sampan.toml");
        let clouds = Simulator::start(&config, &folder.path().join("clouds")).await;
        let files = prepare(folder.path(), &Setup::default());
        let site = Self { clouds, authority: Authority::new(), issuer: Issuer::new(), files, folder };
        site.write("ca.pem", &site.authority.pem());
        site.write("jwks.json", &site.issuer.keys().to_string());
        site.certify(&site.authority, here(), false);
        site.configure(&format!(
            "[tls]\ncert_file = \"{}\"\nkey_file = \"{}\"\n{auth}\n",
            site.path("cert.pem").display(),
            site.path("key.pem").display(),
        ));
        site
    }

    /// As [`Site::new`], with tokens and a policy.
    pub async fn with_policy(policy: &str) -> Self {
        let site = Self::new("").await;
        site.write("policy.toml", policy);
        site.configure(&format!(
            "[auth]\njwks_file = \"{}\"\naudience = \"sampan\"\npolicy_file = \"{}\"\n",
            site.path("jwks.json").display(),
            site.path("policy.toml").display(),
        ));
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Adds to the configuration.
    pub fn configure(&self, text: &str) {
        let mut config = std::fs::read_to_string(&self.files.config).unwrap();
        write!(config, "\n{text}").unwrap();
        std::fs::write(&self.files.config, config).unwrap();
    }

    /// Gives the server a certificate.
    pub fn certify(&self, by: &Authority, names: Vec<SanType>, expired: bool) {
        let (cert, key) = by.issue(names, expired);
        self.write("cert.pem", &cert);
        self.write("key.pem", &key);
    }

    /// Writes a certificate for a client, and returns the options that show it.
    pub fn client(&self, by: &Authority, expired: bool) -> [String; 4] {
        let (cert, key) = by.issue(here(), expired);
        self.write("client.pem", &cert);
        self.write("client.key", &key);
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        ["--tls-cert".to_owned(), path("client.pem"), "--tls-key".to_owned(), path("client.key")]
    }

    pub async fn serve(&self) -> Server {
        Server::start(&self.files).await
    }

    /// Runs a command against `server`, with a token when there is one.
    pub async fn run(&self, server: &Server, token: Option<&str>, arguments: &[&str]) -> Ran {
        let mut command = command();
        command.args(arguments).env("SAMPAN_ENDPOINT", server.url()).env("SAMPAN_TLS_CA", self.path("ca.pem"));
        if let Some(token) = token {
            command.env("SAMPAN_TOKEN", token);
        }
        ran(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
    }

    /// Runs a command as a subject.
    pub async fn run_as(&self, server: &Server, subject: &str, arguments: &[&str]) -> Ran {
        let token = self.issuer.token(subject, "sampan", 600);
        self.run(server, Some(&token), arguments).await
    }

    /// Runs a command as a subject again and again, until it ends with `exit`.
    pub async fn becomes(&self, server: &Server, subject: &str, exit: i32, arguments: &[&str]) -> Ran {
        let begun = Instant::now();
        loop {
            let ran = self.run_as(server, subject, arguments).await;
            if ran.exit == exit {
                return ran;
            }
            assert!(begun.elapsed() < PATIENCE, "still {}: {}", ran.exit, ran.text);
        }
    }

    /// Returns what the server has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.files.stem.with_extension("stderr")).unwrap_or_default()
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub text: String,
}

/// Reads what came of a command.
pub fn ran(output: Output) -> Ran {
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Ran { exit: output.status.code().unwrap_or(-1), text }
}
