//! Works out what a change does to a list of shares, and with which calls. Pure.

use std::collections::BTreeSet;

use sampan_cloud::share::{ShareCall, ShareTraits};

use crate::spec::Change;

/// What a change does with each account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Accounts to add, in the order of the request.
    pub add: Vec<String>,
    /// Accounts to remove: in the order of the request, or ascending where the request does not name them.
    pub remove: Vec<String>,
    /// Accounts that are as wanted already, in the order of the request.
    pub keep: Vec<String>,
}

impl Difference {
    /// Compares what is wanted with the list as it is.
    pub fn of(change: Change, accounts: &[String], live: &BTreeSet<String>) -> Self {
        let (there, absent): (Vec<_>, Vec<_>) = accounts.iter().cloned().partition(|account| live.contains(account));
        match change {
            Change::Add => Self { add: absent, remove: Vec::new(), keep: there },
            Change::Remove => Self { add: Vec::new(), remove: there, keep: absent },
            Change::Set => {
                let unwanted = live.iter().filter(|account| !accounts.contains(account));
                Self { add: absent, remove: unwanted.cloned().collect(), keep: there }
            }
        }
    }

    /// Leaves accounts out of what is to be done.
    pub fn without(mut self, is_out: impl Fn(&str) -> bool) -> Self {
        self.add.retain(|account| !is_out(account));
        self.remove.retain(|account| !is_out(account));
        self
    }

    /// Returns the calls that bring it about, in order; none when nothing is to be done.
    ///
    /// What is removed goes first where a call does one thing: a full list has room afterwards.
    pub fn calls(&self, traits: ShareTraits, one_by_one: bool) -> Vec<ShareCall> {
        let size = if one_by_one { 1 } else { traits.accounts_per_call.unwrap_or(usize::MAX).max(1) };
        let removes = self.remove.chunks(size).map(|part| ShareCall { add: Vec::new(), remove: part.to_vec() });
        let adds = self.add.chunks(size).map(|part| ShareCall { add: part.to_vec(), remove: Vec::new() });
        if one_by_one || !traits.adds_and_removes_at_once {
            return removes.chain(adds).collect();
        }
        let mut calls: Vec<ShareCall> = removes.collect();
        for (index, part) in adds.enumerate() {
            match calls.get_mut(index) {
                Some(call) => call.add = part.add,
                None => calls.push(part),
            }
        }
        calls
    }
}

/// Returns the accounts of a call whose effect a list does not show.
pub fn missing(call: &ShareCall, live: &BTreeSet<String>) -> Vec<String> {
    let not_added = call.add.iter().filter(|account| !live.contains(*account));
    let not_removed = call.remove.iter().filter(|account| live.contains(*account));
    not_added.chain(not_removed).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENCENT: ShareTraits =
        ShareTraits { action: "Modify", accounts_per_call: None, adds_and_removes_at_once: false };
    const ALIBABA: ShareTraits =
        ShareTraits { action: "Modify", accounts_per_call: Some(10), adds_and_removes_at_once: true };

    fn owned(accounts: &[&str]) -> Vec<String> {
        accounts.iter().map(|account| (*account).to_owned()).collect()
    }

    fn list(accounts: &[&str]) -> BTreeSet<String> {
        owned(accounts).into_iter().collect()
    }

    fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    #[test]
    fn only_what_differs_from_the_list_is_done() {
        let live = list(&["1", "2", "9"]);
        let of = |change| Difference::of(change, &owned(&["2", "3"]), &live);
        assert_eq!(of(Change::Add), Difference { add: owned(&["3"]), remove: vec![], keep: owned(&["2"]) });
        assert_eq!(of(Change::Remove), Difference { add: vec![], remove: owned(&["2"]), keep: owned(&["3"]) });
        let exact = Difference { add: owned(&["3"]), remove: owned(&["1", "9"]), keep: owned(&["2"]) };
        assert_eq!(of(Change::Set), exact);
        assert_eq!(Difference::of(Change::Set, &[], &live).remove, owned(&["1", "2", "9"]), "an empty list is a list");
    }

    #[test]
    fn nothing_to_do_is_no_call() {
        let done = Difference::of(Change::Add, &owned(&["1"]), &list(&["1"]));
        assert_eq!(done.calls(TENCENT, false), []);
        assert_eq!(done.calls(ALIBABA, false), []);
    }

    #[test]
    fn one_call_serves_all_accounts_at_tencent_and_removes_go_first() {
        let difference = Difference { add: numbers(0..50), remove: owned(&["x"]), keep: vec![] };
        let calls = difference.calls(TENCENT, false);
        assert_eq!(calls.len(), 2);
        assert_eq!((calls[0].remove.len(), calls[0].add.len()), (1, 0));
        assert_eq!((calls[1].remove.len(), calls[1].add.len()), (0, 50));
    }

    #[test]
    fn alibaba_gets_ten_accounts_a_call_added_and_removed_at_once() {
        let difference = Difference { add: numbers(0..21), remove: numbers(50..61), keep: vec![] };
        let sizes: Vec<_> =
            difference.calls(ALIBABA, false).iter().map(|call| (call.remove.len(), call.add.len())).collect();
        assert_eq!(sizes, [(10, 10), (1, 10), (0, 1)]);
        assert_eq!(Difference { add: numbers(0..10), ..Difference::default() }.calls(ALIBABA, false).len(), 1);
        assert_eq!(Difference { add: numbers(0..11), ..Difference::default() }.calls(ALIBABA, false).len(), 2);
    }

    #[test]
    fn one_by_one_means_one_account_a_call() {
        let difference = Difference { add: numbers(0..3), remove: numbers(5..7), keep: vec![] };
        let calls = difference.calls(ALIBABA, true);
        assert!(calls.len() == 5 && calls.iter().all(|call| call.add.len() + call.remove.len() == 1));
    }

    #[test]
    fn what_a_list_does_not_show_is_missing() {
        let call = ShareCall { add: owned(&["1", "2"]), remove: owned(&["3", "4"]) };
        assert_eq!(missing(&call, &list(&["1", "3"])), ["2", "3"]);
        assert_eq!(missing(&call, &list(&["1", "2"])), Vec::<String>::new());
    }
}
