//! Downloads bring the very bytes that were exported, go on where they broke off, and never pass a wrong byte on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use sampan_proto::operation::v1::OperationState;
use sampan_tests_e2e::{ALIBABA, Lane, TENCENT, World, binary, spec_of};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// A world with one finished export of a disk whose bytes the test knows.
struct Exported {
    world: World,
    operation: String,
    disk: Vec<u8>,
}

impl Exported {
    async fn of(lane: &Lane, disk: Vec<u8>) -> Self {
        let world = World::start().await;
        let file = world.folder().join("disk.raw");
        fs::write(&file, &disk).unwrap();
        let image = json!({
            "cloud": lane.cloud, "account": lane.number, "region": lane.region, "name": "known",
            "platform": "Ubuntu", "disks": [{ "role": "system", "file": file }],
        });
        let image = world.clouds.post("images", image).await;
        let mut spec = spec_of(lane, image["id"].as_str().unwrap());
        spec.prefix = Some("known".to_owned());
        let operation = world.api().start(spec).await.name;
        assert_eq!(world.api().ended(&operation).await.state(), OperationState::Succeeded);
        Self { world, operation, disk }
    }

    fn folder(&self) -> PathBuf {
        self.world.folder().join("out")
    }

    async fn download(&self, more: &[&str]) -> Output {
        let folder = self.folder();
        let mut arguments = vec!["download", &self.operation, "--to", folder.to_str().unwrap(), "--output", "json"];
        arguments.extend(more);
        self.world.server().command(self.world.folder(), &arguments).await
    }

    /// Downloads and returns the one file that is told.
    async fn file(&self, more: &[&str]) -> Value {
        let output = self.download(more).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        told[0].clone()
    }

    fn assert_is_the_disk(&self, file: &Value) {
        let bytes = fs::read(file["path"].as_str().unwrap()).unwrap();
        assert!(bytes == self.disk, "the file differs from the disk");
        assert_eq!(file["is_checked"], true);
        assert_eq!(left_overs(&self.folder()), Vec::<String>::new());
    }
}

/// Bytes that do not compress, with a hole in them.
fn disk(mib: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(mib * MIB);
    while bytes.len() < mib * MIB {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes[MIB..2 * MIB].fill(0);
    bytes
}

fn left_overs(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".part") || name.contains(".unpacking")).collect()
}

#[tokio::test]
async fn a_raw_disk_arrives_byte_for_byte_with_its_holes_left_out() {
    let exported = Exported::of(&TENCENT, disk(20)).await;
    let file = exported.file(&[]).await;
    exported.assert_is_the_disk(&file);
    assert_eq!(file["fetched_bytes"], 20 * MIB);
    let blocks = fs::metadata(file["path"].as_str().unwrap()).unwrap().blocks() * 512;
    assert!(blocks <= 19 * MIB as u64 + 64 * 1024, "the hole takes room: {blocks} bytes");
}

#[tokio::test]
async fn an_archive_is_unpacked_to_the_bytes_of_the_disk() {
    let exported = Exported::of(&ALIBABA, disk(20)).await;
    let file = exported.file(&["--unpack"]).await;
    assert!(file["path"].as_str().unwrap().ends_with("_system.raw"), "{file}");
    exported.assert_is_the_disk(&file);
}

#[tokio::test]
async fn without_unpacking_the_archive_itself_is_kept() {
    let exported = Exported::of(&ALIBABA, disk(4)).await;
    let file = exported.file(&[]).await;
    let path = file["path"].as_str().unwrap();
    assert!(path.ends_with("_system.raw.tar.gz"), "{file}");
    assert_eq!(fs::metadata(path).unwrap().len(), file["object_bytes"].as_u64().unwrap());
}

#[tokio::test]
async fn streams_that_are_cut_go_on_where_they_broke_off() {
    let exported = Exported::of(&TENCENT, disk(20)).await;
    let cut = json!({ "action": "GetObject", "kind": "reset", "times": 3 });
    exported.world.clouds.post("faults", cut).await;
    let file = exported.file(&[]).await;
    exported.assert_is_the_disk(&file);
    let cuts = exported.world.clouds.audit().await;
    assert!(cuts.of("GetObject").iter().any(|line| !line.is_accepted()), "no stream was cut");
}

#[tokio::test]
async fn a_killed_download_goes_on_with_what_is_there() {
    let exported = Exported::of(&TENCENT, disk(48)).await;
    let slow = json!({ "action": "GetObject", "kind": "slow", "times": 100, "delay_ms": 150 });
    exported.world.clouds.post("faults", slow).await;
    let folder = exported.folder();
    let mut child = std::process::Command::new(binary())
        .args(["download", &exported.operation, "--streams", "1", "--to", folder.to_str().unwrap()])
        .env("SAMPAN_ENDPOINT", exported.world.server().url())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let notes =
        || fs::read_dir(&folder).ok()?.flatten().find(|entry| entry.path().to_string_lossy().ends_with(".part.json"));
    while notes().is_none() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    exported
        .world
        .clouds
        .post("faults", json!({ "action": "GetObject", "kind": "slow", "times": 1, "delay_ms": 1 }))
        .await;
    let file = exported.file(&[]).await;
    exported.assert_is_the_disk(&file);
    let fetched = file["fetched_bytes"].as_u64().unwrap();
    assert!(fetched < 48 * MIB as u64, "everything was fetched again");
}

#[tokio::test]
async fn a_truncated_file_is_completed_and_a_flipped_byte_is_found() {
    let exported = Exported::of(&TENCENT, disk(20)).await;
    let path = exported.file(&[]).await["path"].as_str().unwrap().to_owned();
    let file = fs::File::options().write(true).open(&path).unwrap();

    file.set_len(17 * MIB as u64).unwrap();
    let again = exported.file(&[]).await;
    exported.assert_is_the_disk(&again);
    assert_eq!(again["fetched_bytes"], 4 * MIB, "only the last part was missing");

    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[exported.disk[9 * MIB] ^ 1], 9 * MIB as u64).unwrap();
    let again = exported.file(&[]).await;
    exported.assert_is_the_disk(&again);

    let again = exported.file(&[]).await;
    assert_eq!(again["fetched_bytes"], 0, "a good file is not fetched again");
    exported.assert_is_the_disk(&again);
}

#[tokio::test]
async fn an_object_that_changed_after_the_proof_is_refused() {
    let exported = Exported::of(&TENCENT, disk(4)).await;
    // The same image exported again overwrites the object under the same name.
    let operation = exported.world.api().get(&exported.operation).await;
    let mut spec = spec_of(&TENCENT, operation.image.unwrap().image_id);
    spec.prefix = Some("known".to_owned());
    let mut changed = exported.disk.clone();
    changed[0] ^= 1;
    fs::write(exported.world.folder().join("disk.raw"), changed).unwrap();
    let second = exported.world.api().start(spec).await.name;
    assert_eq!(exported.world.api().ended(&second).await.state(), OperationState::Succeeded);

    let output = exported.download(&[]).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("changed since the export was proven"), "{told}");
}

#[tokio::test]
async fn an_operation_without_artifacts_is_refused_with_its_reason() {
    let world = World::start().await;
    let missing = "operations/01a1febf-0808-74c0-88a0-68d18d3ff70b";
    let output = world.server().command(world.folder(), &["download", missing, "--output", "json"]).await;
    assert_eq!(output.status.code(), Some(3));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["error"]["reason"], "OPERATION_NOT_FOUND");

    let failed = world.api().start(spec_of(&TENCENT, "img-nothere1")).await.name;
    world.api().ended(&failed).await;
    let output = world.server().command(world.folder(), &["download", &failed, "--output", "json"]).await;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["error"]["reason"], "OPERATION_NOT_SUCCEEDED");
}
