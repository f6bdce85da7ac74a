//! What the commands print: JSON for programs, plain text in a pipe.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use support::{ALIBABA, REFUSED, TENCENT, World, bounded, sampan, text};

#[test]
fn every_command_prints_one_json_document_a_line() {
    let world = World::start();
    let preview = world.json(&format!("preview export {TENCENT}"));
    assert_eq!(preview[0]["startable"], true);
    assert!(world.json(&format!("preview export {REFUSED}"))[0]["violations"].is_array());
    let exported = world.json(&format!("export {ALIBABA}"));
    assert_eq!(exported[0]["state"], "OPERATION_STATE_SUCCEEDED");
    let name = exported[0]["name"].as_str().unwrap();
    let started = world.json(&format!("export {TENCENT} --detach"));
    let second = started[0]["name"].as_str().unwrap();
    assert_eq!(world.json(&format!("operations watch {second}"))[0]["done"], true);
    assert_eq!(world.json("operations list").len(), 2);
    assert_eq!(world.json(&format!("operations get {name}"))[0]["name"], name);
    assert_eq!(world.json(&format!("operations cancel {name}"))[0]["error"]["reason"], "OPERATION_FINISHED");
    assert_eq!(world.json("quota --cloud tencent --region ap-guangzhou")[0]["remaining"], 4);
    let downloaded = world.json(&format!("download {name} --to disks"));
    assert_eq!(downloaded.len(), 1, "one document");
    assert_eq!(world.json("operations get nonsense").len(), 1);
    let nobody = bounded(sampan().args(["quota", "--output", "json", "--endpoint", "http://127.0.0.1:1"]));
    let error: serde_json::Value = serde_json::from_slice(&nobody.stdout).expect("an error is JSON too");
    assert!(error["error"]["remedy"].is_string());
}

#[test]
fn a_pipe_gets_no_colours_no_bars_and_whole_names() {
    let world = World::start();
    let exported = world.run(&format!("export {ALIBABA}"));
    let name = text(&exported.stdout).split_whitespace().next().unwrap().to_owned();
    assert!(name.starts_with("operations/"), "{name}");
    let mut printed = vec![exported];
    for words in [&format!("preview export {REFUSED}"), "operations list", &format!("operations get {name}"), "quota"] {
        printed.push(world.run(words));
    }
    for output in &printed {
        for stream in [&output.stdout, &output.stderr] {
            assert!(!text(stream).contains(['\u{1b}', '\r']), "{}", text(stream));
        }
    }
    let list = text(&printed[2].stdout);
    assert!(list.contains(name.trim_start_matches("operations/")), "{list}");
}

#[test]
fn a_refusal_names_its_reason_and_what_to_do() {
    let world = World::start();
    let refused = text(&world.run(&format!("export {REFUSED}")).stdout);
    assert!(refused.contains("[IMAGE_WINDOWS]") && refused.contains("to do:"), "{refused}");
    let malformed = text(&world.run(&format!("export {TENCENT} --prefix a/b")).stderr);
    assert!(malformed.contains("[PREFIX_MALFORMED]") && malformed.contains("what to do:"), "{malformed}");
}

#[test]
fn the_help_names_every_exit_code_and_every_command_has_an_example() {
    let help = |arguments: &[&str]| text(&bounded(sampan().args(arguments).arg("--help")).stdout);
    let top = help(&[]);
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "130"] {
        assert!(top.lines().any(|line| line.starts_with(&format!("  {code} "))), "{code}");
    }
    let commands: [&[&str]; 8] = [
        &["serve"],
        &["demo"],
        &["simulate"],
        &["preview", "export"],
        &["export"],
        &["operations"],
        &["quota"],
        &["download"],
    ];
    for command in commands {
        assert!(help(command).contains("Examples:"), "{command:?}");
    }
}
