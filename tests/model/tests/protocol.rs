//! The protocol keeps its promises in every state that two workers and three operations can reach.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use sampan_tests_model::{Protocol, State, find_stuck};
use stateright::{Checker as _, Model as _};

fn protocol(room: Option<u8>) -> Protocol {
    Protocol { workers: 2, operations: 3, limit: 2, room, repeats: 1, broken: Vec::new() }
}

fn check(protocol: Protocol) {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    println!("{} states, {} transitions", checker.unique_state_count(), checker.state_count());
    checker.assert_properties();
}

#[test]
fn nothing_is_called_twice_or_beyond_the_limit_in_any_reachable_state() {
    check(protocol(None));
}

#[test]
fn what_a_survey_saw_holds_until_the_call_in_any_reachable_state() {
    let checker = protocol(Some(1)).checker().threads(2).spawn_bfs().join();
    // There is never room for all, so that one claim about what is possible does not apply.
    for (name, path) in checker.discoveries() {
        let is_example = ["a repeated call", "an operation with an open", "a worker acts"];
        assert!(is_example.iter().any(|start| name.starts_with(start)), "{name}: {:?}", path.into_actions());
    }
}

#[test]
fn every_operation_can_still_end_in_any_reachable_state() {
    let stuck = find_stuck(&protocol(None), State::is_over);
    println!("{} states", stuck.reachable);
    assert!(stuck.reachable > 100_000, "the model does hardly anything");
    assert_eq!(stuck.example, None, "the end cannot be reached from here");
}
