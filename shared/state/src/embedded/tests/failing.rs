//! Facts of a disk that fails while the store runs, and of decisions that are taken back.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use sampan_core::clock::Clock;
use sampan_core::quota_day::QuotaRule;

use super::super::batch::Batch;
use super::super::open::Medium;
use super::super::rows::{Halt, Rows};
use super::super::{Embedded, keys};
use super::{admit, clock, shared, start};
use crate::{Admission, Admitted, Error, Health, ListQuery, Operations};

/// Memory that can run out of space.
#[derive(Debug)]
struct Disk {
    memory: InMemoryBackend,
    is_full: AtomicBool,
}

impl Disk {
    fn space(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.space()?;
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.space()?;
        self.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.space()?;
        self.memory.write(offset, data)
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_space_and_loses_nothing() {
    let disk = Arc::new(Disk { memory: InMemoryBackend::new(), is_full: AtomicBool::new(false) });
    let medium = Medium::Backend { pages: Arc::clone(&disk) as Arc<dyn StorageBackend>, journal: None };
    let store = Embedded::on(medium, shared(&clock())).unwrap();
    let kept = admit(&store).await.unwrap();
    let refused = start();
    disk.is_full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let problem = store.admit(refused.clone()).await.expect_err("no space");
        assert!(matches!(&problem, Error::Unavailable(_)) && problem.is_transient(), "{problem}");
        assert!(matches!(store.check().await, Err(Error::Unavailable(_))));
        assert!(matches!(
            store.claim(&["export".to_owned()], "w", 1, Duration::from_secs(1)).await,
            Err(Error::Unavailable(_))
        ));
    }
    disk.is_full.store(false, Ordering::SeqCst);
    store.check().await.unwrap();
    assert_eq!(store.get(kept.id).await.unwrap(), kept);
    assert!(matches!(store.get(refused.operation.id).await, Err(Error::NotFound(_))));
    assert!(matches!(store.admit(refused).await.unwrap(), Admitted::New(_)));
    let page = store.list(&ListQuery { page_size: 10, ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.operations.len(), 2);
}

/// A journal that has room for its head alone.
#[derive(Debug)]
struct Small(InMemoryBackend);

impl StorageBackend for Small {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > 4096 { Err(io::ErrorKind::StorageFull.into()) } else { self.0.set_len(len) }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[tokio::test]
async fn a_journal_without_room_stops_nothing() {
    let journal = Arc::new(Small(InMemoryBackend::new()));
    let medium = Medium::Backend { pages: Arc::new(InMemoryBackend::new()), journal: Some(journal) };
    let store = Embedded::on(medium.clone(), shared(&clock())).unwrap();
    let mut kept = Vec::new();
    for _ in 0..5 {
        kept.push(admit(&store).await.unwrap());
    }
    drop(store);
    let store = Embedded::on(medium, shared(&clock())).unwrap();
    for operation in kept {
        assert_eq!(store.get(operation.id).await.unwrap(), operation);
    }
}

/// Returns the rows whose keys begin with `x`.
fn test_rows(store: &Embedded) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        Ok(ControlFlow::Continue(()))
    };
    store.core.read(|snapshot| snapshot.scan(b"x", &keys::after(b"x"), &mut visit)).unwrap();
    rows
}

#[tokio::test]
async fn a_refused_decision_leaves_no_trace_in_the_commit_of_the_others() {
    let store = Embedded::in_memory(shared(&clock())).unwrap();
    let old = |batch: &mut Batch<'_>, _| {
        batch.put(b"x1", b"old");
        batch.put(b"x2", b"old");
        Ok(())
    };
    store.decide(old).await.unwrap();
    // The gate holds the writer until the others are queued, so they share a transaction.
    let (open, gate) = std::sync::mpsc::channel();
    let held = store.decide(move |_, _| Ok(gate.recv().is_ok()));
    let refused = store.decide(|batch, _| {
        batch.put(b"x1", b"new");
        batch.put(b"x1", b"newer");
        batch.remove(b"x2");
        batch.put(b"x2", b"again");
        batch.put(b"x3", b"new");
        batch.remove(b"x3");
        batch.put(b"x4", b"new");
        Err::<(), _>(Halt::Refused(Error::Invalid("refused".to_owned())))
    });
    let accepted = store.decide(|batch, _| {
        assert_eq!(batch.get(b"x1")?, Some(b"old".to_vec()));
        batch.put(b"x5", b"new");
        Ok(())
    });
    let (held, refused, accepted, ()) = tokio::join!(held, refused, accepted, async { open.send(()).unwrap() });
    assert!(held.unwrap());
    assert!(matches!(refused, Err(Error::Invalid(_))));
    accepted.unwrap();
    let expected = [(&b"x1"[..], &b"old"[..]), (b"x2", b"old"), (b"x5", b"new")];
    assert_eq!(test_rows(&store), expected.map(|(key, value)| (key.to_vec(), value.to_vec())));
}

#[tokio::test]
async fn a_panic_in_a_decision_is_answered_and_the_store_goes_on() {
    let store = Embedded::in_memory(shared(&clock())).unwrap();
    let kept = admit(&store).await.unwrap();
    let broken: Result<(), Error> = store
        .decide(|batch, _| {
            batch.put(b"x1", b"half");
            panic!("as a damaged page makes redb do")
        })
        .await;
    assert!(matches!(broken, Err(Error::Unavailable(_))));
    store.check().await.unwrap();
    assert_eq!(store.get(kept.id).await.unwrap(), kept);
    assert_eq!(store.core.read(|rows| rows.get(b"x1")).unwrap(), None);
}

#[tokio::test]
async fn a_watcher_that_gave_up_leaves_nothing_behind() {
    let store = Embedded::in_memory(shared(&clock())).unwrap();
    let kept = admit(&store).await.unwrap();
    for _ in 0..3 {
        let watch = store.changed(kept.id, kept.revision);
        assert!(tokio::time::timeout(Duration::from_millis(5), watch).await.is_err());
    }
    assert_eq!(store.core.watched(), 0);
}

#[tokio::test]
async fn work_that_is_due_soon_is_told_at_once_and_later_work_is_not() {
    let clock = clock();
    let store = Embedded::in_memory(shared(&clock)).unwrap();
    let news = store.core.watch_due();
    let mut later = start();
    later.first_due = Some(clock.now().checked_add(SignedDuration::from_mins(1)).unwrap());
    store.admit(later).await.unwrap();
    assert!(!news.has_changed().unwrap());
    admit(&store).await.unwrap();
    assert!(news.has_changed().unwrap());
}

#[tokio::test]
async fn days_before_yesterday_are_forgotten() {
    let clock = clock();
    let store = Embedded::in_memory(shared(&clock)).unwrap();
    let rule = QuotaRule::per_china_day(5);
    for _ in 0..5 {
        let kept = admit(&store).await.unwrap();
        crate::QuotaLedger::take_turn(&*store, &kept.lane, &rule, kept.id, 1).await.unwrap();
        clock.advance(SignedDuration::from_hours(24));
    }
    let mut days = 0;
    let prefix = keys::days(&super::lane());
    let count = |_: &[u8], _: &[u8]| {
        days += 1;
        Ok(ControlFlow::Continue(()))
    };
    let mut count = count;
    store.core.read(|rows| rows.scan(&prefix, &keys::after(&prefix), &mut count)).unwrap();
    assert_eq!(days, 2);
}
