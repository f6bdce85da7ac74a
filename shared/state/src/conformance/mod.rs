//! The suite that every backend must pass: one fact per case, over a [`Harness`].
//!
//! A backend implements [`Harness`] in its tests and writes `sampan_state::conformance_suite!(factory)`, where
//! `factory` is an async function that returns a fresh, empty harness; each case becomes one test. A runner of
//! its own walks over [`CASES`] instead.
//!
//! Cases use lanes and quota days of their own making and never the machine's clock, so they run on a store that
//! has its own time, as long as [`Harness::advance`] can move it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a suite of tests")]

mod admission;
mod cancel;
mod claims;
mod commits;
mod fixture;
mod lanes;
mod ledger;
mod line;
mod queue;
mod reading;
mod restart;
mod watching;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;

#[cfg(test)]
pub(crate) use self::fixture::record;
use crate::SharedStore;

/// One store under test, and what a test may do to it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Returns whether there is a store at all; without one the cases look at nothing, so say aloud what is missing.
    fn is_available(&self) -> bool {
        true
    }

    /// Returns the store, empty at the beginning of a case.
    fn store(&self) -> SharedStore;

    /// Moves the store's time forward.
    async fn advance(&self, by: Duration);

    /// Closes the store and opens it again; [`store`](Self::store) returns the new one from then on.
    ///
    /// The case holds no other handle of the store when it calls this.
    async fn restart(&self);
}

/// A running case.
pub type Run<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One fact that every backend keeps.
#[derive(Clone, Copy)]
pub struct Case {
    /// The fact.
    pub name: &'static str,
    /// Panics when the fact does not hold.
    pub run: for<'a> fn(&'a dyn Harness) -> Run<'a>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Runs the case of that name.
///
/// # Panics
/// When there is none, or when its fact does not hold.
pub async fn run(name: &str, harness: &dyn Harness) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case of the suite");
    if harness.is_available() {
        (case.run)(harness).await;
    }
}

/// Makes the list of cases, and the macro that turns the same list into tests.
macro_rules! cases {
    ($dollar:tt $($module:ident { $($name:ident),+ $(,)? })+) => {
        /// Every case.
        pub const CASES: &[Case] = &[$($(
            Case { name: stringify!($name), run: |harness| Box::pin($module::$name(harness)) },
        )+)+];

        /// Makes one test of each case; the argument is an async function that returns a fresh [`Harness`].
        ///
        /// [`Harness`]: sampan_state::conformance::Harness
        #[macro_export]
        macro_rules! conformance_suite {
            ($dollar($factory:tt)+) => {$($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let harness = $dollar($factory)+().await;
                    $crate::conformance::run(stringify!($name), &harness).await;
                }
            )+)+};
        }
    };
}

cases! { $
    admission {
        a_start_is_kept_as_given_with_the_stores_own_fields,
        a_repeat_of_an_admission_counts_nothing_twice,
        an_equal_request_with_a_known_request_id_returns_the_first_operation,
        another_request_with_a_known_request_id_is_refused_and_named,
        the_same_request_id_of_another_caller_is_another_request,
        a_request_id_is_known_after_its_operation_has_ended,
        a_refused_start_keeps_nothing_and_its_request_id_stays_free,
        the_sixth_start_of_the_day_is_refused_until_the_reset,
        a_start_that_needs_more_than_a_whole_day_is_refused,
        a_start_without_quota_runs_at_once,
        a_later_first_step_is_due_later,
        callers_at_once_admit_exactly_the_limit_of_each_lane,
        a_request_that_arrives_many_times_at_once_starts_one_operation,
    }
    ledger {
        units_are_reserved_then_committed,
        a_committed_unit_stays_counted_however_often_it_is_committed,
        released_units_can_be_used_again,
        units_without_a_holder_are_released_without_harm,
        a_reservation_lapses_when_its_day_ends,
        a_commitment_counts_on_the_day_that_it_was_made,
        a_new_day_is_empty,
        a_lane_marked_spent_refuses_until_the_reset,
        a_lane_marked_spent_lapses_what_is_not_committed,
        lanes_count_apart,
        an_unlimited_lane_refuses_nothing,
        an_ended_operation_gets_no_turn,
        a_spending_counts_once_for_its_key_and_day,
        a_spending_beyond_the_day_is_refused_and_counts_nothing,
        a_spending_overtakes_nobody_and_moves_nobody_who_fits,
        a_spending_is_forgotten_with_its_day,
    }
    queue {
        waiters_stand_in_order_of_admission,
        earliest_starts_spread_over_days,
        a_big_waiter_is_not_overtaken_by_a_small_one,
        a_new_start_does_not_overtake_the_waiting_list,
        a_waiter_gets_its_turn_after_the_reset,
        a_waiter_beyond_the_days_units_waits_on_after_the_reset,
        a_release_makes_the_next_waiter_due_at_once,
        a_lapsed_reservation_comes_before_those_admitted_later,
        taking_a_turn_twice_counts_once,
        a_picture_shows_the_waiting_list,
        a_waiter_that_was_woken_while_claimed_is_due_when_it_is_given_back,
    }
    cancel {
        a_waiting_operation_is_cancelled_at_once_and_spends_nothing,
        a_cancelled_waiter_moves_the_others_up,
        a_running_operation_keeps_the_cancel_and_is_due_at_once,
        a_cancel_survives_a_concurrent_commit,
        a_cancel_while_a_worker_is_busy_makes_it_due_when_given_back,
        a_second_cancel_only_turns_the_removal_on,
        an_ended_operation_cannot_be_cancelled,
        an_unknown_operation_cannot_be_cancelled,
    }
    lanes {
        a_lane_is_held_by_one_owner,
        the_owner_is_granted_its_lane_again_with_a_higher_fence,
        an_expired_lane_is_granted_to_another_with_a_higher_fence,
        a_renewed_lane_keeps_its_fence_and_lives_longer,
        a_lane_that_ran_out_cannot_be_renewed,
        a_lane_that_was_granted_anew_cannot_be_renewed_by_the_old_lease,
        only_the_owner_gives_a_lane_back,
        a_lane_given_back_is_free_and_its_fence_grows_on,
        one_of_many_gets_the_lane,
    }
    line {
        who_stands_in_line_is_due_once_the_lane_is_given_back,
        the_lane_goes_from_one_to_the_next_who_waits_longest,
        an_open_call_stands_before_all_without_one,
        who_was_not_fast_enough_keeps_its_place,
        a_lane_that_was_freed_meanwhile_is_not_waited_for,
        who_needs_the_lane_no_more_passes_the_word_on,
        who_left_the_line_is_not_called,
        a_lane_that_nobody_gives_back_is_asked_for_one_after_the_other,
        nobody_stands_in_line_longer_than_it_said,
        a_wake_up_while_somebody_asks_is_not_lost,
    }
    claims {
        nothing_is_claimed_before_it_is_due,
        the_longest_due_is_claimed_first,
        only_the_wanted_kinds_are_claimed,
        a_claimed_operation_is_not_claimed_again,
        each_due_operation_goes_to_one_of_many_claimers,
        an_expired_lease_is_claimed_with_a_higher_fence_and_the_old_commit_is_refused,
        a_renewed_lease_lives_longer,
        a_lease_that_ran_out_cannot_be_renewed,
    }
    commits {
        a_commit_counts_a_revision_and_keeps_what_identifies_the_operation,
        a_kept_lease_lives_on_and_a_given_one_is_gone,
        an_operation_given_back_is_due_when_the_worker_said,
        an_ended_operation_is_never_claimed_again,
        an_end_gives_a_reservation_back_and_keeps_a_commitment_counted,
        a_commit_with_a_stale_lane_lease_changes_nothing,
        a_commit_with_a_live_lane_lease_commits_the_unit,
        a_commit_of_a_lapsed_reservation_changes_nothing,
        a_commit_can_release_the_unit,
        a_day_spent_elsewhere_requeues_by_age,
        an_end_without_a_final_state_is_refused,
        an_ended_operation_can_be_reopened_once,
        a_reopened_operation_needs_a_new_unit,
    }
    reading {
        an_unknown_operation_is_not_found,
        a_list_is_newest_first_and_pages_without_gap_or_repeat,
        a_list_keeps_to_its_filters,
        a_list_shows_places_in_the_waiting_list,
    }
    watching {
        a_change_wakes_its_watcher,
        a_watcher_that_is_late_gets_the_newest_revision_at_once,
        a_slow_watcher_never_misses_the_final_state,
        an_ended_operation_is_returned_whatever_revision_is_known,
        an_unknown_operation_cannot_be_watched,
        something_due_ends_the_wait_at_once,
        a_new_start_ends_the_wait_for_work,
        a_jump_of_the_clock_ends_the_wait_for_work,
        a_wait_for_work_ends_when_its_time_is_up,
    }
    restart {
        a_restart_loses_nothing,
        fences_never_decrease_over_a_restart,
        quota_and_waiting_list_survive_a_restart,
        a_request_id_is_known_after_a_restart,
    }
}
