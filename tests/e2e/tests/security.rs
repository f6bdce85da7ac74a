//! A server with TLS, tokens and a policy, and the command line as its client.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod security_support;

use std::time::{Duration, Instant};

use sampan_tests_e2e::{Child, TENCENT, command, free_port};
use security_support::{Authority, Issuer, Site, here, ran};
use serde_json::Value;

const TWO_TEAMS: &str = r#"
[teams]
images = ["ann", "amy"]
base = ["bob"]

[[allow]]
subjects = ["team:images", "team:base"]
actions = ["*"]
accounts = ["tencent"]
regions = ["ap-*"]
buckets = ["sampan-*"]
operations_of = ["team"]
"#;

fn export(cloud: &'static str, region: &'static str, bucket: &'static str, image: &str) -> Vec<String> {
    let words = ["export", "--cloud", cloud, "--region", region, "--bucket", bucket, "--image", image];
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn operations_of_another_team_are_as_if_they_did_not_exist() {
    let site = Site::with_policy(TWO_TEAMS).await;
    let server = site.serve().await;
    let mut words = export("tencent", TENCENT.region, TENCENT.bucket, &TENCENT.image("ubuntu"));
    words.extend(["--detach", "--output", "json"].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let started = site.run_as(&server, "ann", &words).await;
    assert_eq!(started.exit, 0, "{}", started.text);
    let operation: Value = serde_json::from_str(&started.text).expect("JSON");
    let name = operation["name"].as_str().expect("a name");

    let amy = site.run_as(&server, "amy", &["operations", "watch", name]).await;
    assert_eq!(amy.exit, 0, "one team sees its own: {}", amy.text);
    for verb in ["get", "watch", "cancel", "retry"] {
        let bob = site.run_as(&server, "bob", &["operations", verb, name]).await;
        assert!(bob.exit == 3 && bob.text.contains("OPERATION_NOT_FOUND"), "{verb}: {} {}", bob.exit, bob.text);
    }
    let bob = site.run_as(&server, "bob", &["download", name]).await;
    assert_eq!(bob.exit, 3, "{}", bob.text);
    let listed = |text: &str| text.contains(name.trim_start_matches("operations/"));
    let bob = site.run_as(&server, "bob", &["operations", "list", "--output", "json"]).await;
    assert!(bob.exit == 0 && !listed(&bob.text), "{}", bob.text);
    let amy = site.run_as(&server, "amy", &["operations", "list", "--output", "json"]).await;
    assert!(amy.exit == 0 && listed(&amy.text), "{}", amy.text);
}

#[tokio::test]
async fn what_no_rule_permits_is_refused_before_any_cloud_is_called() {
    let site = Site::with_policy(TWO_TEAMS).await;
    let server = site.serve().await;
    let image = TENCENT.image("ubuntu");
    let denied = [
        ("eve", export("tencent", TENCENT.region, TENCENT.bucket, &image)),
        ("ann", export("alibaba", "cn-hangzhou", "sampan-hangzhou", "m-bp1sampandebian00001")),
        ("ann", export("tencent", TENCENT.region, "other-1250000000", &image)),
    ];
    for (subject, words) in denied {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let refused = site.run_as(&server, subject, &words).await;
        assert!(refused.exit == 3 && refused.text.contains("DENIED"), "{words:?}: {} {}", refused.exit, refused.text);
    }
    assert!(site.clouds.audit().await.of(TENCENT.export_action).is_empty());
}

#[tokio::test]
async fn a_caller_without_a_good_token_is_refused_and_its_token_is_written_nowhere() {
    let site = Site::with_policy(TWO_TEAMS).await;
    let server = site.serve().await;
    let list = ["operations", "list"];
    let unknown = site.run(&server, None, &list).await;
    assert!(unknown.exit == 3 && unknown.text.contains("CALLER_UNKNOWN"), "{}", unknown.text);
    let wrong = [
        (site.issuer.token("ann", "another", 600), "audience"),
        (site.issuer.token("ann", "sampan", -600), "expired"),
        (Issuer::new().token("ann", "sampan", 600), "signature"),
    ];
    for (token, words) in wrong {
        let refused = site.run(&server, Some(&token), &list).await;
        assert!(refused.exit == 3 && refused.text.contains(words), "{words}: {}", refused.text);
        assert!(!refused.text.contains(&token) && !site.log().contains(&token), "the token itself is told");
    }
    let good = site.issuer.token("ann", "sampan", 600);
    site.write("token", &format!("{good}\n"));
    let file = site.path("token");
    let by_file = site.run(&server, None, &["operations", "list", "--token-file", file.to_str().unwrap()]).await;
    assert_eq!(by_file.exit, 0, "{}", by_file.text);
    assert!(!site.log().contains(&good));
}

#[tokio::test]
async fn a_certificate_that_is_expired_or_of_a_stranger_is_refused_and_a_renewed_one_needs_no_restart() {
    let site = Site::new("").await;
    site.certify(&site.authority, here(), true);
    let server = site.serve().await;
    let expired = site.run(&server, None, &["operations", "list"]).await;
    assert!(expired.exit == 5 && expired.text.contains("expired"), "{} {}", expired.exit, expired.text);
    site.certify(&site.authority, here(), false);
    site.becomes(&server, "ann", 0, &["operations", "list"]).await;

    site.write("ca.pem", &Authority::new().pem());
    let stranger = site.run(&server, None, &["health"]).await;
    assert!(stranger.exit == 5 && stranger.text.contains("is not accepted"), "{} {}", stranger.exit, stranger.text);
    site.write("ca.pem", &site.authority.pem());
    let elsewhere = server.url().replace("127.0.0.1", "localhost");
    let misnamed = site.run(&server, None, &["health", "--endpoint", &elsewhere]).await;
    assert!(misnamed.exit == 5 && misnamed.text.contains("not valid for name"), "{}", misnamed.text);
    let plain = server.url().replace("https", "http");
    let plain = site.run(&server, None, &["operations", "list", "--endpoint", &plain]).await;
    assert!(plain.exit == 5 && plain.text.contains("https://"), "{}", plain.text);
}

#[tokio::test]
async fn a_server_that_asks_for_certificates_takes_only_those_of_its_authority_and_answers_its_own_probe() {
    let site = Site::new("").await;
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let config = std::fs::read_to_string(&site.files.config).unwrap();
    let ca = site.path("ca.pem");
    let config = config.replace("[tls]", &format!("[tls]\nclient_ca_file = \"{}\"", ca.display()));
    std::fs::write(&site.files.config, format!("{config}\n[server]\nlisten = \"{listen}\"\n")).unwrap();
    let config = site.files.config.to_str().unwrap();
    let probe = |extra: &'static [&'static str]| {
        let mut command = command();
        command.args(["health"]).args(extra).env("SAMPAN_CONFIG", config);
        ran(command.output().unwrap())
    };
    assert_eq!(probe(&[]).exit, 5, "nobody listens yet");
    let arguments = ["serve", "--config", config, "--store", "memory"];
    let (child, _) = Child::start(&arguments, &site.files.stem).await.expect("it starts");
    let ready = probe(&["--timeout", "20s"]);
    assert_eq!(ready.exit, 0, "{}", ready.text);
    assert_eq!(probe(&["--timeout", "20s", "--service", "sampan.liveness"]).exit, 0);
    assert_eq!(probe(&["--timeout", "20s", "--service", "sampan.nothing"]).exit, 3);

    let url = format!("https://{listen}");
    let list = |client: Option<[String; 4]>| {
        let mut command = command();
        command.args(["operations", "list", "--endpoint", &url, "--tls-ca", ca.to_str().unwrap()]);
        command.args(client.unwrap_or_default().iter().filter(|word| !word.is_empty()));
        ran(command.output().unwrap())
    };
    let without = list(None);
    assert!(without.exit == 5 && without.text.contains("--tls-cert"), "{} {}", without.exit, without.text);
    let good = list(Some(site.client(&site.authority, false)));
    assert_eq!(good.exit, 0, "{}", good.text);
    assert_eq!(list(Some(site.client(&site.authority, true))).exit, 5, "expired");
    assert_eq!(list(Some(site.client(&Authority::new(), false))).exit, 5, "of a stranger");
    child.stop().await;
    assert_eq!(probe(&[]).exit, 5, "it has ended");
}

#[tokio::test]
async fn a_changed_policy_is_in_force_without_a_restart_and_a_broken_one_is_not() {
    let site = Site::with_policy(TWO_TEAMS).await;
    let server = site.serve().await;
    let quota = ["quota", "--cloud", "tencent", "--region", "ap-guangzhou"];
    assert_eq!(site.run_as(&server, "eve", &quota).await.exit, 3);
    site.write("policy.toml", &TWO_TEAMS.replace("\"bob\"", "\"bob\", \"eve\""));
    site.becomes(&server, "eve", 0, &quota).await;
    site.write("policy.toml", "[[allow]]\nsubject = [\"nobody\"]\n");
    let begun = Instant::now();
    while !site.log().contains("the old one stays in force") {
        assert!(begun.elapsed() < Duration::from_secs(40), "{}", site.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(site.run_as(&server, "eve", &quota).await.exit, 0);
}

#[tokio::test]
async fn a_listener_for_others_needs_tls_or_the_word_insecure() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("server");
    let open = ["serve", "--listen", "0.0.0.0:0", "--store", "memory"];
    let (status, told) = Child::start(&open, &stem).await.expect_err("refused");
    assert!(!status.success() && told.contains("insecure = true"), "{told}");
    let config = folder.path().join("open.toml");
    std::fs::write(&config, "[server]\ninsecure = true\n").unwrap();
    let permitted = [&open[..], &["--config", config.to_str().unwrap()]].concat();
    Child::start(&permitted, &stem).await.expect("the word permits it");
    let site = Site::new("").await;
    let secured = [&open[..], &["--config", site.files.config.to_str().unwrap()]].concat();
    Child::start(&secured, &stem).await.expect("TLS permits it");
}

#[tokio::test]
async fn a_printed_configuration_shows_no_secret_of_file_or_environment() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sampan.toml");
    let text = "store = \"redis://app:hush-store@localhost:6379\"\n\n[accounts.prod]\ncloud = \"tencent\"\n\n\
                [accounts.prod.credentials]\nsource = \"static\"\naccess_key_id = \"AKID\"\n\
                access_key_secret = \"hush-key\"\nsecurity_token = \"hush-token\"\n";
    std::fs::write(&config, text).unwrap();
    let mut command = command();
    command.args(["serve", "--print-config", "--config", config.to_str().unwrap()]);
    command.env("SAMPAN_TOKEN", "hush-bearer").env("SAMPAN_ACCOUNTS__PROD__CREDENTIALS__SECURITY_TOKEN", "hush-other");
    let printed = ran(command.output().unwrap());
    assert_eq!(printed.exit, 0, "{}", printed.text);
    assert!(!printed.text.contains("hush"), "{}", printed.text);
    assert!(printed.text.matches("***").count() >= 3 && printed.text.contains("AKID"), "{}", printed.text);
}
