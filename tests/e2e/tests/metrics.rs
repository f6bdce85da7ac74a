//! What the running binary exports, and that dashboard and alerts name nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use sampan_proto::export::v1::ExportSpec;
use sampan_proto::operation::v1::OperationState;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_e2e::{Server, Setup, Simulator, TENCENT, free_port, prepare, spec_of};

/// Endings that Prometheus adds to the name of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_count", "_sum"];

fn is_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// Every metric that a file names: words that begin as ours do, except recorded ones, which have a colon.
fn named(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for start in ["sampan_", "rpc_server_"] {
        for (at, _) in text.match_indices(start) {
            let is_whole = !text[..at].ends_with(|c: char| is_name(c) || c == '-' || c == '/');
            let name: String = text[at..].chars().take_while(|c| is_name(*c)).collect();
            if is_whole {
                names.insert(name);
            }
        }
    }
    names
}

fn labels(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[tokio::test]
async fn dashboard_and_alerts_name_only_what_the_running_binary_exports_and_no_operation_is_a_label() {
    let folder = tempfile::tempdir().unwrap();
    let clouds = Simulator::start(&folder.path().join("sampan.toml"), &folder.path().join("clouds")).await;
    let setup = Setup::default();
    clouds.pace(setup.export_takes).await;
    let files = prepare(folder.path(), &setup);
    let audit = folder.path().join("audit.jsonl");
    let text = fs::read_to_string(&files.config).unwrap();
    let port = free_port();
    let added = format!("{text}\n[audit]\nfile = {audit:?}\n[metrics]\nlisten = \"127.0.0.1:{port}\"\n");
    fs::write(&files.config, added).unwrap();
    let server = Server::start(&files).await;
    let api = server.api();
    let operation = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    // A day has five units: the sixth start has to wait.
    let mut names = vec![operation.name.clone()];
    for number in 2..=6 {
        let image = clouds.add_image(&TENCENT, &format!("image{number}")).await;
        let spec = ExportSpec { when_quota_spent: WhenQuotaSpent::Queue.into(), ..spec_of(&TENCENT, image) };
        names.push(api.start(spec).await.name);
    }
    // The first scrape sees the lane; it stays visible after the operation.
    let url = format!("http://127.0.0.1:{port}/metrics");
    let first = clouds.fetch(&url).await.text().await.unwrap();
    assert!(first.contains("sampan_quota_limit{"), "{first}");
    for name in &names[..5] {
        assert_eq!(api.ended(name).await.state(), OperationState::Succeeded);
    }
    // It is counted a moment after its last record is there.
    let counted = r#"sampan_operations_ended_total{kind="export",state="succeeded"} 5"#;
    let mut text = String::new();
    for _ in 0..200 {
        text = clouds.fetch(&url).await.text().await.unwrap();
        if text.contains(counted) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let exported: BTreeSet<String> =
        labels(&text).iter().map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/observability");
    for file in ["sampan.dashboard.json", "sampan.rules.yaml", "sampan.rules.test.yaml"] {
        let names = named(&fs::read_to_string(sources.join(file)).unwrap());
        assert!(names.len() >= 5, "{file} names {names:?}");
        let missing: Vec<_> = names.difference(&exported).collect();
        assert!(missing.is_empty(), "{file} names {missing:?}, which is not among {exported:?}");
    }
    let bare: BTreeSet<&str> = exported
        .iter()
        .filter(|name| named(name).contains(*name))
        .map(|name| PARTS.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name))
        .collect();
    let shown = named(&fs::read_to_string(sources.join("sampan.dashboard.json")).unwrap());
    let unseen: Vec<_> = bare.iter().filter(|name| !shown.iter().any(|shown| shown.starts_with(**name))).collect();
    assert!(unseen.is_empty(), "no panel shows {unseen:?}");

    let id = operation.name.trim_start_matches("operations/");
    assert!(!text.contains(id), "an operation is no label");
    assert!(text.contains(counted), "{text}");
    assert!(
        labels(&text).iter().any(|line| line.starts_with("sampan_queue_position_count{") && line.ends_with(" 1")),
        "{text}"
    );
    let attempts = labels(&text).into_iter().filter(|line| line.starts_with("sampan_cloud_attempts_total{"));
    assert!(attempts.clone().any(|line| line.contains("ExportImages") && line.contains(r#"class="ok""#)));
}
