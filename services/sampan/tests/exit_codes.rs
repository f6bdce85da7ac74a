//! The exit codes that the help promises, from the real binary; 6, which takes a deadline, is tested beside its rule.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use serde_json::json;
use support::{ALIBABA, REFUSED, Running, TENCENT, World, bounded, sampan, text};

#[test]
fn success_is_0_and_a_broken_rule_or_an_unknown_name_is_3() {
    let world = World::start();
    assert_eq!(world.code(&format!("preview export {TENCENT}")), 0);
    assert_eq!(world.code(&format!("export {TENCENT}")), 0);
    assert_eq!(world.code(&format!("preview export {REFUSED}")), 3);
    assert_eq!(world.code(&format!("export {REFUSED}")), 3);
    assert_eq!(world.code("operations get 01a1fec4-fc8c-76e4-b32b-71c935829db8"), 3);
}

#[test]
fn a_wrong_command_line_or_configuration_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wrong.toml");
    std::fs::write(&config, "[sever]\n").unwrap();
    let code = |arguments: &[&str]| bounded(sampan().args(arguments)).status.code();
    assert_eq!(code(&["export"]), Some(2));
    assert_eq!(code(&["serve", "--config", config.to_str().unwrap()]), Some(2));
    assert_eq!(code(&["serve", "--store", "floppy"]), Some(2));
    assert_eq!(code(&["demo", "--store", "floppy"]), Some(2));
    assert_eq!(code(&["demo", "--disk", "/nonexistent.raw"]), Some(2));
    for address in ["not an address", "localhost:7500", "ftp://localhost:7500"] {
        assert_eq!(code(&["quota", "--endpoint", address]), Some(2), "{address}");
    }
}

#[test]
fn a_spent_day_is_4() {
    let world = World::start();
    let spend = json!({ "cloud": "tencent", "account": "100000000001", "region": "ap-guangzhou", "n": 5 });
    world.control("/_sim/console", &spend);
    assert_eq!(world.code(&format!("export {TENCENT}")), 4, "the cloud says so");
    assert_eq!(world.code(&format!("export {TENCENT}")), 4, "and is believed until the reset");
    assert_eq!(world.code(&format!("preview export {TENCENT}")), 4);
}

#[test]
fn a_server_that_does_not_answer_is_5() {
    let output = bounded(sampan().args(["quota", "--endpoint", "http://127.0.0.1:1"]));
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).contains("sampan serve"), "it says what to do");
}

#[test]
fn an_export_that_fails_in_the_cloud_is_1() {
    let world = World::start();
    let fail = json!({ "cloud": "alibaba", "action": "ExportImage", "kind": "fail_task", "times": 1 });
    world.control("/_sim/faults", &fail);
    assert_eq!(world.code(&format!("export {ALIBABA}")), 1);
}

#[test]
fn a_cancelled_export_is_7_for_whoever_waits_for_it() {
    let world = World::start();
    let stall = json!({ "cloud": "alibaba", "action": "ExportImage", "kind": "stall_task", "times": 1 });
    world.control("/_sim/faults", &stall);
    let name = world.detach(ALIBABA);
    let mut waiting = Running::start(&mut world.command(&format!("operations watch {name}")));
    assert_eq!(world.code(&format!("operations cancel {name}")), 0);
    assert_eq!(waiting.code(), 7);
}

#[test]
fn ctrl_c_is_130_and_the_export_goes_on() {
    let world = World::start();
    let stall = json!({ "cloud": "alibaba", "action": "ExportImage", "kind": "stall_task", "times": 1 });
    world.control("/_sim/faults", &stall);
    let mut command = world.command(&format!("export {ALIBABA} --output json"));
    let mut waiting = Running::start(&mut command);
    // The export is there as soon as the list shows it, and only then there is something to interrupt.
    let name = loop {
        let list = text(&world.run("operations list --output json").stdout);
        if let Some(line) = list.lines().next() {
            let operation: serde_json::Value = serde_json::from_str(line).unwrap();
            break operation["name"].as_str().unwrap().to_owned();
        }
    };
    // Its watch has begun when the operation was seen to run.
    while world.json(&format!("operations get {name}"))[0]["step"] != "await_completion" {}
    waiting.interrupt();
    assert_eq!(waiting.code(), 130);
    let operation = &world.json(&format!("operations get {name}"))[0];
    assert_eq!(operation["state"], "OPERATION_STATE_RUNNING");
}

#[test]
fn an_output_that_nobody_reads_is_141_without_a_word() {
    let estimate = "estimate export --cloud tencent --site intl --region ap-guangzhou --disk-gib 50";
    let unanswered = "quota --endpoint http://127.0.0.1:1";
    for words in [estimate.to_owned(), format!("{estimate} --output json"), format!("{unanswered} --output json")] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = sampan().args(words.split_whitespace()).stdout(writer).output().unwrap();
        assert_eq!((ended.status.code(), text(&ended.stderr)), (Some(141), String::new()), "{words}");
    }
}
