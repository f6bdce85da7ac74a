//! The page of reasons is the table of `sampan_core::reason`, and nothing else.

use std::fmt::Write as _;
use std::path::PathBuf;

use sampan_core::Reason;

fn page() -> String {
    let mut page = "# Reasons\n\n\
        Every refusal carries a `google.rpc.ErrorInfo` with the domain `sampan` and one of these reasons; failed operations\n\
        carry the same words. A reason never changes its meaning. This page is generated from `shared/core/src/reason.rs`:\n\
        `UPDATE_REASONS=1 cargo test -p sampan-core --test reasons_page`.\n\n\
        | reason | code | what happened | what to do |\n|---|---|---|---|\n"
        .to_owned();
    for reason in Reason::ALL {
        let _ = writeln!(page, "| `{reason}` | {:?} | {} | {} |", reason.code(), reason.cause(), reason.remedy());
    }
    page
}

#[test]
fn the_page_of_reasons_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto/REASONS.md");
    if std::env::var_os("UPDATE_REASONS").is_some() {
        std::fs::write(&path, page()).expect("the page is writable");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page(),
        "proto/REASONS.md is stale; run UPDATE_REASONS=1 cargo test -p sampan-core --test reasons_page"
    );
}
