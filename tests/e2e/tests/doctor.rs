//! What `sampan doctor` finds, and what it says is to be mended.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod security_support;

use std::path::Path;

use sampan_tests_e2e::{Child, ServerFolder, Setup, World, command, free_port};
use security_support::{Ran, Site, here, ran};
use serde_json::Value;

const GOOD_BUCKET: &str = "tencent/ap-guangzhou/sampan-guangzhou-1250000000";

fn doctor(config: &Path, arguments: &[&str]) -> Ran {
    let mut command = command();
    command.args(["doctor", "--config", config.to_str().unwrap()]).args(arguments);
    ran(command.output().unwrap())
}

/// Adds sections to a configuration.
fn add(config: &Path, sections: &str) {
    let text = std::fs::read_to_string(config).unwrap();
    std::fs::write(config, format!("{text}\n{sections}")).unwrap();
}

/// Adds a collector to a configuration.
fn collect(config: &Path, endpoint: &str) {
    let text = std::fs::read_to_string(config).unwrap();
    let section = format!("[telemetry]\notlp_endpoint = \"{endpoint}\"\n");
    assert!(text.contains("[telemetry]\n"));
    std::fs::write(config, text.replace("[telemetry]\n", &section)).unwrap();
}

/// Returns what was found wrong, as `check of subject`.
fn wrong(ran: &Ran) -> Vec<String> {
    let answer: Value = serde_json::from_str(&ran.text).unwrap_or_else(|_| panic!("no JSON: {}", ran.text));
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = answer["checks"].as_array().unwrap();
    let wrong = checks.iter().filter(|check| check["ok"] == false);
    let wrong: Vec<_> = wrong
        .map(|check| {
            assert!(!text(check, "remedy").is_empty(), "{check}");
            format!("{} of {}", text(check, "check"), text(check, "subject"))
        })
        .collect();
    assert_eq!(answer["ok"], wrong.is_empty());
    wrong
}

#[tokio::test]
async fn a_good_configuration_is_well_also_while_its_server_holds_the_store() {
    let mut world = World::with(Setup { is_durable: true, ..Setup::default() }).await;
    world.take_server().stop().await;
    let ServerFolder { config, store, stem } = world.files().clone();
    let (listen, scrapes) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let audit = world.folder().join("audit.jsonl");
    add(&config, &format!("[audit]\nfile = {audit:?}\n[metrics]\nlisten = \"{scrapes}\"\n"));
    let arguments = ["--store", &store, "--listen", &listen, "--bucket", GOOD_BUCKET, "--output", "json"];
    let idle = doctor(&config, &arguments);
    assert_eq!((idle.exit, wrong(&idle)), (0, Vec::new()), "{}", idle.text);
    assert!(idle.text.contains("5 of 5 image operations are left today"), "{}", idle.text);
    assert!(idle.text.contains("will be made by the server") && !audit.exists(), "{}", idle.text);
    assert!(idle.text.contains("free for the server"), "{}", idle.text);

    let serve = ["serve", "--config", config.to_str().unwrap(), "--store", &store, "--listen", &listen];
    let (server, _) = Child::start(&serve, &stem).await.expect("it starts");
    let held = doctor(&config, &arguments);
    assert_eq!((held.exit, wrong(&held)), (0, Vec::new()), "{}", held.text);
    assert_eq!(held.text.matches("in use by the server that runs here").count(), 2, "{}", held.text);
    assert!(held.text.contains("can be appended to"), "{}", held.text);
    // Whoever speaks gRPC passes for a collector.
    collect(&config, &format!("http://{listen}"));
    let collected = doctor(&config, &arguments);
    assert_eq!((collected.exit, wrong(&collected)), (0, Vec::new()), "{}", collected.text);
    assert!(collected.text.contains("\"collector\""), "{}", collected.text);
    drop(server);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_with_its_remedy() {
    let world = World::start().await;
    let config = world.files().config.clone();
    let text = std::fs::read_to_string(&config).unwrap();
    let [first, ..] = &world.clouds.secrets()[..] else { panic!("no secrets") };
    std::fs::write(&config, text.replace(first.as_str(), "wrong-key")).unwrap();
    let other = world.clouds.ready().pointer("/addresses/control").unwrap().as_str().unwrap();
    let other = other.trim_start_matches("http://");
    add(
        &config,
        &format!(
            "[peers]\nbilling = \"http://127.0.0.1:1\"\n[audit]\nfile = \"/nowhere/audit.jsonl\"\n\
             [metrics]\nlisten = \"{other}\"\n"
        ),
    );
    collect(&config, "http://127.0.0.1:1");
    let arguments = [
        "--store",
        "redis://127.0.0.1:1",
        "--listen",
        "0.0.0.0:7500",
        "--roles",
        "export",
        "--bucket",
        "nobody/ap-guangzhou/any",
        "--output",
        "json",
    ];
    let ran = doctor(&config, &arguments);
    assert_eq!(ran.exit, 1, "{}", ran.text);
    let wrong = wrong(&ran);
    for expected in [
        "listener of 0.0.0.0:7500",
        "store of redis://",
        "credentials of",
        "bucket of nobody/",
        "peer of billing http://127.0.0.1:1",
        "audit of /nowhere/audit.jsonl",
        "metrics of 127.0.0.1:",
        "collector of http://127.0.0.1:1",
    ] {
        assert!(wrong.iter().any(|found| found.starts_with(expected)), "{expected}: {wrong:?}");
    }
    assert_eq!(wrong.iter().filter(|found| found.starts_with("credentials")).count(), 1, "{wrong:?}");
    assert!(!ran.text.contains("wrong-key"), "{}", ran.text);
}

#[tokio::test]
async fn a_certificate_that_has_ended_and_a_policy_that_cannot_be_read_are_told() {
    let site = Site::with_policy("allow = []\n").await;
    site.certify(&site.authority, here(), true);
    let ran = doctor(&site.files.config, &["--store", "memory", "--output", "json"]);
    let found = wrong(&ran);
    assert!(ran.exit == 1 && found.len() == 1 && found[0].starts_with("certificate of"), "{found:?}");
    assert!(ran.text.contains("expired"), "{}", ran.text);
    site.certify(&site.authority, here(), false);
    site.write("policy.toml", "[[allow]]\nsubject = []\n");
    let ran = doctor(&site.files.config, &["--store", "memory", "--output", "json"]);
    assert_eq!(wrong(&ran), ["security of [tls] and [auth]"], "{}", ran.text);
    let table = doctor(&site.files.config, &["--store", "memory"]);
    assert!(table.exit == 1 && table.text.contains("to mend:"), "{}", table.text);
    add(&site.files.config, "[metrics]\nlisten = \"0.0.0.0:9464\"\n");
    let open = doctor(&site.files.config, &["--store", "memory", "--output", "json"]);
    assert!(wrong(&open).contains(&"metrics of 0.0.0.0:9464".to_owned()), "{}", open.text);
    let none = doctor(Path::new("/nowhere.toml"), &[]);
    assert_eq!(none.exit, 2, "{}", none.text);
}
