//! The demo, once: every check passes, and the commands that it prints work.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::process::Command;

use support::{Running, bounded, sampan, text};

#[test]
fn the_demo_passes_its_checks_and_what_it_prints_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Running::start(sampan().args(["demo", "--keep"]).env("TMPDIR", folder.path()));
    let mut printed = Vec::new();
    while !printed.last().is_some_and(|line: &String| line.starts_with("demo: ")) {
        printed.push(demo.line());
    }
    let last = printed.last().unwrap();
    let passed = printed.iter().filter(|line| line.starts_with("  ✓ ")).count();
    assert!(passed > 55, "{printed:#?}");
    assert_eq!(*last, format!("demo: {passed} checks passed, 0 failed"), "{printed:#?}");
    assert!(!printed.iter().any(|line| line.contains('\u{1b}')), "no colours in a pipe");

    let setup = printed.iter().find(|line| line.starts_with("  export SAMPAN_ENDPOINT=")).expect("the first line");
    let commands: Vec<&String> =
        printed.iter().filter(|line| line.starts_with("  sampan ") || line.starts_with("  curl ")).collect();
    assert!(commands.len() >= 5, "{commands:?}");
    // Not every machine has curl.
    for command in commands.into_iter().filter(|line| !line.starts_with("  curl ")) {
        let pasted = bounded(Command::new("sh").arg("-c").arg(format!("{setup}\n{command}")));
        assert!(pasted.status.success(), "{command}: {}{}", text(&pasted.stdout), text(&pasted.stderr));
    }

    demo.interrupt();
    assert_eq!(demo.code(), 0);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "nothing is left behind: {left:?}");
}
