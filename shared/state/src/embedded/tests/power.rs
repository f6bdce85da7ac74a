//! Facts of a power cut: only what was synced is sure, and of the rest any part may have arrived.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::super::Embedded;
use super::super::open::Medium;
use super::{admit, clock, shared};
use crate::operation::Operation;
use crate::{Health, Operations};

/// Bytes that a disk writes as a whole.
const SECTOR: usize = 512;

/// A file whose writes are sure only after a sync.
#[derive(Debug, Default, Clone)]
struct Platter {
    durable: Vec<u8>,
    current: Vec<u8>,
    /// Sectors written since the last sync.
    unsure: BTreeSet<usize>,
}

impl Platter {
    fn holding(bytes: Vec<u8>) -> Self {
        Self { durable: bytes.clone(), current: bytes, unsure: BTreeSet::new() }
    }

    /// Returns what a cut leaves: everything synced, and by chance some sectors of the rest.
    fn cut(&self, seed: &mut u64) -> Vec<u8> {
        let mut left = self.durable.clone();
        left.resize(self.current.len(), 0);
        for sector in &self.unsure {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if *seed >> 63 == 1 {
                let (from, to) = (sector * SECTOR, (sector * SECTOR + SECTOR).min(left.len()));
                if let (Some(to), Some(from)) = (left.get_mut(from..to), self.current.get(from..to)) {
                    to.copy_from_slice(from);
                }
            }
        }
        left
    }
}

/// What a cut leaves of pages and journal.
type Left = [Vec<u8>; 2];

/// Pages and journal on one machine: a cut meets both at the same moment.
#[derive(Debug, Default)]
struct Machine {
    files: [Platter; 2],
    /// What there would be after a cut at each moment, with the acknowledged operations.
    cuts: Vec<(usize, Left)>,
    acknowledged: usize,
    seed: u64,
}

impl Machine {
    fn holding(left: Left) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { files: left.map(Platter::holding), ..Self::default() }))
    }

    fn remember_cut(&mut self) {
        let left = self.files.each_ref().map(|file| file.cut(&mut self.seed));
        self.cuts.push((self.acknowledged, left));
    }
}

#[derive(Debug)]
struct Disk {
    machine: Arc<Mutex<Machine>>,
    file: usize,
}

impl Disk {
    fn with<T>(&self, work: impl FnOnce(&mut Platter) -> T) -> T {
        work(&mut self.machine.lock().unwrap().files[self.file])
    }
}

fn medium(machine: &Arc<Mutex<Machine>>) -> Medium {
    let disk = |file| Arc::new(Disk { machine: Arc::clone(machine), file });
    Medium::Backend { pages: disk(0), journal: Some(disk(1)) }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|file| file.current.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.with(|file| {
            out.copy_from_slice(file.current.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|file| file.current.resize(usize::try_from(len).unwrap(), 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        // The worst moment is just before a sync: the most is unsure then.
        self.machine.lock().unwrap().remember_cut();
        self.with(|file| {
            file.durable = file.current.clone();
            file.unsure.clear();
        });
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.with(|file| {
            file.current
                .get_mut(offset..offset + data.len())
                .ok_or(io::ErrorKind::UnexpectedEof)?
                .copy_from_slice(data);
            file.unsure.extend(offset / SECTOR..=(offset + data.len().max(1) - 1) / SECTOR);
            Ok(())
        })
    }
}

/// Admits operations and returns them with what a cut would leave at each moment.
async fn admit_and_cut(machine: &Arc<Mutex<Machine>>, count: usize) -> (Vec<Operation>, Vec<(usize, Left)>) {
    let store = Embedded::on(medium(machine), shared(&clock())).unwrap();
    machine.lock().unwrap().cuts.clear();
    let mut acknowledged = Vec::new();
    for _ in 0..count {
        acknowledged.push(admit(&store).await.unwrap());
        let mut machine = machine.lock().unwrap();
        machine.acknowledged = acknowledged.len();
        machine.remember_cut();
    }
    drop(store);
    let cuts = std::mem::take(&mut machine.lock().unwrap().cuts);
    (acknowledged, cuts)
}

async fn assert_all_there(left: Left, sure: &[Operation]) {
    let after =
        Embedded::on(medium(&Machine::holding(left)), shared(&clock())).expect("the store opens after a power cut");
    for kept in sure {
        assert_eq!(after.get(kept.id).await.unwrap(), *kept);
    }
    after.check().await.unwrap();
}

#[tokio::test]
async fn every_acknowledged_operation_survives_a_power_cut_at_any_sync() {
    let (acknowledged, cuts) = admit_and_cut(&Arc::default(), 40).await;
    assert!(cuts.len() >= 80, "a cut before and after each commit's sync: {}", cuts.len());
    for (sure, left) in cuts {
        assert_all_there(left, &acknowledged[..sure]).await;
    }
}

#[tokio::test]
async fn a_power_cut_while_the_store_comes_back_from_one_loses_nothing_either() {
    let (acknowledged, cuts) = admit_and_cut(&Arc::default(), 12).await;
    for (sure, left) in cuts {
        let machine = Machine::holding(left);
        drop(Embedded::on(medium(&machine), shared(&clock())).unwrap());
        let again = std::mem::take(&mut machine.lock().unwrap().cuts);
        for (_, left) in again {
            assert_all_there(left, &acknowledged[..sure]).await;
        }
    }
}

#[tokio::test]
async fn a_journal_with_a_damaged_frame_before_others_is_refused() {
    let (acknowledged, mut cuts) = admit_and_cut(&Arc::default(), 8).await;
    // The moment after each operation was acknowledged.
    cuts.dedup_by_key(|(acknowledged, _)| *acknowledged);
    let mut most_refused = 0;
    for (sure, [pages, journal]) in cuts {
        let mut refused = 0;
        let frames = (0..journal.len()).step_by(4096).filter(|at| journal[*at..].starts_with(b"sampanF1"));
        for at in frames {
            let mut damaged = journal.clone();
            damaged[at + 40] ^= 0x55;
            match Embedded::on(medium(&Machine::holding([pages.clone(), damaged])), shared(&clock())) {
                Err(_) => refused += 1,
                // The last frame, which may be a torn one, or frames of an earlier epoch.
                Ok(store) => {
                    for kept in &acknowledged[..sure.saturating_sub(1)] {
                        assert_eq!(store.get(kept.id).await.unwrap(), *kept);
                    }
                }
            }
        }
        most_refused = most_refused.max(refused);
    }
    assert!(most_refused > 1, "only {most_refused} damaged frames were found");
}
