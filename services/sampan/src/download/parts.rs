//! Cuts a file into parts and remembers which of them are there, through crashes.
//!
//! Beside `FILE.part` stands `FILE.part.json` with the CRC-64 of every part that is complete ([`super::notes`]). After
//! a crash, a part counts only when its bytes on the disk still have that CRC. A complete file without such notes is
//! taken on trust, and checked as a whole at the end.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
#[cfg(target_os = "linux")]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crc_fast::{CrcAlgorithm, Digest};

use super::block::{ALIGN, Block};
use super::notes::{self, Header, Note, Notes};
use super::sparse;

const MIB: u64 = 1024 * 1024;
const LARGE_FILE: u64 = 512 * MIB;
const BUFFER: usize = 1024 * 1024;
/// Smallest hole that direct writes leave: each hole cuts a write in two, and each direct write waits for the disk.
const DIRECT_HOLE: usize = 64 * 1024;

/// How sure a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Missing,
    /// Found on the disk without a note of its CRC.
    Trusted(u64),
    /// Fetched now, or equal to its note.
    Known(u64),
}

/// A file in the making.
#[derive(Debug)]
pub(super) struct Layout {
    file: File,
    /// The same file past the page cache, where the file system can.
    direct: Option<File>,
    path: PathBuf,
    part_path: PathBuf,
    notes: Notes,
    /// Size of the whole.
    pub(super) size_bytes: u64,
    /// Size of every part but the last.
    pub(super) part_bytes: u64,
    /// CRC-64 of the whole, where the bucket told it.
    pub(super) expected: Option<u64>,
    /// Whether the file was made just now: what is not written is zero.
    is_fresh: AtomicBool,
    parts: Mutex<Vec<Part>>,
}

impl Layout {
    /// Opens what is there of `path`, or makes it.
    ///
    /// - `is_read_soon`: whether the bytes are read again while the rest arrives; they stay in memory then.
    pub(super) fn open(
        path: &Path,
        (size_bytes, etag): (u64, &str),
        expected: Option<u64>,
        is_read_soon: bool,
    ) -> io::Result<Self> {
        let part_path = with_ending(path, ".part");
        let finished = path.exists();
        if finished {
            // A file of that name is either the result already or a broken one: both are looked at the same way.
            std::fs::rename(path, &part_path)?;
        }
        let is_fresh = !part_path.exists();
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&part_path)?;
        let found = file.metadata()?.len();
        file.set_len(size_bytes)?;
        let direct = if is_read_soon { None } else { open_direct(&part_path) };
        let part_bytes = if size_bytes >= LARGE_FILE { 32 * MIB } else { 8 * MIB };
        let header = Header { size_bytes, etag: etag.to_owned(), part_bytes };
        let count = usize::try_from(size_bytes.div_ceil(part_bytes)).map_err(io::Error::other)?;
        let layout = Self {
            file,
            direct,
            path: path.to_owned(),
            part_path,
            notes: Notes::new(with_ending(path, ".part.json"), header),
            size_bytes,
            part_bytes,
            expected,
            is_fresh: AtomicBool::new(is_fresh),
            parts: Mutex::new(vec![Part::Missing; count]),
        };
        if !is_fresh {
            layout.take_stock(found, finished)?;
        }
        Ok(layout)
    }

    /// Decides which parts of an old file count.
    fn take_stock(&self, found_bytes: u64, was_finished: bool) -> io::Result<()> {
        let notes: HashMap<usize, u64> = self.notes.read().into_iter().map(|note| (note.part, note.crc64)).collect();
        for index in 0..self.count() {
            let (start, length) = self.range(index);
            let is_whole = start + length <= found_bytes;
            let noted = notes.get(&index).copied();
            let part = match noted {
                _ if !is_whole => Part::Missing,
                Some(noted) if self.crc_on_disk(index)? == noted => Part::Known(noted),
                Some(_) => Part::Missing,
                None if was_finished => Part::Trusted(self.crc_on_disk(index)?),
                None => Part::Missing,
            };
            self.set(index, part);
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Returns start and length of a part, in bytes.
    pub(super) fn range(&self, index: usize) -> (u64, u64) {
        let start = u64::try_from(index).unwrap_or(u64::MAX).saturating_mul(self.part_bytes);
        (start, self.part_bytes.min(self.size_bytes.saturating_sub(start)))
    }

    /// Returns the parts that have to be fetched.
    pub(super) fn missing(&self) -> Vec<usize> {
        self.lock().iter().enumerate().filter(|(_, part)| **part == Part::Missing).map(|(index, _)| index).collect()
    }

    /// Returns whether the part is there.
    pub(super) fn has(&self, index: usize) -> bool {
        self.lock().get(index).is_some_and(|part| *part != Part::Missing)
    }

    /// Returns the bytes that are there.
    pub(super) fn present_bytes(&self) -> u64 {
        (0..self.count()).filter(|index| self.has(*index)).map(|index| self.range(index).1).sum()
    }

    /// Writes a block; holes are left out where the file is new.
    ///
    /// What need not be read again soon goes past the page cache: filling fresh pages costs more than anything else
    /// of a fast download, and takes the memory from those who use it.
    pub(super) fn write(&self, block: &Block, at: u64) -> io::Result<()> {
        let bytes = block.bytes();
        let direct = self.direct.as_ref().filter(|_| at.is_multiple_of(ALIGN as u64));
        let Some(direct) = direct else { return self.write_to(&self.file, bytes, at, sparse::BLOCK) };
        let (whole, rest) = bytes.split_at(bytes.len() - bytes.len() % ALIGN);
        match self.write_to(direct, whole, at, DIRECT_HOLE) {
            // Some disks want another alignment, and some file systems say only here that they cannot.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.write_to(&self.file, bytes, at, sparse::BLOCK)
            }
            Err(error) => Err(error),
            Ok(()) => self.write_to(&self.file, rest, at + whole.len() as u64, sparse::BLOCK),
        }
    }

    fn write_to(&self, file: &File, bytes: &[u8], at: u64, hole: usize) -> io::Result<()> {
        if self.is_fresh.load(Ordering::Relaxed) {
            sparse::write_at(file, bytes, at, hole)
        } else {
            file.write_all_at(bytes, at)
        }
    }

    /// Reads bytes that are there.
    pub(super) fn read(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    /// Notes that a part is complete.
    pub(super) fn complete(&self, index: usize, crc64: u64) -> io::Result<()> {
        self.set(index, Part::Known(crc64));
        self.notes.add(Note { part: index, crc64 }, || self.known())
    }

    /// Lists the parts that are sure.
    fn known(&self) -> Vec<Note> {
        let parts = self.lock();
        let known = parts.iter().enumerate().filter_map(|(part, state)| match state {
            Part::Known(crc64) => Some(Note { part, crc64: *crc64 }),
            Part::Missing | Part::Trusted(_) => None,
        });
        known.collect()
    }

    /// Returns the CRC-64 of the whole; `None` while a part is missing.
    pub(super) fn crc64(&self) -> Option<u64> {
        let mut whole = Digest::new(CrcAlgorithm::Crc64Xz).finalize();
        let parts = self.lock().clone();
        for (index, part) in parts.iter().enumerate() {
            let (Part::Known(crc64) | Part::Trusted(crc64)) = *part else { return None };
            whole = crc_fast::checksum_combine(CrcAlgorithm::Crc64Xz, whole, crc64, self.range(index).1);
        }
        Some(whole)
    }

    /// Forgets what was only trusted; returns whether there was any.
    pub(super) fn distrust(&self) -> bool {
        let mut any = false;
        for part in self.lock().iter_mut().filter(|part| matches!(part, Part::Trusted(_))) {
            *part = Part::Missing;
            any = true;
        }
        any
    }

    /// Forgets everything: the object changed under the download.
    pub(super) fn forget(&self) {
        self.is_fresh.store(false, Ordering::Relaxed);
        self.lock().fill(Part::Missing);
        // Notes that stay are of parts whose CRC does not fit: they will not count.
        let _ = self.notes.remove();
    }

    /// Gives the complete file its name.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.file.sync_data()?;
        std::fs::rename(&self.part_path, &self.path)?;
        self.notes.remove()
    }

    /// Removes the file: what was made from it is kept instead.
    pub(super) fn discard(&self) -> io::Result<()> {
        notes::remove(&self.part_path)?;
        self.notes.remove()
    }

    fn crc_on_disk(&self, index: usize) -> io::Result<u64> {
        let (start, length) = self.range(index);
        let mut digest = Digest::new(CrcAlgorithm::Crc64Xz);
        let mut buffer = vec![0; BUFFER];
        let mut done = 0;
        while done < length {
            let want = usize::try_from(length - done).unwrap_or(BUFFER).min(BUFFER);
            let Some(slice) = buffer.get_mut(..want) else { break };
            self.file.read_exact_at(slice, start + done)?;
            digest.update(slice);
            done += want as u64;
        }
        Ok(digest.finalize())
    }

    fn set(&self, index: usize, part: Part) {
        if let Some(place) = self.lock().get_mut(index) {
            *place = part;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Opens a file past the page cache.
#[cfg(target_os = "linux")]
fn open_direct(path: &Path) -> Option<File> {
    let flag = i32::try_from(rustix::fs::OFlags::DIRECT.bits()).ok()?;
    // A file system that cannot is no failure: the page cache serves as well.
    File::options().write(true).custom_flags(flag).open(path).ok()
}

#[cfg(not(target_os = "linux"))]
fn open_direct(_: &Path) -> Option<File> {
    None
}
