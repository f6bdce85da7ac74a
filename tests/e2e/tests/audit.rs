//! Nothing changes at a cloud without a record, with the real binary and the simulated clouds.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use sampan_proto::operation::v1::OperationState;
use sampan_tests_e2e::{Server, ServerFolder, Setup, Simulator, TENCENT, prepare, request, spec_of};
use serde_json::Value;
use tonic::Code;

/// Simulated clouds and a server that records into a file.
struct Ground {
    clouds: Simulator,
    server: Server,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Ground {
    async fn with(lay_out: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clouds = Simulator::start(&folder.path().join("sampan.toml"), &folder.path().join("clouds")).await;
        let setup = Setup::default();
        clouds.pace(setup.export_takes).await;
        let files: ServerFolder = prepare(folder.path(), &setup);
        let file = folder.path().join("audit.jsonl");
        lay_out(&file);
        let text = fs::read_to_string(&files.config).unwrap();
        fs::write(&files.config, format!("{text}\n[audit]\nfile = {:?}\n", file.to_str().unwrap())).unwrap();
        let server = Server::start(&files).await;
        Self { clouds, server, file, _folder: folder }
    }

    fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn of<'a>(records: &'a [Value], phase: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["phase"] == phase).collect()
}

#[tokio::test]
async fn every_call_that_changes_something_has_its_pair_of_records_that_names_the_operation() {
    let ground = Ground::with(|_| {}).await;
    let api = ground.server.api();
    let operation = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    let operation = api.ended(&operation.name).await;
    assert_eq!(operation.state(), OperationState::Succeeded);
    api.refused(request(spec_of(&TENCENT, "no image"))).await;
    let audit = ground.clouds.audit().await;
    let changed: Vec<_> = audit.mutating().iter().map(|line| line.action.clone()).collect();
    ground.server.signal("TERM");
    let records = loop {
        let records = ground.records();
        if of(&records, "outcome").len() == changed.len() {
            break records;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let called: Vec<_> = of(&records, "call").iter().map(|record| record["action"].as_str().unwrap()).collect();
    assert_eq!(called, changed);
    for (call, outcome) in of(&records, "call").into_iter().zip(of(&records, "outcome")) {
        assert_eq!((&call["id"], &call["operation"]), (&outcome["id"], &Value::from(operation.name.clone())));
        assert_eq!((&call["kind"], &call["step"], &call["units"]), (&"export".into(), &"submit".into(), &1.into()));
        assert_eq!(outcome["outcome"], "ok");
        assert!(outcome["vendor_request_id"].as_str().is_some_and(|id| !id.is_empty()), "{outcome}");
    }
    let refused = of(&records, "refused");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["code"], "INVALID_ARGUMENT");
    let text = fs::read_to_string(&ground.file).unwrap();
    for secret in ground.clouds.secrets() {
        assert!(!text.contains(&secret), "{text}");
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_changes_at_the_clouds_until_there_is_room_and_looks_go_on() {
    let ground = Ground::with(|file| std::os::unix::fs::symlink("/dev/full", file).unwrap()).await;
    let api = ground.server.api();
    // The first one is begun, because nothing has failed yet; it tells why it does not move.
    let started = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    let told = |operation: &sampan_proto::operation::v1::Operation| {
        operation.warnings.iter().any(|warning| warning.code == "AUDIT_UNAVAILABLE")
    };
    api.until(&started.name, told).await;
    let refused = api.refused(request(spec_of(&TENCENT, TENCENT.image("ubuntu")))).await;
    assert_eq!((refused.code, refused.reason()), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    assert!(api.preview(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await.image.is_some());
    assert!(ground.clouds.audit().await.mutating().is_empty(), "nothing unaudited reached a cloud");

    fs::remove_file(&ground.file).unwrap();
    let ended = api.ended(&started.name).await;
    assert_eq!(ended.state(), OperationState::Succeeded);
    assert_eq!(ground.clouds.audit().await.mutating().len(), 1);
    let records = ground.records();
    assert_eq!(of(&records, "call").len(), 1);
}
