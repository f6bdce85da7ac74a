//! A protocol that breaks one of its rules is found out: every rule is needed, and the checks can fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use sampan_tests_model::{Mutation, ONCE, Protocol, QUOTA, ROOM, State, UNITS, find_stuck};
use stateright::{Checker as _, HasDiscoveries, Model as _};

fn broken(mutation: Mutation) -> Protocol {
    Protocol { workers: 2, operations: 3, limit: 2, room: None, repeats: 1, broken: vec![mutation] }
}

/// Looks until `rule` is seen to be broken.
fn breaks(protocol: Protocol, rule: &'static str) {
    let wanted = HasDiscoveries::AnyOf([rule].into());
    let checker = protocol.checker().threads(2).finish_when(wanted).spawn_bfs().join();
    let path = checker.discovery(rule).unwrap_or_else(|| panic!("not found out: {rule}"));
    println!("{rule}: {:?}", path.into_actions());
}

/// Looks for a state from which the end cannot be reached.
fn gets_stuck(protocol: Protocol) {
    let stuck = find_stuck(&protocol, State::is_over);
    println!("{} states, stuck in {:?}", stuck.reachable, stuck.example);
    assert!(stuck.example.is_some(), "not found out");
}

#[test]
fn a_unit_given_back_before_the_outcome_is_known_exceeds_the_limit() {
    breaks(broken(Mutation::ReleaseUnknown), QUOTA);
}

#[test]
fn a_unit_used_only_after_the_call_exceeds_the_limit() {
    breaks(broken(Mutation::CommitAfterCall), QUOTA);
}

#[test]
fn a_call_before_its_intent_is_made_twice() {
    breaks(broken(Mutation::CallBeforeIntent), ONCE);
}

#[test]
fn writes_that_check_no_fence_submit_twice() {
    breaks(broken(Mutation::NoFenceCheck), ONCE);
}

#[test]
fn a_call_repeated_without_a_look_is_made_twice() {
    breaks(broken(Mutation::NoLook), ONCE);
}

#[test]
fn a_single_look_while_the_call_is_under_way_submits_twice() {
    // The lane of a silent holder keeps others from looking too early; looks that take their time do so again.
    let early = [Mutation::ShortLaneLease, Mutation::LookOnce];
    breaks(Protocol { broken: early.into(), ..broken(Mutation::LookOnce) }, ONCE);
}

#[test]
fn looks_that_take_their_time_submit_once_even_where_the_lane_is_given_away_early() {
    let checker = broken(Mutation::ShortLaneLease).checker().threads(2).spawn_bfs().join();
    assert_eq!(checker.discovery(ONCE).map(stateright::Path::into_actions), None);
}

#[test]
fn an_intent_forgotten_with_the_answer_submits_twice() {
    breaks(broken(Mutation::ForgetIntent), ONCE);
}

#[test]
fn a_call_made_after_the_lease_has_run_out_submits_twice() {
    breaks(broken(Mutation::CallLate), ONCE);
}

#[test]
fn without_the_lane_lock_two_surveys_see_the_same_room() {
    breaks(Protocol { room: Some(1), ..broken(Mutation::NoLaneLock) }, ROOM);
}

#[test]
fn a_lane_freed_by_somebody_else_lets_two_surveys_see_the_same_room() {
    breaks(Protocol { room: Some(1), ..broken(Mutation::UnlockAnybody) }, ROOM);
}

#[test]
fn a_lane_given_away_while_a_call_is_under_way_lets_two_surveys_see_the_same_room() {
    breaks(Protocol { room: Some(1), ..broken(Mutation::ShortLaneLease) }, ROOM);
}

#[test]
fn a_call_at_midnight_counts_on_a_day_that_did_not_pay_for_it() {
    breaks(broken(Mutation::CallAtMidnight), QUOTA);
}

#[test]
fn a_unit_of_yesterday_exceeds_the_limit_of_today() {
    breaks(broken(Mutation::UnitOfYesterday), QUOTA);
}

#[test]
fn a_start_that_reserves_again_when_it_is_repeated_loses_units() {
    breaks(broken(Mutation::AdmitTwice), UNITS);
}

#[test]
fn a_lane_that_counts_no_limit_exceeds_it() {
    breaks(broken(Mutation::NoLimit), QUOTA);
}

#[test]
fn work_leases_that_never_run_out_leave_operations_behind() {
    gets_stuck(Protocol { operations: 2, ..broken(Mutation::EternalWorkLease) });
}

#[test]
fn a_lane_lease_that_never_runs_out_leaves_operations_behind() {
    gets_stuck(Protocol { operations: 2, ..broken(Mutation::EternalLaneLease) });
}

#[test]
fn waiters_that_nobody_wakes_are_left_behind() {
    gets_stuck(broken(Mutation::NobodyWakes));
}
