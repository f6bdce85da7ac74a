//! Facts about where credentials come from.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use reqsign_core::{Context, Error, FileRead, HttpSend, Result, StaticEnv};

use super::*;

#[derive(Debug, Clone, Default)]
struct Files(HashMap<String, String>);

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        let found = self.0.get(path).map(|text| text.clone().into_bytes());
        found.ok_or_else(|| Error::unexpected("no such file"))
    }
}

/// Answers every token request with the same temporary keys and keeps the addresses that were asked.
#[derive(Debug, Clone, Default)]
struct TokenService(Arc<Mutex<Vec<String>>>);

impl HttpSend for TokenService {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let url = request.uri().to_string();
        self.0.lock().unwrap().push(url.clone());
        if url.contains("/latest/api/token") {
            return Ok(http::Response::new(Bytes::from_static(b"metadata-token")));
        }
        let keys =
            r#"{"AccessKeyId":"STS.id","AccessKeySecret":"s","SecurityToken":"t","Expiration":"2030-01-01T00:00:00Z"}"#;
        let body = if url.contains("Action=") { format!("{{\"Credentials\":{keys}}}") } else { keys.to_owned() };
        Ok(http::Response::new(body.into()))
    }
}

struct World {
    context: Context,
    service: TokenService,
}

fn world(variables: &[(&str, &str)], files: &[(&str, &str)]) -> World {
    let pairs = |list: &[(&str, &str)]| {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<HashMap<_, _>>()
    };
    // Without this, the chain would ask a metadata service that every test would have to play.
    let mut envs = HashMap::from([("ALIBABA_CLOUD_ECS_METADATA_DISABLED".to_owned(), "true".to_owned())]);
    envs.extend(pairs(variables));
    let service = TokenService::default();
    let context = Context::new()
        .with_env(StaticEnv { home_dir: Some(PathBuf::from("/home/u")), envs })
        .with_file_read(Files(pairs(files)))
        .with_http_send(service.clone());
    World { context, service }
}

async fn found(world: &World, source: CredentialSource) -> Option<Credential> {
    source.provider().provide_credential_dyn(&world.context).await.unwrap()
}

const KEYS: [(&str, &str); 2] =
    [("ALIBABA_CLOUD_ACCESS_KEY_ID", "env-id"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "env-secret")];
const RRSA: [(&str, &str); 3] = [
    ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/r"),
    ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/p"),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
];
const CLI: (&str, &str) = (
    "/home/u/.aliyun/config.json",
    r#"{"current":"work","profiles":[
        {"name":"work","mode":"AK","access_key_id":"cli-id","access_key_secret":"x"},
        {"name":"session","mode":"StsToken","access_key_id":"sts-id","access_key_secret":"x","sts_token":"tok"},
        {"name":"role","mode":"RamRoleArn","access_key_id":"cli-id","access_key_secret":"x",
         "ram_role_arn":"acs:ram::1:role/a","ram_session_name":"me","external_id":"e","sts_region":"cn-hangzhou"},
        {"name":"second","mode":"ChainableRamRoleArn","source_profile":"role","ram_role_arn":"acs:ram::1:role/b"},
        {"name":"circle","mode":"ChainableRamRoleArn","source_profile":"circle","ram_role_arn":"acs:ram::1:role/c"},
        {"name":"machine","mode":"EcsRamRole","ram_role_name":"m"},
        {"name":"browser","mode":"CloudSSO"}]}"#,
);
const INI: (&str, &str) = (
    "/home/u/.alibabacloud/credentials",
    "[default]\ntype = access_key   # keys\naccess_key_id = ini-id # mine\naccess_key_secret = x\n\
     [role]\ntype = ram_role_arn\naccess_key_id = ini-id\naccess_key_secret = x\nrole_arn = acs:ram::1:role/i\n",
);

#[tokio::test]
async fn the_chain_looks_in_the_order_of_the_vendor() {
    let token = ("/token", "jwt");
    let all: Vec<_> = KEYS.into_iter().chain(RRSA).collect();
    let files = [token, CLI, INI];
    let id = async |world: World| found(&world, CredentialSource::Default).await.map(|keys| keys.access_key_id);
    assert_eq!(id(world(&all, &files)).await.as_deref(), Some("env-id"));
    assert_eq!(id(world(&RRSA, &files)).await.as_deref(), Some("STS.id"));
    assert_eq!(id(world(&[], &files)).await.as_deref(), Some("cli-id"));
    let no_cli = [("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")];
    assert_eq!(id(world(&no_cli, &files)).await.as_deref(), Some("ini-id"));
    let uri = [("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1/keys")];
    assert_eq!(id(world(&uri, &[])).await.as_deref(), Some("STS.id"));
    assert_eq!(id(world(&[], &[])).await, None);
}

#[tokio::test]
async fn oidc_asks_the_token_service_of_the_region_and_of_the_private_network() {
    let mut variables = RRSA.to_vec();
    variables.push(("ALIBABA_CLOUD_STS_REGION", "cn-beijing"));
    variables.push(("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true"));
    let world = world(&variables, &[("/token", "jwt")]);
    assert!(found(&world, CredentialSource::Default).await.is_some());
    let asked = world.service.0.lock().unwrap().clone();
    assert!(asked[0].starts_with("https://sts-vpc.cn-beijing.aliyuncs.com/?Action=AssumeRoleWithOIDC"), "{asked:?}");
    assert!(asked[0].contains("RoleSessionName=sampan"), "{asked:?}");
}

fn profile(name: &str) -> CredentialSource {
    CredentialSource::Profile { name: Some(name.to_owned()), file: None }
}

#[tokio::test]
async fn every_mode_of_a_profile_leads_to_credentials() {
    let session = found(&world(&[], &[CLI]), profile("session")).await.unwrap();
    assert_eq!((session.access_key_id.as_str(), session.security_token.as_deref()), ("sts-id", Some("tok")));

    let role = world(&[], &[CLI]);
    assert_eq!(found(&role, profile("role")).await.unwrap().access_key_id, "STS.id");
    let asked = role.service.0.lock().unwrap().clone();
    assert!(asked[0].starts_with("https://sts.cn-hangzhou.aliyuncs.com/"), "{asked:?}");
    assert!(asked[0].contains("RoleSessionName=me") && asked[0].contains("ExternalId=e"), "{asked:?}");

    let second = world(&[], &[CLI]);
    assert!(found(&second, profile("second")).await.is_some());
    let asked = second.service.0.lock().unwrap().clone();
    assert!(asked.len() == 2 && asked[1].contains("role%2Fb") && asked[1].contains("SecurityToken=t"), "{asked:?}");

    let machine = world(&[("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "false")], &[CLI]);
    assert!(found(&machine, profile("machine")).await.is_some());
    assert!(machine.service.0.lock().unwrap()[1].ends_with("/security-credentials/m"));
}

#[tokio::test]
async fn roles_of_a_credentials_file_are_assumed() {
    let world = world(&[("ALIBABA_CLOUD_PROFILE", "role")], &[INI]);
    assert_eq!(found(&world, CredentialSource::Default).await.unwrap().access_key_id, "STS.id");
    assert!(world.service.0.lock().unwrap()[0].contains("role%2Fi"));
}

#[tokio::test]
async fn a_profile_that_cannot_work_says_why_without_showing_the_file() {
    let broken = [("/broken", "{\"profiles\": [{\"access_key_secret\": \"hush\", \"name\": 7}]}")];
    let file = CredentialSource::Profile { name: None, file: Some("/broken".to_owned()) };
    for (world, source, says) in [
        (world(&[], &[CLI]), profile("browser"), "cloudsso"),
        (world(&[], &[CLI]), profile("circle"), "refer to each other"),
        (world(&[], &[CLI]), profile("absent"), "no profile absent"),
        (world(&[], &[]), CredentialSource::Profile { name: None, file: Some("/gone".to_owned()) }, "cannot be read"),
        (world(&[], &broken), file, "no JSON of that form"),
    ] {
        let error = source.provider().provide_credential_dyn(&world.context).await.unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn the_chain_names_a_source_that_is_set_up_and_broken() {
    let world = world(&RRSA, &[]);
    let chain = CredentialSource::Default.provider();
    let error = chain.provide_credential_dyn(&world.context).await.unwrap_err().to_string();
    assert!(error.contains("oidc"), "{error}");
}

#[tokio::test]
async fn fixed_keys_never_show_in_debug_and_empty_ones_are_refused() {
    let keys = |id: &str| CredentialSource::Static {
        access_key_id: id.to_owned(),
        access_key_secret: "hush".to_owned().into(),
        security_token: Some("hush-too".to_owned().into()),
    };
    let source = keys("id");
    assert!(!format!("{source:?} {:?}", source.provider()).contains("hush"));
    assert!(keys("").provider().provide_credential_dyn(&Context::new()).await.is_err());
}
