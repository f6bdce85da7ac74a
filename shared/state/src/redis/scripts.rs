//! Decides which script makes which decision; each is one file of `scripts/`, headed by its KEYS and ARGV.

use std::sync::LazyLock;

/// A script with the parts that it needs, and the name that Redis knows it by.
#[derive(Debug)]
pub(super) struct Script {
    /// Word for logs and errors.
    pub(super) name: &'static str,
    /// Whether replicas must have what it wrote before the answer counts, where that was asked for.
    ///
    /// Leases of work need it not: who holds one is refused by its owner's name should it be granted twice.
    pub(super) is_confirmed: bool,
    code: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    const fn new(name: &'static str, is_confirmed: bool, code: &'static str, hash: fn() -> String) -> Self {
        Self { name, is_confirmed, code, hash: LazyLock::new(hash) }
    }

    /// Returns the whole source.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the SHA-1 of the source in lower-case hex.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:tt, $confirmed:literal;)+) => {$(
        $(#[$doc])*
        pub(super) static $name: Script = Script::new($file, $confirmed, code!($file), || {
            redis::Script::new(code!($file)).get_hash().to_owned()
        });
    )+

        #[cfg(test)]
        pub(super) static ALL: &[&Script] = &[$(&$name),+];
    };
}

macro_rules! code {
    // Admissions run most, and most of them are decided before the rest is even defined.
    ("admit") => {
        concat!(
            include_str!("scripts/fresh.lua"),
            include_str!("scripts/prelude.lua"),
            include_str!("scripts/ledger.lua"),
            include_str!("scripts/admit.lua"),
        )
    };
    ("commit") => {
        code!(with_line "commit")
    };
    ("unlock_lane") => {
        code!(with_line "unlock_lane")
    };
    (with_line $file:literal) => {
        concat!(
            include_str!("scripts/prelude.lua"),
            include_str!("scripts/ledger.lua"),
            include_str!("scripts/line.lua"),
            include_str!(concat!("scripts/", $file, ".lua")),
        )
    };
    ($file:literal) => {
        concat!(
            include_str!("scripts/prelude.lua"),
            include_str!("scripts/ledger.lua"),
            include_str!(concat!("scripts/", $file, ".lua")),
        )
    };
}

scripts! {
    ADMIT = "admit", true;
    ASKED = "asked", false;
    CANCEL = "cancel", true;
    CHECK = "check", false;
    CLAIM = "claim", false;
    COMMIT = "commit", true;
    COMMIT_UNITS = "commit_units", true;
    FIND = "find", false;
    GET = "get", false;
    LIST = "list", false;
    LOCK_LANE = "lock_lane", true;
    MARK_SPENT = "mark_spent", true;
    NEXT_DUE = "next_due", false;
    NOW = "now", false;
    POSTPONE = "postpone", false;
    QUOTA = "quota", false;
    RELEASE_UNITS = "release_units", true;
    RENEW = "renew", false;
    RENEW_LANE = "renew_lane", false;
    REOPEN = "reopen", true;
    SPEND_UNITS = "spend_units", true;
    STARTED = "started", false;
    TAKE_TURN = "take_turn", true;
    UNLOCK_LANE = "unlock_lane", false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_says_what_it_decides_and_no_two_are_the_same() {
        let mut hashes: Vec<&str> = ALL.iter().map(|script| script.hash()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 24);
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/redis/scripts");
        for script in ALL {
            let own = std::fs::read_to_string(folder.join(format!("{}.lua", script.name))).unwrap();
            assert!(own.starts_with("-- "), "{} has no head", script.name);
            assert!(script.code().ends_with(&own));
        }
        assert!(ADMIT.code().starts_with("-- Begins the script of admissions"), "the quick way is not taken");
    }
}
