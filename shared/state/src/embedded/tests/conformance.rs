//! The conformance suite, in memory and on a file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use sampan_core::clock::{Clock, ManualClock, SharedClock, SystemClock};

use crate::SharedStore;
use crate::conformance::Harness;
use crate::embedded::Embedded;
use crate::embedded::open::Medium;

/// Where the store of a harness lies.
enum Place {
    Memory(Medium),
    Folder(tempfile::TempDir),
}

struct Bench {
    place: Place,
    clock: Arc<ManualClock>,
    store: Mutex<Option<Arc<Embedded>>>,
}

impl Bench {
    fn new(place: Place) -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let bench = Self { place, clock, store: Mutex::new(None) };
        bench.open();
        bench
    }

    fn open(&self) {
        let clock = Arc::clone(&self.clock) as SharedClock;
        let store = match &self.place {
            Place::Memory(medium) => Embedded::on(medium.clone(), clock),
            Place::Folder(folder) => Embedded::open(folder.path(), clock),
        };
        *self.store.lock().unwrap() = Some(store.unwrap());
    }
}

#[async_trait]
impl Harness for Bench {
    fn store(&self) -> SharedStore {
        self.store.lock().unwrap().clone().unwrap()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }

    async fn restart(&self) {
        let store = self.store.lock().unwrap().take();
        assert_eq!(store.as_ref().map(Arc::strong_count), Some(1), "the case still holds the store");
        drop(store);
        self.open();
    }
}

async fn in_memory() -> Bench {
    Bench::new(Place::Memory(Medium::memory()))
}

async fn on_a_file() -> Bench {
    Bench::new(Place::Folder(tempfile::tempdir().unwrap()))
}

mod memory {
    conformance_suite!(super::in_memory);
}

mod file {
    conformance_suite!(super::on_a_file);
}

#[test]
fn a_store_leaves_only_its_own_files() {
    let folder = tempfile::tempdir().unwrap();
    drop(Embedded::open(folder.path(), sampan_core::clock::system()).unwrap());
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    assert_eq!(names, ["sampan.journal", "sampan.lock", "sampan.redb"].map(PathBuf::from));
}
