//! What the bounded run takes for a failure; apart from it, because this fails on purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod watch;

use sampan_tests_fuzz::Target;

#[test]
fn a_panic_is_found_also_where_somebody_catches_it_and_on_another_thread() {
    fn caught(_: &[u8]) -> bool {
        std::panic::catch_unwind(|| panic!("caught")).is_ok()
    }
    fn elsewhere(_: &[u8]) -> bool {
        std::thread::spawn(|| panic!("elsewhere")).join().is_ok()
    }
    for (name, run) in [("caught", caught as fn(&[u8]) -> bool), ("elsewhere", elsewhere)] {
        let why = watch::run(&Target { name, run }, b"").expect_err("found");
        assert!(why.contains(name), "{why}");
    }
    assert_eq!(watch::run(&Target { name: "fine", run: |_| true }, b""), Ok(true));
}
