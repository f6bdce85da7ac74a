//! Decides how a database is opened on paper: reads come from the medium, writes stay in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use redb::StorageBackend;

/// Bytes that are kept together.
const PAGE: u64 = 4096;

/// A medium that several databases use one after the other.
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<dyn StorageBackend>);

impl StorageBackend for Shared {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.0.write(offset, data)
    }
}

/// What was written, on top of a medium that is only read.
#[derive(Debug)]
pub(super) struct Overlay {
    below: Box<dyn StorageBackend>,
    above: Mutex<Above>,
}

#[derive(Debug)]
struct Above {
    length: u64,
    /// Bytes of the medium below that still count: what is cut off and grown again is zero.
    below_length: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(super) fn new(below: Box<dyn StorageBackend>) -> io::Result<Self> {
        let length = below.len()?;
        Ok(Self { below, above: Mutex::new(Above { length, below_length: length, pages: BTreeMap::new() }) })
    }
}

impl Above {
    fn page(&self, below: &dyn StorageBackend, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = self.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; as_size(PAGE)];
        let start = number.saturating_mul(PAGE);
        let there = self.below_length.saturating_sub(start).min(PAGE);
        if let Some(part) = page.get_mut(..as_size(there)).filter(|part| !part.is_empty()) {
            below.read(start, part)?;
        }
        Ok(page)
    }
}

/// Calls `each` with page number, offset in the page, and the part of `0..length` that lies there.
fn each_page(
    offset: u64,
    length: usize,
    mut each: impl FnMut(u64, usize, std::ops::Range<usize>) -> io::Result<()>,
) -> io::Result<()> {
    let mut done = 0;
    while done < length {
        let at = offset.saturating_add(done as u64);
        let within = as_size(at % PAGE);
        let part = (as_size(PAGE) - within).min(length - done);
        each(at / PAGE, within, done..done + part)?;
        done += part;
    }
    Ok(())
}

fn as_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn outside() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

impl StorageBackend for Overlay {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.above.lock().unwrap_or_else(PoisonError::into_inner).length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.saturating_add(out.len() as u64) > above.length {
            return Err(outside());
        }
        each_page(offset, out.len(), |number, within, part| {
            let page = above.page(&*self.below, number)?;
            let from = page.get(within..within + part.len()).ok_or_else(outside)?;
            out.get_mut(part).ok_or_else(outside)?.copy_from_slice(from);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if len < above.length {
            above.below_length = above.below_length.min(len);
            above.pages.retain(|number, _| number.saturating_mul(PAGE) < len);
            if let Some(page) = above.pages.get_mut(&(len / PAGE)) {
                let kept = as_size(len % PAGE);
                page.iter_mut().skip(kept).for_each(|byte| *byte = 0);
            }
        }
        above.length = len;
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.saturating_add(data.len() as u64) > above.length {
            return Err(outside());
        }
        each_page(offset, data.len(), |number, within, part| {
            let mut page = above.page(&*self.below, number)?;
            let to = page.get_mut(within..within + part.len()).ok_or_else(outside)?;
            to.copy_from_slice(data.get(part).ok_or_else(outside)?);
            above.pages.insert(number, page);
            Ok(())
        })
    }
}
