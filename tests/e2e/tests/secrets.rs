//! Nothing that a full run writes holds a secret, a signature or a signed link.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use sampan_proto::export::v1::CreateDownloadUrlsRequest;
use sampan_proto::operation::v1::OperationState;
use sampan_tests_e2e::{ALIBABA, Setup, TENCENT, World, spec_of};

/// Beginnings of signatures: a value after one of them is a secret, unless it is masked.
const SIGNATURES: [&str; 6] =
    ["q-signature=", "Signature=", "x-oss-signature=", "signature=", "security-token=", "Credential="];
const MASK: &str = "***";

/// Everything that a run wrote, by name.
fn written(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // The configuration holds the keys on purpose, and the simulator prints them on purpose.
        if name == "sampan.toml" || name.starts_with("clouds.") || name == "downloads" {
            continue;
        }
        if path.is_dir() {
            files.extend(written(&path));
        } else {
            files.push((name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
        }
    }
    files
}

fn betrayed(text: &str, secrets: &[String]) -> Vec<String> {
    let mut found: Vec<String> = secrets.iter().filter(|secret| text.contains(secret.as_str())).cloned().collect();
    for start in SIGNATURES {
        for (at, _) in text.match_indices(start) {
            let after = &text[at + start.len()..];
            if !after.starts_with(MASK) {
                let from = text[..at].char_indices().rev().nth(80).map_or(0, |(index, _)| index);
                let shown: String = text[from..].chars().take(160).collect();
                found.push(shown);
            }
        }
    }
    found
}

/// Runs a command and writes down what it says, whether or not a bad day lets it succeed.
async fn run(world: &World, folder: &Path, arguments: &[&str]) -> String {
    let output = world.server().command(folder, arguments).await;
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let name = format!("command-{}-{}.txt", arguments[0], fs::read_dir(folder).unwrap().count());
    fs::write(folder.join(name), &text).unwrap();
    text
}

#[tokio::test]
async fn a_full_run_at_the_level_debug_writes_no_secret() {
    let setup = Setup { is_durable: true, log: "debug", export_takes: Duration::from_millis(500), ..Setup::default() };
    let mut world = World::with(setup).await;
    let folder = world.folder().to_path_buf();
    let downloads = folder.join("downloads");
    fs::create_dir(&downloads).unwrap();
    let disk = folder.join("disk.raw");
    fs::write(&disk, vec![7; 1 << 20]).unwrap();
    let mut secrets = world.clouds.secrets();
    assert_eq!(secrets.len(), 4);
    let mut links = Vec::new();
    for lane in [TENCENT, ALIBABA] {
        let fields = serde_json::json!({ "name": "small", "disks": [{ "role": "system", "file": disk }] });
        let image = world.clouds.add_image_of(&lane, fields).await;
        // Errors carry addresses, and addresses can be signed: every call fails once in every way.
        for action in ["DescribeImages", "HeadBucket", "HeadObject", "ListObjects", "GetObject", lane.export_action] {
            for kind in ["throttle", "server_error", "reset", "answer_lost"] {
                if action != "GetObject" || kind == "reset" {
                    world.clouds.fault(lane.cloud, action, kind, 1).await;
                }
            }
        }
        let (cloud, region) = (lane.cloud.to_string(), lane.region);
        let at = ["--cloud", &cloud, "--region", region, "--image", &image, "--bucket", lane.bucket];
        run(&world, &folder, &[&["preview", "export"][..], &at, &["--output", "json"]].concat()).await;
        let told = run(&world, &folder, &[&["export"][..], &at, &["--output", "json"]].concat()).await;
        let name = told.split('"').find(|word| word.starts_with("operations/")).expect("a name").to_owned();
        assert_eq!(world.api().ended(&name).await.state(), OperationState::Succeeded);
        for output in ["table", "json"] {
            run(&world, &folder, &["operations", "get", &name, "--output", output]).await;
            run(&world, &folder, &["operations", "list", "--output", output]).await;
            run(&world, &folder, &["quota", "--output", output]).await;
            let to = downloads.join(format!("{cloud}-{output}"));
            run(&world, &folder, &["download", &name, "--to", to.to_str().unwrap(), "--output", output]).await;
        }
        let request = CreateDownloadUrlsRequest { operation_name: name, valid_for: None };
        let urls = world.api().export.create_download_urls(request).await.expect("links").into_inner().urls;
        links.extend(urls.into_iter().map(|link| link.url));
        // A refused image and a rejected request are logged too.
        let refused = world.api().start(spec_of(&lane, lane.image("windows"))).await;
        world.api().ended(&refused.name).await;
    }
    let links_are_signed = links.iter().all(|link| SIGNATURES.iter().any(|start| link.contains(start)));
    assert!(links_are_signed, "the links carry no signature that this test would find: {links:?}");
    secrets.extend(links);
    let server = world.take_server();
    assert!(server.stop().await.success());
    drop(fs::remove_file(&disk));

    let files = written(&folder);
    let logged = files.iter().find(|(name, _)| name == "server.stderr").expect("a log");
    assert!(logged.1.contains("\"DEBUG\""), "the log has no debug lines");
    assert!(files.iter().any(|(name, text)| name == "sampan.redb" && text.contains("operations/") | !text.is_empty()));
    let mut wrong = Vec::new();
    for (name, text) in &files {
        wrong.extend(betrayed(text, &secrets).into_iter().map(|found| format!("{name}: {found}")));
    }
    assert!(wrong.is_empty(), "{} secrets, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
}

#[test]
fn the_search_for_secrets_finds_what_it_looks_for() {
    let secrets = ["hush".to_owned()];
    assert_eq!(betrayed("a=hush", &secrets), ["hush"]);
    assert_eq!(betrayed("?q-signature=12ab", &secrets).len(), 2);
    assert!(betrayed("?q-signature=***&x=1 Signature=***", &secrets).is_empty());
}

#[tokio::test]
async fn links_lead_to_the_artifacts_and_are_told_to_their_caller_alone() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let name = world.api().start(spec_of(&lane, world.clouds.add_image(&lane, "small").await)).await.name;
        let ended = world.api().ended(&name).await;
        let request = CreateDownloadUrlsRequest { operation_name: name, valid_for: None };
        let urls = world.api().export.create_download_urls(request).await.expect("links").into_inner().urls;
        assert_eq!(urls.len(), 1);
        let answer = world.clouds.fetch(&urls[0].url).await;
        assert!(answer.status().is_success(), "{}", answer.status());
        let size = urls[0].artifact.as_ref().expect("an artifact").size_bytes;
        assert_eq!(answer.content_length(), Some(size));
        assert!(!format!("{ended:?}").contains("ignature"));
    }
}
