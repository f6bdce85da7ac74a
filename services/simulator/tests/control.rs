//! The control API over HTTP, and how the simulator starts and stops.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod wire;

use std::sync::Arc;

use reqwest::StatusCode;
use sampan_core::clock::OffsetClock;
use sampan_simulator::world::{Call, Outcome};
use sampan_simulator::{Options, StartError, start};
use serde_json::{Value, json};
use wire::wire;

#[tokio::test]
async fn five_consecutive_ports_are_served_and_freed() {
    let wire = wire().await;
    let line = wire.running.ready_line();
    let first = line["port"].as_u64().unwrap();
    for (offset, name) in (0..).zip(["control", "cvm", "cos", "ecs", "oss"]) {
        assert_eq!(line["addresses"][name], format!("http://127.0.0.1:{}", first + offset));
    }
    assert_eq!(line["accounts"].as_array().unwrap().len(), 4);
    assert_eq!(wire.get("health").await["status"], "ok");
    let port = u16::try_from(first).unwrap();
    let taken = start(Options { port, ..Options::new(sampan_core::clock::system()) }).await;
    assert!(matches!(taken, Err(StartError::Ports { .. })));
    // The client keeps a connection open: the stop must not wait for it.
    let stopping = tokio::time::timeout(std::time::Duration::from_millis(1_900), wire.running.shutdown());
    assert!(stopping.await.is_ok(), "the stop waited for an idle connection");
    let again = start(Options { port, ..Options::new(sampan_core::clock::system()) }).await.unwrap();
    again.shutdown().await;
}

#[tokio::test]
async fn accounts_images_and_buckets_are_added_and_shown() {
    let wire = wire().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("disk.raw");
    std::fs::write(&file, b"a disk of nineteen.").unwrap();
    let account = json!({"cloud": "tencent", "account": "200000000009", "app_id": "1300000009",
        "secret_id": "AKIDx", "secret_key": "y", "limits": {"daily_operations": null, "running_exports": 2}});
    let (status, added) = wire.post("accounts", account.clone()).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(added["limits"]["daily_operations"], Value::Null);
    assert_eq!(added["limits"]["data_disks"], 5);
    assert_eq!(wire.post("accounts", account).await.0, StatusCode::CONFLICT);
    let image = json!({"cloud": "tencent", "account": "200000000009", "region": "ap-beijing", "name": "mine",
        "platform": "CentOS", "origin": "custom", "encrypted": false, "disks": [
            {"role": "data", "size_gib": 7},
            {"role": "system", "device": "xvda", "size_gib": 20, "file": file}]});
    let (status, added) = wire.post("images", image).await;
    assert_eq!(status, StatusCode::CREATED, "{added}");
    assert_eq!(added["disks"][0]["device"], "/dev/xvda");
    assert_eq!(added["disks"][1]["device"], "/dev/xvdb");
    assert!(added["id"].as_str().unwrap().starts_with("img-"));
    let images = wire.get("images").await;
    assert!(images["images"].as_array().unwrap().iter().any(|image| image["id"] == added["id"]));
    let bucket = json!({"cloud": "tencent", "account": "200000000009", "region": "ap-beijing",
        "name": "mine-1300000009"});
    assert_eq!(wire.post("buckets", bucket.clone()).await.0, StatusCode::CREATED);
    assert_eq!(wire.post("buckets", bucket).await.0, StatusCode::CONFLICT);
    assert_eq!(wire.get("shares").await, json!({"shares": []}));
    assert_eq!(wire.get("objects").await, json!({"objects": []}));
    wire.post("reset", json!({})).await;
    assert_eq!(wire.get("accounts").await["accounts"].as_array().unwrap().len(), 4);
    wire.running.shutdown().await;
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_a_sentence_that_names_the_fault() {
    let wire = wire().await;
    let image = |change: Value| {
        let mut image = json!({"cloud": "alibaba", "account": "1000000000000001", "region": "cn-hangzhou",
            "name": "x", "disks": [{"role": "system", "size_gib": 20}]});
        for (field, value) in change.as_object().unwrap() {
            image[field] = value.clone();
        }
        ("images", image)
    };
    let bucket = |name: &str| {
        ("buckets", json!({"cloud": "tencent", "account": "100000000001", "region": "ap-beijing", "name": name}))
    };
    for ((path, body), word) in [
        (image(json!({"colour": "red"})), "colour"),
        (image(json!({"origin": "stolen"})), "stolen"),
        (image(json!({"cloud": "aws"})), "aws"),
        (image(json!({"account": "7"})), "no account 7"),
        (image(json!({"region": "ap-guangzhou"})), "no region ap-guangzhou"),
        (image(json!({"name": ""})), "name"),
        (image(json!({"disks": []})), "disks"),
        (image(json!({"disks": [{"role": "system"}]})), "size_gib"),
        (image(json!({"disks": [{"role": "system", "size_gib": -1}]})), "-1"),
        (image(json!({"disks": [{"role": "system", "size_gib": 0}]})), "size_gib"),
        (image(json!({"disks": [{"role": "system", "size_gib": 9, "device": "sda"}]})), "device"),
        (image(json!({"disks": [{"role": "system", "file": "/nowhere/disk.raw"}]})), "/nowhere/disk.raw"),
        (bucket("no-app-id"), "-1250000000"),
        (bucket("Bad_Name-1250000000"), "lower-case"),
        (("accounts", json!({"cloud": "tencent", "account": "1", "secret_id": "a", "secret_key": "b"})), "app_id"),
        (("faults", json!({"action": "FlyAway", "kind": "throttle"})), "FlyAway"),
        (("faults", json!({"cloud": "tencent", "action": "CancelTask", "kind": "throttle"})), "CancelTask"),
        (("faults", json!({"action": "HeadObject", "kind": "melt"})), "melt"),
        (("faults", json!({"action": "HeadObject", "kind": "fail_task"})), "no task"),
        (("faults", json!({"action": "HeadObject", "kind": "slow", "times": 0})), "times"),
        (("faults", json!({"action": "DeleteImages", "kind": "fail_task"})), "no task"),
        (("faults", json!({"action": "SyncImages", "kind": "fail_task", "region": "moon"})), "moon"),
        (("faults", json!({"cloud": "alibaba", "action": "SyncImages", "kind": "fail_task"})), "SyncImages"),
        (
            ("images/change", json!({"cloud": "tencent", "region": "ap-guangzhou", "id": "img-nobody01"})),
            "img-nobody01",
        ),
        (
            (
                "images/change",
                json!({"cloud": "tencent", "region": "ap-guangzhou", "id": "img-ubuntu01", "state": "waiting"}),
            ),
            "waiting",
        ),
        (
            (
                "images/change",
                json!({"cloud": "tencent", "region": "ap-guangzhou", "id": "img-ubuntu01", "removed": true,
            "in_use": true}),
            ),
            "removed",
        ),
        (
            ("shares", json!({"cloud": "tencent", "region": "ap-guangzhou", "image": "img-nobody01", "receiver": "1"})),
            "img-nobody01",
        ),
        (("clock", json!({})), "speed"),
        (("clock", json!({"speed": 0})), "speed"),
        (("clock", json!({"jump_seconds": -5})), "jump_seconds"),
        (("limits", json!({"cloud": "tencent", "account": "1", "limits": {}})), "no account 1"),
        (("limits", json!({"cloud": "tencent", "account": "100000000001", "limits": {"x": 1}})), "x"),
        (("pace", json!({"floor": 1})), "floor"),
        (("console", json!({"cloud": "tencent", "account": "100000000001", "region": "moon", "n": 1})), "moon"),
    ] {
        let (status, answer) = wire.post(path, body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(word), "{path} {body}: {message}");
    }
    let url = wire.running.addresses().control;
    let missing = wire.client.get(format!("{url}/_sim/nothing")).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let wrong = wire.client.get(format!("{url}/_sim/reset")).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.text().await.unwrap().contains("error"));
    wire.running.shutdown().await;
}

#[tokio::test]
async fn an_image_is_changed_shared_and_removed_by_hand() {
    let wire = wire().await;
    let place = json!({"cloud": "tencent", "region": "ap-guangzhou", "id": "img-ubuntu01"});
    let change = |more: Value| {
        let mut body = place.clone();
        for (field, value) in more.as_object().unwrap() {
            body[field] = value.clone();
        }
        body
    };
    let (status, changed) = wire.post("images/change", change(json!({"state": "copying", "in_use": true}))).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!((&changed["state"], &changed["in_use"]), (&json!("copying"), &json!(true)));
    let share = json!({"cloud": "tencent", "region": "ap-guangzhou", "image": "img-ubuntu01", "receiver": "7"});
    let (_, shares) = wire.post("shares", share).await;
    assert_eq!(shares["shares"][0]["receiver"], "7");
    let snapshots = wire.get("snapshots").await["snapshots"].as_array().unwrap().len();
    let (_, removed) = wire.post("images/change", change(json!({"removed": true}))).await;
    assert_eq!(removed["removed"], "img-ubuntu01");
    let images = wire.get("images").await;
    assert!(!images["images"].as_array().unwrap().iter().any(|image| image["id"] == "img-ubuntu01"));
    assert_eq!(wire.get("shares").await, json!({"shares": []}));
    assert_eq!(wire.get("snapshots").await["snapshots"].as_array().unwrap().len(), snapshots);
    assert!(wire.audit("").await.is_empty(), "nothing of it is a call");
    wire.running.shutdown().await;
}

#[tokio::test]
async fn limits_and_keys_of_copies_and_shares_are_set_for_an_account() {
    let wire = wire().await;
    let account = json!({"cloud": "tencent", "account": "200000000009", "app_id": "1300000009", "secret_id": "AKIDx",
        "secret_key": "y", "kms_keys": [{"id": "k-1"}, {"id": "k-2", "enabled": false}],
        "sub_accounts": ["300000000001"], "limits": {"copy_regions": null, "share_accounts": 500}});
    let (status, added) = wire.post("accounts", account).await;
    assert_eq!(status, StatusCode::CREATED, "{added}");
    assert_eq!(added["kms_keys"], json!([{"id": "k-1", "enabled": true}, {"id": "k-2", "enabled": false}]));
    assert_eq!((&added["limits"]["copy_regions"], &added["limits"]["share_accounts"]), (&Value::Null, &json!(500)));
    let change = json!({"copy_regions": ["ap-beijing"], "copy_image_gib": 100, "cancel_copies": true});
    let body = json!({"cloud": "tencent", "account": "200000000009", "limits": change});
    let (_, limits) = wire.post("limits", body).await;
    assert_eq!((&limits["copy_regions"], &limits["copy_image_gib"]), (&json!(["ap-beijing"]), &json!(100)));
    assert_eq!(limits["share_accounts"], 500);
    wire.running.shutdown().await;
}

#[tokio::test]
async fn the_console_spends_the_day_and_the_clock_begins_the_next() {
    let wire = wire().await;
    let lane = "quota?cloud=tencent&account=100000000001&region=ap-guangzhou";
    let spend = json!({"cloud": "tencent", "account": "100000000001", "region": "ap-guangzhou", "n": 3});
    let (_, answer) = wire.post("console", spend).await;
    assert_eq!(answer["used"], 3);
    assert_eq!(wire.get(lane).await, json!({"used": 3, "limit": 5}));
    let (_, clock) = wire.post("clock", json!({"next_quota_day": true, "speed": 2})).await;
    assert_ne!(clock["quota_day"], answer["quota_day"]);
    assert_eq!(clock["speed"], 2.0);
    assert_eq!(wire.get(lane).await, json!({"used": 0, "limit": 5}));
    wire.running.shutdown().await;
}

#[tokio::test]
async fn the_audit_is_one_json_line_a_call() {
    let wire = wire().await;
    let mut call = Call::new(sampan_core::Cloud::Tencent, "ExportImages", "request-1");
    call.mutating = true;
    call.account = "100000000001".to_owned();
    call.region = "ap-guangzhou".to_owned();
    wire.running.world().record(call.clone(), &Outcome::Lost);
    wire.running.world().record(call, &Outcome::Code("LimitExceeded".to_owned()));
    let lines = wire.audit("").await;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["seq"], 1);
    for (field, value) in [
        ("cloud", json!("tencent")),
        ("account", json!("100000000001")),
        ("region", json!("ap-guangzhou")),
        ("action", json!("ExportImages")),
        ("mutating", json!(true)),
        ("outcome", json!("lost")),
        ("request_id", json!("request-1")),
    ] {
        assert_eq!(lines[0][field], value);
    }
    assert_eq!(lines[1]["outcome"], "LimitExceeded");
    assert_eq!(wire.audit("?after=1").await.len(), 1);
    wire.running.shutdown().await;
}

#[tokio::test]
async fn the_base_clock_moves_both_clocks_and_a_jump_only_the_clouds() {
    let clock = Arc::new(OffsetClock::new(sampan_core::clock::system()));
    let running = start(Options::new(Arc::clone(&clock) as _)).await.unwrap();
    let world = running.world();
    let before = (world.world_now(), world.auth_now());
    clock.shift(jiff::SignedDuration::from_hours(1));
    world.jump(std::time::Duration::from_secs(86_400));
    let hours = |later: jiff::Timestamp, earlier| later.duration_since(earlier).as_hours();
    assert_eq!((hours(world.world_now(), before.0), hours(world.auth_now(), before.1)), (25, 1));
    running.shutdown().await;
}
