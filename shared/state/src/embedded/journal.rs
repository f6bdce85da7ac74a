//! Decides how a commit reaches the disk: in one piece of a journal instead of scattered over the file of pages.
//!
//! A commit of redb touches ten pages or more that lie far apart, and a disk writes each of them for itself. So every
//! sync appends what was written since the last one to the journal, in one frame, and syncs the journal alone. The
//! pages are written to their places as well, but need not be durable there until the journal is full: then they
//! are, once for many commits ([`Journaled::settle`]), and the journal begins anew. After a crash the frames are
//! written to their places again ([`replay`]).
//!
//! A frame counts when its checksum fits, so a torn one at the end was never acknowledged. Of what was written after
//! the last frame any part may have arrived in its place; redb expects just that of a crash between two syncs.
//!
//! ```text
//! block 0     magic, epoch, checksum
//! block n…    magic, epoch, number, length of the body, checksum; body: (offset, length, bytes)…; padding
//! ```

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crc_fast::{CrcAlgorithm, Digest};
use redb::{BackendError, StorageBackend};

/// Frames begin at multiples of this.
const BLOCK: u64 = 4096;
/// Length of the journal that makes it begin anew.
const LARGEST: u64 = if cfg!(test) { 256 * 1024 } else { 64 * 1024 * 1024 };
/// The journal grows by so much at a time: a write into bytes that are there already is the cheapest one.
const STEP: u64 = 1024 * 1024;
const HEADER_MAGIC: u64 = u64::from_le_bytes(*b"sampanJ1");
const FRAME_MAGIC: u64 = u64::from_le_bytes(*b"sampanF1");
/// Numbers before the body of a frame.
const FRAME_NUMBERS: usize = 5;
const FRAME_HEAD: usize = FRAME_NUMBERS * 8;

/// Pages that are kept twice for a while: in their places, and in the journal that makes them durable.
#[derive(Debug)]
pub(super) struct Journaled {
    pages: Arc<dyn StorageBackend>,
    journal: Arc<dyn StorageBackend>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Grows whenever the journal begins anew: frames of an earlier epoch count no more.
    epoch: u64,
    /// Frames of this epoch.
    frames: u64,
    /// Where the next frame goes.
    end: u64,
    /// Length of the journal's file.
    length: u64,
    /// The next frame: room for its head, then what was written since the last sync.
    frame: Vec<u8>,
    /// The next sync makes the pages durable in their places, because the frame does not hold all of them.
    in_place: bool,
}

impl Journaled {
    /// Brings the pages to the state of the last frame, and begins the journal anew.
    pub(super) fn open(pages: Arc<dyn StorageBackend>, journal: Arc<dyn StorageBackend>) -> io::Result<Self> {
        let epoch = replay(&*journal, &mut |offset, bytes| pages.write(offset, bytes))?;
        let length = journal.len()?;
        let state = State { epoch, frames: 0, end: BLOCK, length, frame: vec![0; FRAME_HEAD], in_place: true };
        let journaled = Self { pages, journal, state: Mutex::new(state) };
        journaled.settle(&mut journaled.lock())?;
        Ok(journaled)
    }

    /// Makes the pages durable in their places and begins the journal anew.
    fn settle(&self, state: &mut State) -> io::Result<()> {
        // Until the end of this nothing relies on the frame; after a failure the next sync tries again.
        state.in_place = true;
        self.pages.sync_data()?;
        self.grow(state, BLOCK)?;
        let epoch = state.epoch.saturating_add(1);
        let mut header = Vec::new();
        [HEADER_MAGIC, epoch].iter().for_each(|number| header.extend_from_slice(&number.to_le_bytes()));
        header.extend_from_slice(&checksum(&[&header]).to_le_bytes());
        self.journal.write(0, &header)?;
        self.journal.sync_data()?;
        state.epoch = epoch;
        (state.frames, state.end, state.in_place) = (0, BLOCK, false);
        state.frame.truncate(FRAME_HEAD);
        Ok(())
    }

    /// Appends the frame and makes it durable.
    fn append(&self, state: &mut State) -> io::Result<()> {
        let body = (state.frame.len() - FRAME_HEAD) as u64;
        let numbers = [FRAME_MAGIC, state.epoch, state.frames, body];
        let head: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let sum = checksum(&[&head, state.frame.get(FRAME_HEAD..).unwrap_or_default()]);
        let head = head.into_iter().chain(sum.to_le_bytes());
        state.frame.iter_mut().zip(head).for_each(|(place, byte)| *place = byte);
        let padded = state.frame.len().next_multiple_of(as_size(BLOCK));
        state.frame.resize(padded, 0);
        let next = state.end + padded as u64;
        self.grow(state, next)?;
        self.journal.write(state.end, &state.frame)?;
        self.journal.sync_data()?;
        state.end = next;
        state.frames += 1;
        state.frame.truncate(FRAME_HEAD);
        // One large commit must not take its memory for ever.
        state.frame.shrink_to(as_size(STEP));
        Ok(())
    }

    /// Makes the journal long enough, with real zeros: a hole would cost as much as a longer file at every sync.
    fn grow(&self, state: &mut State, wanted: u64) -> io::Result<()> {
        if wanted <= state.length {
            return Ok(());
        }
        let length = if wanted > BLOCK { wanted.next_multiple_of(STEP) } else { BLOCK };
        self.journal.set_len(length)?;
        self.journal.write(state.length, &vec![0; as_size(length - state.length)])?;
        state.length = length;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls `apply` with offset and bytes of every write of the journal, in their order; returns its epoch.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when frames are missing before others: the journal is damaged.
pub(super) fn replay(
    journal: &dyn StorageBackend,
    apply: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let length = journal.len()?;
    let Some([magic, epoch, sum]) = numbers(journal, 0, length)? else { return Ok(0) };
    if [magic, epoch, sum] == [0; 3] {
        // A crash came while the journal was made.
        return Ok(0);
    }
    if magic != HEADER_MAGIC || sum != checksum(&[&magic.to_le_bytes(), &epoch.to_le_bytes()]) {
        return Err(damaged());
    }
    let (mut at, mut frames) = (BLOCK, 0);
    while let Some(body) = frame(journal, at, length, (epoch, frames))? {
        each_write(&body, apply)?;
        at += (FRAME_HEAD as u64 + body.len() as u64).next_multiple_of(BLOCK);
        frames += 1;
    }
    // The first frame that does not count must be the last one: those behind it would be lost with it.
    while let Some([magic, of, number]) = numbers(journal, at, length)? {
        if magic == FRAME_MAGIC && of == epoch && number > frames {
            return Err(damaged());
        }
        at += BLOCK;
    }
    Ok(epoch)
}

/// Returns the body of the frame at `at`, if it is whole and the one that is expected there.
fn frame(journal: &dyn StorageBackend, at: u64, length: u64, expected: (u64, u64)) -> io::Result<Option<Vec<u8>>> {
    let Some(head) = numbers::<FRAME_NUMBERS>(journal, at, length)? else { return Ok(None) };
    let [magic, epoch, number, body_length, sum] = head;
    let begin = at + FRAME_HEAD as u64;
    let fits = begin.checked_add(body_length).is_some_and(|end| end <= length);
    if magic != FRAME_MAGIC || (epoch, number) != expected || !fits {
        return Ok(None);
    }
    let mut body = vec![0; as_size(body_length)];
    journal.read(begin, &mut body)?;
    let head: Vec<u8> = [magic, epoch, number, body_length].iter().flat_map(|number| number.to_le_bytes()).collect();
    Ok((checksum(&[&head, &body]) == sum).then_some(body))
}

pub(super) fn each_write(mut body: &[u8], apply: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
    while !body.is_empty() {
        let (offset, rest) = body.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (bytes, rest) = rest.split_at_checked(as_size(u64::from_le_bytes(*length))).ok_or_else(damaged)?;
        apply(u64::from_le_bytes(*offset), bytes)?;
        body = rest;
    }
    Ok(())
}

/// Reads numbers, unless the journal ends before.
fn numbers<const N: usize>(journal: &dyn StorageBackend, at: u64, length: u64) -> io::Result<Option<[u64; N]>> {
    let mut bytes = vec![0; N * 8];
    if at + bytes.len() as u64 > length {
        return Ok(None);
    }
    journal.read(at, &mut bytes)?;
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *number = u64::from_le_bytes(*bytes);
    }
    Ok(Some(numbers))
}

fn checksum(parts: &[&[u8]]) -> u64 {
    let mut digest = Digest::new(CrcAlgorithm::Crc64Xz);
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize()
}

fn as_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the journal is damaged")
}

impl StorageBackend for Journaled {
    fn len(&self) -> Result<u64, io::Error> {
        self.pages.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.pages.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut state = self.lock();
        // No frame may speak of bytes that are cut off here.
        self.settle(&mut state)?;
        state.in_place = true;
        self.pages.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut state = self.lock();
        if state.in_place || state.end + state.frame.len() as u64 > LARGEST {
            return self.settle(&mut state);
        }
        if state.frame.len() == FRAME_HEAD {
            return Ok(());
        }
        match self.append(&mut state) {
            Ok(()) => Ok(()),
            // The disk may have no room for a longer journal, but has that of the pages already.
            Err(_) => self.settle(&mut state),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut state = self.lock();
        if state.frame.len() + data.len() > as_size(LARGEST / 2) {
            state.in_place = true;
            state.frame = vec![0; FRAME_HEAD];
        }
        if !state.in_place {
            state.frame.extend_from_slice(&offset.to_le_bytes());
            state.frame.extend_from_slice(&(data.len() as u64).to_le_bytes());
            state.frame.extend_from_slice(data);
        }
        self.pages.write(offset, data)
    }

    /// Leaves a file of pages that is whole by itself.
    fn close(&self) -> Result<(), io::Error> {
        let mut state = self.lock();
        let settled = self.settle(&mut state).and_then(|()| self.journal.set_len(BLOCK));
        self.journal.close()?;
        self.pages.close()?;
        settled
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.query_lock_range(start, end)
    }
}
