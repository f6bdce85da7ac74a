//! Facts of a power cut: only what was synced is sure, and of the rest any part may have arrived.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::super::Embedded;
use super::super::open::Medium;
use super::{admit, clock, shared};
use crate::{Health, Operations};

/// Bytes that a disk writes as a whole.
const SECTOR: usize = 512;

/// A disk whose writes are sure only after a sync.
#[derive(Debug, Default, Clone)]
struct Platter {
    durable: Vec<u8>,
    current: Vec<u8>,
    /// Sectors written since the last sync.
    unsure: BTreeMap<usize, ()>,
    /// What the disk would hold after a cut at each moment since it was asked to remember.
    cuts: Vec<(usize, Vec<u8>)>,
    acknowledged: usize,
    seed: u64,
}

impl Platter {
    /// Returns what a cut leaves: everything synced, and by chance some sectors of the rest.
    fn cut(&mut self) -> Vec<u8> {
        let mut left = self.durable.clone();
        left.resize(self.current.len(), 0);
        for sector in self.unsure.keys() {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if self.seed >> 63 == 1 {
                let (from, to) = (sector * SECTOR, (sector * SECTOR + SECTOR).min(left.len()));
                if let (Some(to), Some(from)) = (left.get_mut(from..to), self.current.get(from..to)) {
                    to.copy_from_slice(from);
                }
            }
        }
        left
    }
}

#[derive(Debug, Default)]
struct Disk(Mutex<Platter>);

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let platter = self.0.lock().unwrap();
        out.copy_from_slice(platter.current.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().unwrap().current.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        // The worst moment is just before a sync: the most is unsure then.
        let (acknowledged, cut) = (platter.acknowledged, platter.cut());
        platter.cuts.push((acknowledged, cut));
        platter.durable = platter.current.clone();
        platter.unsure.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let mut platter = self.0.lock().unwrap();
        platter.current.get_mut(offset..offset + data.len()).ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        for sector in offset / SECTOR..=(offset + data.len().max(1) - 1) / SECTOR {
            platter.unsure.insert(sector, ());
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_acknowledged_operation_survives_a_power_cut_at_any_sync() {
    let disk = Arc::new(Disk::default());
    let store = Embedded::on(Medium::Backend(Arc::clone(&disk) as Arc<dyn StorageBackend>), shared(&clock())).unwrap();
    disk.0.lock().unwrap().cuts.clear();
    let mut acknowledged = Vec::new();
    for _ in 0..25 {
        acknowledged.push(admit(&store).await.unwrap());
        let mut platter = disk.0.lock().unwrap();
        platter.acknowledged = acknowledged.len();
        let cut = platter.cut();
        platter.cuts.push((acknowledged.len(), cut));
    }
    let cuts = std::mem::take(&mut disk.0.lock().unwrap().cuts);
    assert!(cuts.len() >= 50, "a cut before and after each commit's sync: {}", cuts.len());
    for (sure, left) in cuts {
        let platter = Platter { durable: left.clone(), current: left, ..Platter::default() };
        let rest = Medium::Backend(Arc::new(Disk(Mutex::new(platter))));
        let after = Embedded::on(rest, shared(&clock())).expect("the store opens after a power cut");
        for kept in acknowledged.iter().take(sure) {
            assert_eq!(after.get(kept.id).await.unwrap(), *kept);
        }
        after.check().await.unwrap();
    }
}
