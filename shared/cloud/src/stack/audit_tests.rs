//! What the audit layer records, and that nothing leaves unrecorded; one fact a test.

use std::sync::Mutex;

use async_trait::async_trait;
use sampan_core::{Reason, clock};
use serde_json::Value;

use super::tests::{Script, parts, request};
use super::*;
use crate::audit::{AuditError, AuditLog, AuditRecord, CallContext};
use crate::error::CallClass;

/// Keeps records as they would be written; full after `room` announcements.
#[derive(Debug)]
struct Book {
    lines: Mutex<Vec<Value>>,
    room: usize,
}

impl Book {
    fn with_room(room: usize) -> Arc<Self> {
        Arc::new(Self { lines: Mutex::default(), room })
    }

    fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }

    fn told(&self, key: &str) -> Vec<String> {
        self.lines().iter().map(|line| line[key].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn keep(&self, record: &AuditRecord) -> usize {
        let mut lines = self.lines.lock().unwrap();
        lines.push(serde_json::to_value(record).unwrap());
        lines.len()
    }
}

#[async_trait]
impl AuditLog for Book {
    async fn announce(&self, record: &AuditRecord) -> Result<(), AuditError> {
        if self.lines().len() >= self.room {
            return Err(AuditError("the disk is full".to_owned()));
        }
        self.keep(record);
        Ok(())
    }

    fn note(&self, record: &AuditRecord) {
        self.keep(record);
    }
}

fn stack(book: &Arc<Book>, script: &Script) -> Stack {
    let log: Arc<dyn AuditLog> = Arc::<Book>::clone(book);
    let audit = Some(AuditTrail { account: "prod".into(), log, clock: clock::system() });
    Stack::new(StackParts { audit, ..parts() }, script.service())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_changes_something_is_recorded_before_and_after_with_who_and_what() {
    let (book, script) = (Book::with_room(9), Script::new(&[("ok", None)]));
    let context = CallContext {
        operation: Some("operations/1".to_owned()),
        caller: "spiffe://a/b".to_owned(),
        kind: "export".to_owned(),
        step: "submit".to_owned(),
        units: 1,
    };
    context.scope(stack(&book, &script).send(request(Idempotency::Unsafe))).await.unwrap();
    assert_eq!(book.told("phase"), ["call", "outcome"]);
    let lines = book.lines();
    assert_eq!(lines[0]["id"], lines[1]["id"]);
    for line in &lines {
        assert_eq!((&line["operation"], &line["caller"]), (&"operations/1".into(), &"spiffe://a/b".into()));
        assert_eq!((&line["cloud"], &line["account"]), (&"tencent".into(), &"prod".into()));
        assert_eq!((&line["region"], &line["action"]), (&"ap-guangzhou".into(), &"DoIt".into()));
        assert_eq!((&line["kind"], &line["step"], &line["units"]), (&"export".into(), &"submit".into(), &1.into()));
    }
    assert_eq!((&lines[1]["outcome"], &lines[1]["vendor_request_id"]), (&"ok".into(), &"r-1".into()));
}

#[tokio::test(start_paused = true)]
async fn reads_are_not_recorded() {
    let (book, script) = (Book::with_room(0), Script::new(&[("ok", None)]));
    stack(&book, &script).send(request(Idempotency::Safe)).await.unwrap();
    assert_eq!((book.lines().len(), script.sent().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_record_cannot_be_written_is_not_made_and_says_why() {
    for idempotency in [Idempotency::Unsafe, Idempotency::Keyed] {
        let (book, script) = (Book::with_room(0), Script::new(&[("ok", None)]));
        let error = stack(&book, &script).send(request(idempotency)).await.unwrap_err();
        assert_eq!((error.class, error.reason), (CallClass::Transient, Reason::AuditUnavailable));
        assert!(error.is_without_effect() && error.message.contains("the disk is full"), "{error}");
        assert_eq!(script.sent().len(), 0);
        assert_eq!(book.told("outcome"), ["not_made"]);
    }
}

#[tokio::test(start_paused = true)]
async fn repeated_attempts_of_one_call_are_one_pair_of_records() {
    let (book, script) = (Book::with_room(9), Script::new(&[("throttled", None), ("refused", None), ("ok", None)]));
    stack(&book, &script).send(request(Idempotency::Unsafe)).await.unwrap();
    assert_eq!((book.told("phase"), script.sent().len()), (vec!["call".to_owned(), "outcome".to_owned()], 3));
    assert_eq!(book.lines()[1]["attempts"], 3);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_says_whether_the_call_may_have_had_an_effect() {
    for (word, outcome) in [("busy", "failed"), ("cut", "unknown"), ("fault", "unknown")] {
        let (book, script) = (Book::with_room(9), Script::new(&[(word, None)]));
        stack(&book, &script).send(request(Idempotency::Unsafe)).await.unwrap_err();
        assert_eq!(book.told("outcome")[1], outcome, "{word}");
        assert_eq!(book.told("reason")[1], "CLOUD_UNAVAILABLE");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_has_an_unknown_outcome() {
    let (book, script) = (Book::with_room(9), Script::new(&[("silence", None)]));
    let stack = stack(&book, &script);
    tokio::time::timeout(Duration::from_secs(1), stack.send(request(Idempotency::Unsafe))).await.unwrap_err();
    assert_eq!(book.told("outcome"), ["", "unknown"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_holds_no_secret() {
    let (book, script) = (Book::with_room(9), Script::new(&[("busy", None)]));
    let mut secretive = request(Idempotency::Unsafe);
    secretive.headers.insert("x-token", "topsecret".parse().unwrap());
    secretive.query.push(("q-signature".to_owned(), "topsecret".to_owned()));
    secretive.body = Bytes::from_static(b"topsecret");
    stack(&book, &script).send(secretive).await.unwrap_err();
    let text = serde_json::to_string(&book.lines()).unwrap();
    assert!(!text.contains("topsecret"), "{text}");
}
