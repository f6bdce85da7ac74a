//! Facts of a process that is killed: whatever was acknowledged is there, and nothing is half there.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sampan_core::OperationId;
use sampan_core::clock::{Clock, SystemClock, system};
use sampan_core::quota_day::QuotaRule;
use tokio::task::JoinSet;

use super::super::Embedded;
use super::{lane, start};
use crate::{Admission, Health, ListQuery, OnSpent, Operations, QuotaLedger, QuotaRequest};

/// Tells the child where its store lies.
const FOLDER: &str = "SAMPAN_TEST_STORE";
/// Precedes each acknowledged operation in the child's output.
const ACKNOWLEDGED: &str = "acknowledged ";

fn rule() -> QuotaRule {
    QuotaRule::unlimited()
}

#[tokio::test]
#[ignore = "runs in the process that the test below starts and kills"]
async fn child_that_admits_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("started by the other test"));
    let store = Embedded::open(&folder, system()).unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        callers.spawn(async move {
            loop {
                let quota = QuotaRequest { units: 1, rule: rule(), on_spent: OnSpent::Refuse };
                let start = crate::NewOperation { quota: Some(quota), ..start() };
                let id = start.operation.id;
                store.admit(start).await.unwrap();
                println!("{ACKNOWLEDGED}{id}");
            }
        });
    }
    callers.join_all().await;
}

/// Starts the child, kills it after `lines` acknowledgements, and returns all that it gave.
fn run_and_kill(folder: &std::path::Path, lines: usize) -> Vec<OperationId> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("embedded::tests::killed::child_that_admits_until_it_is_killed")
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    // What the pipe still holds after the kill counts too; a line without an end does not.
    while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        if let Some((_, id)) = line.split_once(ACKNOWLEDGED) {
            acknowledged.push(id.trim().parse().unwrap());
        }
        if acknowledged.len() == lines {
            child.kill().unwrap();
        }
        line.clear();
    }
    let status = child.wait().unwrap();
    assert!(!status.success(), "the child was not killed but ended: {status}");
    assert!(acknowledged.len() >= lines, "the child gave only {} acknowledgements", acknowledged.len());
    acknowledged
}

#[tokio::test]
async fn every_acknowledged_operation_survives_kill_minus_nine() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..6 {
        // Nobody knows the moment: the child goes on while its lines are read.
        let lines = 1 + usize::try_from(SystemClock.now().subsec_nanosecond() % 150).unwrap();
        acknowledged.extend(run_and_kill(folder.path(), lines));
        let store = Embedded::open(folder.path(), system()).unwrap();
        for id in &acknowledged {
            let kept = store.get(*id).await;
            assert!(kept.is_ok(), "round {round}: {id} was acknowledged after {lines} lines and is gone: {kept:?}");
        }
        assert_whole(&store, acknowledged.len()).await;
        store.check().await.unwrap();
    }
}

/// Asserts that record, units and due queue of every operation came together.
async fn assert_whole(store: &Embedded, at_least: usize) {
    let mut query = ListQuery { page_size: 1000, ..ListQuery::default() };
    let mut listed = 0;
    loop {
        let page = store.list(&query).await.unwrap();
        listed += page.operations.len();
        query.before = page.operations.last().map(|operation| operation.id);
        if !page.more {
            break;
        }
    }
    assert!(listed >= at_least);
    // Rounds around midnight would count on two days.
    let picture = store.quota(&lane(), &rule()).await.unwrap();
    let reset = rule().resets_at(SystemClock.now());
    let day_began = reset.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap();
    let before_today = ListQuery { page_size: 1, before: Some(OperationId::generate(day_began)), ..query };
    if store.list(&before_today).await.unwrap().operations.is_empty() {
        assert_eq!(usize::try_from(picture.reserved).unwrap(), listed);
    }
    let kinds = ["export".to_owned()];
    let due =
        store.core.read(|rows| super::super::operations::list_due(rows, &kinds, usize::MAX, i64::MAX - 1)).unwrap();
    assert_eq!(due.len(), listed);
}
