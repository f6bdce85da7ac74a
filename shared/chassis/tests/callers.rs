//! Who a caller is: tokens, client certificates, proxies, over real sockets with TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_store::{FakeStore, NoRetry, id, noon, running};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use sampan_chassis::auth::keys::{Keys, Source};
use sampan_chassis::auth::{Auth, Bearer, BearerOptions, Pattern, PolicyFile, TrustedProxies};
use sampan_chassis::layers::authenticate::ON_BEHALF_OF;
use sampan_chassis::server::{ConnectionLimits, Options};
use sampan_chassis::tls::{Tls, TlsFiles};
use sampan_chassis::{Listener, OperationApi, Server, Services};
use sampan_cloud::stack::{Transport, init_crypto};
use sampan_core::clock::ManualClock;
use sampan_core::{OperationId, Reason};
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The one operation of the store, which ann has started.
fn known() -> OperationId {
    static ID: OnceLock<OperationId> = OnceLock::new();
    *ID.get_or_init(|| id(1))
}

/// Signs tokens as an issuer would.
struct Issuer {
    pair: EcdsaKeyPair,
    key_id: &'static str,
}

impl Issuer {
    fn new(key_id: &'static str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { pair, key_id }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": self.key_id }), claims)
    }
}

fn claims() -> Value {
    let now = noon().as_second();
    json!({ "iss": "https://issuer", "aud": ["sampan", "other"], "sub": "ann", "exp": now + 600, "nbf": now })
}

struct World {
    folder: TempDir,
    issuer: Issuer,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        init_crypto();
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            issuer: Issuer::new("one"),
            clock: Arc::new(ManualClock::new(noon())),
        };
        world.publish(&[&world.issuer]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn publish(&self, issuers: &[&Issuer]) {
        let keys: Vec<_> = issuers.iter().map(|issuer| issuer.jwk()).collect();
        self.write("jwks.json", &json!({ "keys": keys }).to_string());
    }

    async fn bearer(&self) -> Arc<Bearer> {
        let keys = Keys::open(Source::File(self.path("jwks.json")), Transport::new()).await.unwrap();
        let options = BearerOptions {
            audiences: vec!["sampan".to_owned()],
            issuer: Some("https://issuer".to_owned()),
            ..BearerOptions::default()
        };
        Arc::new(Bearer::new(keys, options, self.clock.clone()))
    }

    async fn serve(&self, options: Options) -> Server {
        let mut record = running(known());
        record.caller = "ann".to_owned();
        let store = Arc::new(FakeStore::holding([record]));
        let api = OperationApi::new(store.clone(), self.clock.clone(), Arc::new(NoRetry));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        Server::start(listener, Services::new().add(api.into_server()), store, options).await.unwrap()
    }
}

async fn plain(server: &Server) -> Channel {
    Channel::from_shared(format!("http://{}", server.address())).unwrap().connect().await.unwrap()
}

async fn get(channel: &Channel, headers: &[(&'static str, &str)]) -> Result<pb::Operation, Status> {
    let mut request = Request::new(pb::GetOperationRequest { name: known().name() });
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    let answer = OperationServiceClient::new(channel.clone()).get_operation(request).await;
    answer.map(|answer| answer.into_inner().operation.unwrap())
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn a_token_of_the_issuer_is_accepted_and_every_other_is_refused_with_its_cause() {
    let world = World::new();
    let bearer = world.bearer().await;
    assert_eq!(bearer.subject(&world.issuer.token(&claims())).await.unwrap(), "ann");
    let with = |key: &str, value: Value| {
        let mut claims = claims();
        claims[key] = value;
        world.issuer.token(&claims)
    };
    let now = noon().as_second();
    let good = world.issuer.token(&claims());
    let (message, _) = good.rsplit_once('.').unwrap();
    let stranger = Issuer::new("one");
    let secret = URL_SAFE_NO_PAD.encode(json!({ "alg": "HS256", "kid": "one" }).to_string());
    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": "one" }).to_string());
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    let refused = [
        (with("aud", json!("else")), "audience"),
        (with("aud", Value::Null), "claims"),
        (with("iss", json!("https://other")), "issuer"),
        (with("exp", json!(now - 31)), "expired"),
        (with("exp", json!("never")), "read"),
        (with("nbf", json!(now + 31)), "not valid yet"),
        (with("sub", json!("")), "names nobody"),
        (with("sub", json!(7)), "names nobody"),
        (stranger.token(&claims()), "signature"),
        (Issuer::new("two").token(&claims()), "key that the issuer does not publish"),
        (format!("{message}.AAAA"), "signature"),
        (format!("{secret}.{body}.AAAA"), "algorithm"),
        (format!("{none}.{body}."), "no JSON web token"),
        ("a".repeat(20_000), "too long"),
        ("x".to_owned(), "no JSON web token"),
    ];
    for (token, words) in refused {
        let problem = bearer.subject(&token).await.unwrap_err();
        assert_eq!(problem.reason(), Reason::TokenRefused);
        assert!(problem.message().contains(words), "{words}: {}", problem.message());
        assert!(!problem.message().contains(&token), "the token itself must not be told");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway_and_no_more() {
    let world = World::new();
    let bearer = world.bearer().await;
    let token = world.issuer.token(&claims());
    world.clock.set(noon() - Duration::from_secs(29));
    assert!(bearer.subject(&token).await.is_ok());
    world.clock.set(noon() - Duration::from_secs(31));
    assert!(bearer.subject(&token).await.is_err());
    world.clock.set(noon() + Duration::from_secs(629));
    assert!(bearer.subject(&token).await.is_ok());
    world.clock.set(noon() + Duration::from_secs(630));
    assert!(bearer.subject(&token).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_new_key_of_the_issuer_is_found_without_a_restart() {
    let world = World::new();
    let bearer = world.bearer().await;
    let second = Issuer::new("two");
    world.publish(&[&world.issuer, &second]);
    assert!(bearer.subject(&second.token(&claims())).await.is_err(), "keys were read a moment ago");
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(bearer.subject(&second.token(&claims())).await.unwrap(), "ann");
}

#[tokio::test]
async fn whoever_does_not_say_who_it_is_gets_no_further_than_health() {
    let world = World::new();
    let auth = Auth { bearer: Some(world.bearer().await), ..Auth::default() };
    let server = world.serve(Options { auth: Arc::new(auth), ..Options::default() }).await;
    let channel = plain(&server).await;
    let refused = get(&channel, &[]).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CALLER_UNKNOWN"));
    assert!(refused.message().contains("bearer token"), "{}", refused.message());
    let refused = get(&channel, &[("authorization", "Basic eDp5")]).await.unwrap_err();
    assert_eq!(reason(&refused), "TOKEN_REFUSED");
    let token = format!("Bearer {}", world.issuer.token(&claims()));
    assert!(get(&channel, &[("authorization", &token)]).await.is_ok());
    let health = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    assert!(health.is_ok(), "a probe has no identity");
    server.shutdown(async {}).await;
}

#[tokio::test]
async fn an_operation_of_another_team_looks_like_one_that_does_not_exist() {
    let world = World::new();
    let policy = world.write(
        "policy.toml",
        "[[allow]]\nsubjects=[\"*\"]\nactions=[\"operations.*\"]\naccounts=[\"*\"]\nregions=[\"*\"]\n",
    );
    let policy = Arc::new(PolicyFile::open(&policy).unwrap());
    let auth = Auth { bearer: Some(world.bearer().await), policy: Some(policy), ..Auth::default() };
    let server = world.serve(Options { auth: Arc::new(auth), ..Options::default() }).await;
    let mut client = OperationServiceClient::new(plain(&server).await);
    let mut eve = claims();
    eve["sub"] = json!("eve");
    let asking = |claims: &Value| format!("Bearer {}", world.issuer.token(claims));
    macro_rules! ask {
        ($method:ident, $message:expr, $claims:expr) => {{
            let mut request = Request::new($message);
            request.metadata_mut().insert("authorization", asking($claims).parse().unwrap());
            client.$method(request).await
        }};
    }
    let name = known().name();
    let other = id(9);
    let absent = ask!(get_operation, pb::GetOperationRequest { name: other.name() }, &eve).unwrap_err();
    let get = ask!(get_operation, pb::GetOperationRequest { name: name.clone() }, &eve).unwrap_err();
    assert_eq!(get.message().replace(&known().to_string(), "X"), absent.message().replace(&other.to_string(), "X"));
    let wait = pb::WaitOperationRequest { name: name.clone(), ..Default::default() };
    let cancel = pb::CancelOperationRequest { name: name.clone(), remove_result: false };
    let refused = [
        ask!(wait_operation, wait, &eve).unwrap_err(),
        ask!(watch_operation, pb::WatchOperationRequest { name: name.clone(), from_revision: None }, &eve).unwrap_err(),
        ask!(cancel_operation, cancel.clone(), &eve).unwrap_err(),
        ask!(retry_operation, pb::RetryOperationRequest { name: name.clone() }, &eve).unwrap_err(),
    ];
    for status in &refused {
        assert_eq!(reason(status), "OPERATION_NOT_FOUND");
    }
    let listed = ask!(list_operations, pb::ListOperationsRequest::default(), &eve).unwrap().into_inner();
    assert!(listed.operations.is_empty() && listed.next_page_token.is_empty());
    let own = ask!(list_operations, pb::ListOperationsRequest::default(), &claims()).unwrap().into_inner();
    assert_eq!(own.operations.len(), 1);
    assert!(ask!(cancel_operation, cancel, &claims()).is_ok());
    server.shutdown(async {}).await;
}

#[tokio::test]
async fn only_a_peer_may_speak_for_a_caller() {
    let world = World::new();
    let policy = world.write(
        "policy.toml",
        "[[allow]]\nsubjects=[\"ann\"]\nactions=[\"operations.*\"]\naccounts=[\"*\"]\nregions=[\"*\"]\n",
    );
    let auth = Auth {
        bearer: Some(world.bearer().await),
        policy: Some(Arc::new(PolicyFile::open(&policy).unwrap())),
        peers: vec![Pattern::new("sampan-*")],
        ..Auth::default()
    };
    let server = world.serve(Options { auth: Arc::new(auth), ..Options::default() }).await;
    let channel = plain(&server).await;
    let token_of = |subject: &str| {
        let mut claims = claims();
        claims["sub"] = json!(subject);
        format!("Bearer {}", world.issuer.token(&claims))
    };
    let eve = get(&channel, &[("authorization", &token_of("eve")), (ON_BEHALF_OF, "ann")]).await;
    assert_eq!(reason(&eve.unwrap_err()), "OPERATION_NOT_FOUND");
    assert!(get(&channel, &[("authorization", &token_of("sampan-copy")), (ON_BEHALF_OF, "ann")]).await.is_ok());
    server.shutdown(async {}).await;
}

/// An authority and the certificates that it has made.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, names: Vec<SanType>, purpose: ExtendedKeyUsagePurpose, expired: bool) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![purpose];
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 2);
        }
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    fn server(&self) -> (String, String) {
        let name = SanType::DnsName("localhost".try_into().unwrap());
        self.issue(vec![name], ExtendedKeyUsagePurpose::ServerAuth, false)
    }

    fn client(&self, ids: &[&str], expired: bool) -> Identity {
        let names = ids.iter().map(|id| SanType::URI((*id).try_into().unwrap())).collect();
        let (cert, key) = self.issue(names, ExtendedKeyUsagePurpose::ClientAuth, expired);
        Identity::from_pem(cert, key)
    }
}

async fn secured(server: &Server, authority: &Authority, identity: Option<Identity>) -> Result<pb::Operation, String> {
    let mut tls =
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem())).domain_name("localhost");
    if let Some(identity) = identity {
        tls = tls.identity(identity);
    }
    let endpoint = Channel::from_shared(format!("https://{}", server.address())).unwrap().tls_config(tls).unwrap();
    let channel = endpoint.connect().await.map_err(|error| format!("{error:?}"))?;
    get(&channel, &[])
        .await
        .map_err(|status| status.get_details_error_info().map_or(format!("{status:?}"), |info| info.reason))
}

fn files(world: &World, authority: &Authority, optional: bool) -> TlsFiles {
    let (cert, key) = authority.server();
    TlsFiles {
        cert_file: world.write("cert.pem", &cert),
        key_file: world.write("key.pem", &key),
        client_ca_file: Some(world.write("ca.pem", &authority.pem())),
        client_cert_optional: optional,
    }
}

#[tokio::test]
async fn a_client_certificate_names_its_caller_and_a_wrong_one_gets_no_connection() {
    let world = World::new();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let tls = Arc::new(Tls::open(files(&world, &authority, false)).unwrap());
    let auth = Arc::new(Auth { certificates: true, ..Auth::default() });
    let server = world.serve(Options { auth, tls: Some(tls), ..Options::default() }).await;
    let id = "spiffe://corp/ns/ci/sa/builder";
    assert!(secured(&server, &authority, Some(authority.client(&[id], false))).await.is_ok());
    assert!(secured(&server, &authority, None).await.is_err(), "without a certificate");
    assert!(secured(&server, &authority, Some(stranger.client(&[id], false))).await.is_err(), "another authority");
    assert!(secured(&server, &authority, Some(authority.client(&[id], true))).await.is_err(), "expired");
    assert!(
        secured(&server, &stranger, Some(authority.client(&[id], false))).await.is_err(),
        "the server's is unknown"
    );
    let nameless = secured(&server, &authority, Some(authority.client(&["https://corp/x"], false))).await;
    assert_eq!(nameless.unwrap_err(), "CALLER_UNKNOWN");
    let two = secured(&server, &authority, Some(authority.client(&[id, "spiffe://corp/b"], false))).await;
    assert_eq!(two.unwrap_err(), "CALLER_UNKNOWN", "two ids are none");
    server.shutdown(async {}).await;
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let world = World::new();
    let (first, second) = (Authority::new(), Authority::new());
    let tls = Arc::new(Tls::open(files(&world, &first, true)).unwrap());
    let server = world.serve(Options { tls: Some(Arc::clone(&tls)), ..Options::default() }).await;
    assert!(secured(&server, &first, None).await.is_ok());
    world.write("cert.pem", "no certificate");
    assert!(tls.reload().unwrap_err().to_string().contains("cert.pem"));
    assert!(secured(&server, &first, None).await.is_ok(), "the old one stays");
    files(&world, &second, true);
    assert!(tls.reload().unwrap());
    assert!(!tls.reload().unwrap(), "nothing has changed since");
    assert!(secured(&server, &second, None).await.is_ok());
    assert!(secured(&server, &first, None).await.is_err());
    server.shutdown(async {}).await;
}

/// A server with TLS to which somebody is connected who says nothing.
async fn with_silence(world: &World, authority: &Authority, connections: ConnectionLimits) -> (Server, TcpStream) {
    let tls = Arc::new(Tls::open(files(world, authority, true)).unwrap());
    let server = world.serve(Options { tls: Some(tls), connections, ..Options::default() }).await;
    let silent = TcpStream::connect(server.address()).await.unwrap();
    (server, silent)
}

#[tokio::test]
async fn a_connection_that_says_nothing_holds_up_nobody_and_no_stop() {
    let (world, authority) = (World::new(), Authority::new());
    let patient = ConnectionLimits { hello: 2 * PATIENCE, ..ConnectionLimits::default() };
    let (server, _silent) = with_silence(&world, &authority, patient).await;
    assert!(secured(&server, &authority, None).await.is_ok());
    tokio::time::timeout(PATIENCE, server.shutdown(async {})).await.expect("stopped");
}

#[tokio::test]
async fn a_handshake_has_a_place_until_it_takes_too_long() {
    let (world, authority) = (World::new(), Authority::new());
    let one = |hello| ConnectionLimits { at_once: 1, hello, ..ConnectionLimits::default() };
    let (server, silent) = with_silence(&world, &authority, one(2 * PATIENCE)).await;
    assert!(secured(&server, &authority, None).await.is_err(), "the only place is taken");
    drop(silent);
    server.shutdown(async {}).await;
    let (server, _silent) = with_silence(&world, &authority, one(Duration::from_millis(200))).await;
    let free = async { while secured(&server, &authority, None).await.is_err() {} };
    tokio::time::timeout(PATIENCE, free).await.expect("a place");
    server.shutdown(async {}).await;
}

#[tokio::test]
async fn only_a_trusted_proxy_may_name_its_client() {
    let world = World::new();
    let named = [("x-forwarded-client-cert", "URI=spiffe://corp/ns/ci/sa/builder")];
    let proxies = TrustedProxies { addresses: vec!["127.0.0.1".parse().unwrap()], identities: Vec::new() };
    let server =
        world.serve(Options { auth: Arc::new(Auth { proxies, ..Auth::default() }), ..Options::default() }).await;
    let channel = plain(&server).await;
    assert!(get(&channel, &named).await.is_ok());
    assert_eq!(reason(&get(&channel, &[]).await.unwrap_err()), "CALLER_UNKNOWN");
    server.shutdown(async {}).await;
    let proxies = TrustedProxies { addresses: vec!["127.0.0.2".parse().unwrap()], identities: Vec::new() };
    let server =
        world.serve(Options { auth: Arc::new(Auth { proxies, ..Auth::default() }), ..Options::default() }).await;
    assert_eq!(reason(&get(&plain(&server).await, &named).await.unwrap_err()), "CALLER_UNKNOWN");
    server.shutdown(async {}).await;
}
