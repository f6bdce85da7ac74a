//! The chain, over an environment and a home folder of the test's own.

use std::collections::HashMap;
use std::path::Path;

use reqsign_core::StaticEnv;
use sampan_core::clock;

use super::*;

fn context(home: &Path, variables: &[(&str, &str)]) -> Context {
    let envs: HashMap<_, _> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Context::new().with_file_read(TokioFileRead).with_env(StaticEnv { home_dir: Some(home.to_owned()), envs })
}

async fn find(source: CredentialSource, context: &Context) -> reqsign_core::Result<Option<Credential>> {
    provider(source, &Endpoints::default(), &clock::system()).provide_credential_dyn(context).await
}

fn write(home: &Path, folder: &str, file: &str, text: &str) {
    std::fs::create_dir_all(home.join(folder)).unwrap();
    std::fs::write(home.join(folder).join(file), text).unwrap();
}

const TCCLI: &str = r#"{"secretId": "AKIDtccli", "secretKey": "k2", "token": "t2"}"#;

#[tokio::test]
async fn the_environment_comes_before_the_file_and_the_file_before_tccli() {
    let home = tempfile::tempdir().unwrap();
    let bare = context(home.path(), &[]);
    write(home.path(), ".tccli", "default.credential", TCCLI);
    let found = find(CredentialSource::Default, &bare).await.unwrap().unwrap();
    assert_eq!((found.secret_id.as_str(), found.security_token.as_deref()), ("AKIDtccli", Some("t2")));

    write(home.path(), ".tencentcloud", "credentials", "[default]\nsecret_id = AKIDfile\nsecret_key = k1\n");
    assert_eq!(find(CredentialSource::Default, &bare).await.unwrap().unwrap().secret_id, "AKIDfile");

    let variables = [
        ("TENCENTCLOUD_SECRET_ID", "AKIDenv"),
        ("TENCENTCLOUD_SECRET_KEY", "k0"),
        ("TENCENTCLOUD_SECURITY_TOKEN", "t0"),
    ];
    let found = find(CredentialSource::Default, &context(home.path(), &variables)).await.unwrap().unwrap();
    assert_eq!((found.secret_id.as_str(), found.security_token.as_deref()), ("AKIDenv", Some("t0")));
}

#[tokio::test]
async fn the_file_and_the_profile_can_be_named_by_the_environment() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "elsewhere", "keys", "[default]\nsecret_id = AKIDelse\nsecret_key = k\n");
    let path = home.path().join("elsewhere/keys");
    let context_of_file = context(home.path(), &[("TENCENTCLOUD_CREDENTIALS_FILE", path.to_str().unwrap())]);
    let file = CredentialSource::File { path: None, profile: "default".to_owned() };
    assert_eq!(find(file, &context_of_file).await.unwrap().unwrap().secret_id, "AKIDelse");

    write(home.path(), ".tccli", "ci.credential", TCCLI);
    let context_of_profile = context(home.path(), &[("TCCLI_PROFILE", "ci")]);
    let tccli = CredentialSource::Tccli { profile: None };
    assert_eq!(find(tccli, &context_of_profile).await.unwrap().unwrap().secret_id, "AKIDtccli");
}

#[tokio::test]
async fn a_file_that_was_named_must_be_there_and_a_habitual_one_need_not() {
    let home = tempfile::tempdir().unwrap();
    let bare = context(home.path(), &[]);
    let named = CredentialSource::Tccli { profile: Some("absent".to_owned()) };
    assert!(find(named, &bare).await.is_err());
    assert!(find(CredentialSource::Tccli { profile: None }, &bare).await.unwrap().is_none());
    let named = CredentialSource::File { path: Some(home.path().join("absent")), profile: "default".to_owned() };
    assert!(find(named, &bare).await.is_err());
}

#[tokio::test]
async fn the_problem_of_a_source_is_told_when_no_other_has_credentials() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), ".tccli", "default.credential", "{ not json");
    let error = find(CredentialSource::Default, &context(home.path(), &[])).await.unwrap_err();
    assert!(error.to_string().contains("tccli"), "{error}");
}
