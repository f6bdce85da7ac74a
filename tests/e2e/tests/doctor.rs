//! What `sampan doctor` finds, and what it says is to be mended.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod security_support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sampan_core::clock;
use sampan_tests_e2e::{ALIBABA, Child, Redis, ServerFolder, Setup, TENCENT, World, command, free_port, spec_of};
use security_support::{Ran, Site, here, ran};
use serde_json::{Value, json};

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

/// Returns what a check of a subject found, and whether that is well.
fn found(ran: &Ran, check: &str, subject: &str) -> (bool, String) {
    let answer: Value = serde_json::from_str(&ran.text).unwrap_or_else(|_| panic!("no JSON: {}", ran.text));
    let checks = answer["checks"].as_array().unwrap();
    let is_it =
        |one: &&Value| one["check"] == check && one["subject"].as_str().is_some_and(|of| of.starts_with(subject));
    let one = checks.iter().find(is_it).unwrap_or_else(|| panic!("no {check} of {subject}: {}", ran.text));
    (one["ok"] == true, one["found"].as_str().unwrap().to_owned())
}

fn is_wrong(ran: &Ran, check: &str, subject: &str, what: &str) {
    let (is_well, told) = found(ran, check, subject);
    assert!(!is_well && told.contains(what), "{check} of {subject}: {told}");
}

fn is_well(ran: &Ran, check: &str, subject: &str, what: &str) {
    let (is_well, told) = found(ran, check, subject);
    assert!(is_well && told.contains(what), "{check} of {subject}: {told}");
}

/// Answers every connection with these bytes, for as long as the test runs.
fn answering(bytes: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes.as_bytes());
        }
    });
    format!("http://{address}")
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
    assert!(table.text.contains("found something to mend") && !table.text.contains("all is well"), "{}", table.text);
    add(&site.files.config, "[metrics]\nlisten = \"0.0.0.0:9464\"\n");
    let open = doctor(&site.files.config, &["--store", "memory", "--output", "json"]);
    assert!(wrong(&open).contains(&"metrics of 0.0.0.0:9464".to_owned()), "{}", open.text);
    let none = doctor(Path::new("/nowhere.toml"), &[]);
    assert_eq!(none.exit, 2, "{}", none.text);
}

#[tokio::test]
async fn buckets_regions_and_a_spent_day_are_told() {
    let mut world = World::with(Setup { is_durable: true, ..Setup::default() }).await;
    let elsewhere =
        json!({ "cloud": "alibaba", "account": ALIBABA.number, "region": "cn-shanghai", "name": "elsewhere" });
    world.clouds.post("buckets", elsewhere).await;
    for number in 0..5 {
        let image = world.clouds.add_image(&TENCENT, &format!("image{number}")).await;
        let started = world.api().start(spec_of(&TENCENT, image)).await;
        world.api().ended(&started.name).await;
    }
    world.take_server().stop().await;
    let ServerFolder { config, store, .. } = world.files().clone();
    let arguments = [
        &["--store", &store, "--output", "json", "--region", "alibaba=cn-shanghai", "--region", "nobody=cn-shanghai"][..],
        &["--region", "tencent-2=a b", "--bucket", "tencent/ap-guangzhou/nothing-1250000000"],
        &["--bucket", "alibaba/cn-hangzhou/elsewhere", "--bucket", "alibaba/cn-shanghai/elsewhere"],
    ];
    let ran = doctor(&config, &arguments.concat());
    is_wrong(&ran, "quota", "tencent ap-guangzhou", "0 of 5 image operations are left today");
    is_well(&ran, "quota", "alibaba cn-shanghai", "not limited");
    is_well(&ran, "clock", "tencent", " s apart");
    is_wrong(&ran, "region", "nobody", "no such account");
    is_wrong(&ran, "region", "tencent-2", "is no region");
    is_wrong(&ran, "bucket", "tencent/ap-guangzhou/nothing", "no such bucket");
    is_wrong(&ran, "bucket", "alibaba/cn-hangzhou/elsewhere", "it is in cn-shanghai");
    is_well(&ran, "bucket", "alibaba/cn-shanghai/elsewhere", "may look at it");
    assert_eq!(wrong(&ran).len(), 5, "{}", ran.text);
}

#[tokio::test]
async fn what_files_and_addresses_have_wrong_is_told_each_by_itself() {
    let world = World::start().await;
    let config = world.files().config.clone();
    let late = answering("HTTP/1.1 400 Bad\r\ndate: Wed, 01 Jan 2020 00:00:00 GMT\r\ncontent-length: 0\r\n\r\n");
    let api = world.clouds.ready().pointer("/addresses/cvm").and_then(Value::as_str).unwrap();
    let ecs = world.clouds.ready().pointer("/addresses/ecs").and_then(Value::as_str).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains(api) && text.contains(ecs), "{text}");
    std::fs::write(&config, text.replace(api, &late)).unwrap();
    // It speaks HTTP, and no gRPC.
    collect(&config, &late);
    let certificate = world.folder().join("peer.pem");
    let ends = Duration::from_secs(clock::system().now().as_second().unsigned_abs() + 5 * 24 * 3600);
    let mut params = CertificateParams::default();
    params.not_after = date_time_ymd(1970, 1, 1) + ends;
    std::fs::write(&certificate, params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()).unwrap();
    let sections = "[limits]\ntencent.\"nothing\" = { value = 1 }\n[billing]\nprice_file = \"/nowhere.csv\"\n";
    add(&config, &format!("{sections}[peers]\ncert_file = {certificate:?}\n[metrics]\nlisten = \"nonsense\"\n"));
    let ran = doctor(&config, &["--store", "memory", "--roles", "all", "--listen", "nonsense", "--output", "json"]);
    is_wrong(&ran, "listener", "nonsense", "no address");
    is_wrong(&ran, "limits", "[limits]", "nothing");
    is_wrong(&ran, "prices", "[billing]", "/nowhere.csv");
    is_wrong(&ran, "clock", "tencent", "behind the clock of this machine");
    is_wrong(&ran, "certificate", certificate.to_str().unwrap(), "ends in 4 d ");
    is_wrong(&ran, "metrics", "nonsense", "no address to listen on");
    is_wrong(&ran, "role", "all", "no role");
    is_wrong(&ran, "collector", &late, "gRPC");
    is_well(&ran, "clock", "memory", "0.");
    assert!(!ran.text.contains("\"quota\""), "{}", ran.text);
    std::fs::write(&certificate, "nothing").unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace(ecs, "no address").replace("\"nonsense\"", "\"203.0.113.1:1\"\ninsecure = true");
    std::fs::write(&config, text).unwrap();
    let ran = doctor(&config, &["--store", "memory", "--output", "json"]);
    is_wrong(&ran, "certificate", certificate.to_str().unwrap(), "no certificate in it");
    is_wrong(&ran, "metrics", "203.0.113.1:1", "nobody can listen there");
    is_wrong(&ran, "account", "[accounts]", "no address");
}

#[tokio::test]
async fn a_store_that_answers_and_runs_no_scripts_is_told() {
    let Some(redis) = Redis::start().await else { return };
    let world = World::start().await;
    let store = redis.store();
    let mut link = TcpStream::connect(store.trim_start_matches("redis://")).unwrap();
    link.write_all(b"ACL SETUSER limited on >limited ~* &* +@all -@scripting\r\n").unwrap();
    let mut answer = [0; 5];
    link.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
    let store = store.replace("redis://", "redis://limited:limited@");
    let ran = doctor(&world.files().config, &["--store", &store, "--output", "json"]);
    is_wrong(&ran, "store", "redis://", "");
    assert!(!ran.text.contains("\"quota\""), "{}", ran.text);
}

#[tokio::test]
async fn peers_that_are_ready_not_ready_or_silent_are_told() {
    let Some(mut redis) = Redis::start().await else { return };
    let world = World::start().await;
    let ServerFolder { config, stem, .. } = world.files().clone();
    let store = redis.store();
    let serve = ["serve", "--config", config.to_str().unwrap(), "--store", &store, "--listen", "127.0.0.1:0"];
    let (_server, ready) = Child::start(&serve, &stem.with_file_name("unready")).await.expect("it starts");
    let unready = ready.pointer("/listeners/0/url").and_then(Value::as_str).unwrap();
    redis.kill();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let well = world.server().url();
    add(&config, &format!("[peers]\nexport = \"{silent}\"\nbilling = [\"{well}\", \"{unready}\", \"{silent}\"]\n"));
    let arguments = ["--roles", "export", "--timeout", "3s", "--output", "json", "--store"];
    let mut ran = doctor(&config, &[&arguments[..], &["memory"]].concat());
    // The server notices by itself, and takes its time.
    for _ in 0..20 {
        if !found(&ran, "peer", &format!("billing {unready}")).0 {
            break;
        }
        ran = doctor(&config, &[&arguments[..], &["memory"]].concat());
    }
    is_well(&ran, "peer", &format!("billing {well}"), "ready");
    is_wrong(&ran, "peer", &format!("billing {unready}"), "not ready");
    is_wrong(&ran, "peer", &format!("billing {silent}"), "no answer within 3 s");
    assert_eq!(ran.text.matches("\"peer\"").count(), 3, "{}", ran.text);
}
