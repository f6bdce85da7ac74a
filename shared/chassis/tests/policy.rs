//! What a policy permits and refuses, for every kind of rule.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::sync::Arc;

use fake_store::{id, running};
use sampan_chassis::auth::{Access, Ask, Identity, Policy, PolicyFile, Proof};
use sampan_core::Reason;
use sampan_proto::billing::v1::CostLimit;

const POLICY: &str = r#"
[teams]
images = ["spiffe://corp/ns/images/*", "ann"]
base = ["bob"]

[[allow]]
subjects = ["team:images"]
actions = ["export.*", "quota.read", "operations.read", "operations.cancel"]
accounts = ["prod-*"]
regions = ["ap-*"]
buckets = ["images-*"]
operations_of = ["team"]
max_cost = { amount = "50", currency = "USD" }

[[allow]]
subjects = ["ann"]
actions = ["share.start"]
accounts = ["prod-cn"]
regions = ["*"]
share_targets = ["1000*"]

[[allow]]
subjects = ["bob"]
actions = ["operations.*"]
accounts = ["*"]
regions = ["*"]
"#;

fn access(subject: &str, text: &str) -> Access {
    let identity = Identity { subject: subject.to_owned(), proof: Proof::Certificate };
    Access::new(identity, Some(Arc::new(Policy::parse(text).unwrap())))
}

fn export<'a>() -> Ask<'a> {
    Ask::new("export.start").account("prod-cn").region("ap-guangzhou").bucket("images-1")
}

fn missing(access: &Access, ask: &Ask<'_>) -> String {
    let problem = access.check(ask).unwrap_err();
    assert_eq!(problem.reason(), Reason::PolicyDenied);
    format!("{problem:?}").split("\"missing\": \"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn what_a_rule_names_is_permitted_with_its_cap() {
    for subject in ["ann", "spiffe://corp/ns/images/sa/builder"] {
        let permit = access(subject, POLICY).check(&export()).unwrap();
        let of = |amount: &str, currency: &str| {
            let message = CostLimit { amount: amount.to_owned(), currency: currency.to_owned() };
            sampan_chassis::cost::CostLimit::parse(&message, "max_cost").unwrap()
        };
        assert_eq!(permit.limit(None).unwrap().unwrap().to_string(), "50 USD", "the cap holds without a limit");
        assert_eq!(permit.limit(Some(of("60", ""))).unwrap().unwrap().to_string(), "50 USD");
        assert_eq!(permit.limit(Some(of("40", "USD"))).unwrap().unwrap().to_string(), "40 USD");
        assert_eq!(permit.limit(Some(of("40", "CNY"))).unwrap_err().reason(), Reason::PolicyDenied);
    }
}

#[test]
fn everything_else_is_refused_and_the_nearest_lack_is_named() {
    let ann = access("ann", POLICY);
    assert_eq!(missing(&access("eve", POLICY), &export()), "subject");
    assert_eq!(missing(&access("", POLICY), &export()), "subject");
    assert_eq!(missing(&ann, &Ask::new("copy.start").account("prod-cn")), "action");
    assert_eq!(missing(&ann, &Ask::new("export.start").account("dev").region("ap-x").bucket("images-1")), "account");
    assert_eq!(missing(&ann, &Ask::new("export.start").account("prod-a").region("eu-x").bucket("images-1")), "region");
    assert_eq!(missing(&ann, &Ask::new("export.start").account("prod-a").region("ap-x").bucket("other")), "bucket");
    let share = Ask::new("share.start").account("prod-cn").region("x");
    assert!(ann.check(&share.clone().share_targets(["10001"])).is_ok());
    assert_eq!(missing(&ann, &share.share_targets(["10001", "2"])), "share_target");
}

#[test]
fn every_region_that_is_touched_has_to_be_permitted() {
    let ann = access("ann", POLICY);
    let both = export().region("ap-shanghai");
    assert!(ann.check(&both).is_ok());
    assert_eq!(missing(&ann, &both.region("eu-frankfurt")), "region", "the last one too");
}

#[test]
fn who_is_not_known_is_in_no_team_and_owns_nothing() {
    let rule = "actions = [\"*\"]\naccounts = [\"*\"]\nregions = [\"*\"]\nbuckets = [\"*\"]\n";
    let team = format!("[teams]\nall = [\"*\"]\n[[allow]]\nsubjects = [\"team:all\"]\n{rule}");
    assert!(access("ann", &team).check(&export()).is_ok());
    assert_eq!(missing(&access("", &team), &export()), "subject");
    let mut record = running(id(1));
    record.caller = String::new();
    for whose in ["self", "team"] {
        let everybody = format!("[[allow]]\nsubjects = [\"*\"]\noperations_of = [\"{whose}\"]\n{rule}");
        assert!(access("", &everybody).check(&export()).is_ok());
        assert!(!access("", &everybody).may("operations.read", &record), "{whose}: nobody's is not everybody's");
    }
}

#[test]
fn an_empty_policy_refuses_everything() {
    assert_eq!(missing(&access("ann", ""), &Ask::new("quota.read")), "subject");
}

#[test]
fn a_rule_without_a_cap_wins_over_one_with_a_cap() {
    let text = format!(
        "{POLICY}\n[[allow]]\nsubjects = [\"ann\"]\nactions = [\"*\"]\naccounts = [\"*\"]\nregions = [\"*\"]\nbuckets = [\"*\"]\n"
    );
    assert_eq!(access("ann", &text).check(&export()).unwrap().cost_cap, None);
}

#[test]
fn of_several_caps_the_first_holds() {
    let second = format!("[[allow]]{}", POLICY.split("[[allow]]").nth(1).unwrap().replace("\"50\"", "\"70\""));
    let permit = access("ann", &format!("{POLICY}\n{second}")).check(&export()).unwrap();
    assert_eq!(permit.limit(None).unwrap().unwrap().to_string(), "50 USD");
}

#[test]
fn operations_belong_to_their_caller_and_to_its_team() {
    let mut record = running(id(1));
    record.lane.account = "prod-cn".parse().unwrap();
    record.caller = "spiffe://corp/ns/images/sa/builder".to_owned();
    assert!(access("ann", POLICY).may("operations.cancel", &record), "one team");
    assert!(!access("ann", POLICY).may("operations.retry", &record), "an action that no rule has");
    assert!(!access("bob", POLICY).may("operations.read", &record), "another team");
    record.lane.account = "dev".parse().unwrap();
    assert!(!access("ann", POLICY).may("operations.cancel", &record), "on an account that its rule does not name");
    record.lane.account = "prod-cn".parse().unwrap();
    record.lane.region = "eu-frankfurt".parse().unwrap();
    assert!(!access("ann", POLICY).may("operations.cancel", &record), "in a region that its rule does not name");
    record.lane.region = "ap-guangzhou".parse().unwrap();
    record.caller = "bob".to_owned();
    assert!(access("bob", POLICY).may("operations.read", &record), "its own");
    assert!(!access("ann", POLICY).may("operations.read", &record), "another's");
    record.caller = String::new();
    assert!(!access("", POLICY).may("operations.read", &record), "nobody's is not everybody's");
}

#[test]
fn a_dry_run_permits_what_it_would_refuse() {
    let text = format!("mode = \"dry-run\"\n{POLICY}");
    let eve = access("eve", &text);
    assert!(eve.check(&export()).is_ok());
    assert!(eve.may("operations.read", &running(id(1))));
}

#[test]
fn another_role_of_sampan_is_not_judged_again() {
    let identity = Identity { subject: "eve".to_owned(), proof: Proof::Peer };
    let peer = Access::new(identity, Some(Arc::new(Policy::parse(POLICY).unwrap())));
    assert!(peer.check(&export()).is_ok());
}

#[test]
fn a_policy_with_a_mistake_is_refused_with_its_place() {
    let wrong = [
        ("[[allow]]\nsubjects=[\"a\"]\nactions=[\"exprot.start\"]", "rule 1: `exprot.start` matches no action"),
        ("[[allow]]\nsubjects=[\"team:x\"]\nactions=[\"*\"]", "rule 1: no team `x`"),
        ("[[allow]]\nsubjects=[]\nactions=[\"*\"]", "rule 1: subjects and actions"),
        ("[[allow]]\nsubjects=[\"a\"]\nactions=[\"*\"]\nbucket=[\"x\"]", "unknown field `bucket`"),
        ("[[allow]]\nsubjects=[\"a\"]\nactions=[\"*\"]\nmax_cost={amount=\"-1\",currency=\"USD\"}", "below zero"),
        ("mode = \"of\"", "of"),
    ];
    for (text, words) in wrong {
        let message = Policy::parse(text).unwrap_err();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_changed_file_applies_and_a_broken_one_leaves_the_old_policy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, POLICY).unwrap();
    let file = PolicyFile::open(&path).unwrap();
    assert!(!file.reload().unwrap(), "nothing has changed");
    std::fs::write(&path, "[[allow]").unwrap();
    assert!(file.reload().unwrap_err().to_string().contains("policy.toml"));
    assert!(file.current().decide("ann", &export()).is_ok());
    std::fs::write(&path, "").unwrap();
    assert!(file.reload().unwrap());
    assert!(file.current().decide("ann", &export()).is_err());
}
