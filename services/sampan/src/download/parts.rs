//! Cuts a file into parts and remembers which of them are there, through crashes.
//!
//! Beside `FILE.part` stands `FILE.part.json` with the CRC-64 of every part that is complete. After a crash, a part
//! counts only when its bytes on the disk still have that CRC. A complete file without such notes is taken on trust,
//! and checked as a whole at the end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crc_fast::{CrcAlgorithm, Digest};
use serde::{Deserialize, Serialize};

const MIB: u64 = 1024 * 1024;
const LARGE_FILE: u64 = 1024 * MIB;
const BUFFER: usize = 1024 * 1024;

/// How sure a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Missing,
    /// Found on the disk without a note of its CRC.
    Trusted(u64),
    /// Fetched now, or equal to its note.
    Known(u64),
}

/// What is kept beside the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    size_bytes: u64,
    etag: String,
    part_bytes: u64,
    crc64: Vec<Option<u64>>,
}

/// A file in the making.
#[derive(Debug)]
pub(super) struct Layout {
    file: File,
    path: PathBuf,
    part_path: PathBuf,
    notes_path: PathBuf,
    etag: String,
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
    pub(super) fn open(path: &Path, size_bytes: u64, etag: &str, expected: Option<u64>) -> io::Result<Self> {
        let part_path = with_ending(path, ".part");
        let notes_path = with_ending(path, ".part.json");
        let finished = path.exists();
        if finished {
            // A file of that name is either the result already or a broken one: both are looked at the same way.
            std::fs::rename(path, &part_path)?;
        }
        let is_fresh = !part_path.exists();
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&part_path)?;
        let found = file.metadata()?.len();
        file.set_len(size_bytes)?;
        let part_bytes = if size_bytes > LARGE_FILE { 32 * MIB } else { 8 * MIB };
        let count = usize::try_from(size_bytes.div_ceil(part_bytes)).map_err(io::Error::other)?;
        let layout = Self {
            file,
            path: path.to_owned(),
            part_path,
            notes_path,
            etag: etag.to_owned(),
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
        let notes = self.read_notes();
        for index in 0..self.count() {
            let (start, length) = self.range(index);
            let is_whole = start + length <= found_bytes;
            let noted = notes.crc64.get(index).copied().flatten();
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

    /// Writes bytes; holes are left out where the file is new.
    pub(super) fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        if self.is_fresh.load(Ordering::Relaxed) {
            super::sparse::write_at(&self.file, bytes, at)
        } else {
            self.file.write_all_at(bytes, at)
        }
    }

    /// Reads bytes that are there.
    pub(super) fn read(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    /// Notes that a part is complete.
    pub(super) fn complete(&self, index: usize, crc64: u64) -> io::Result<()> {
        self.set(index, Part::Known(crc64));
        self.write_notes()
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
        let _ = std::fs::remove_file(&self.notes_path);
    }

    /// Gives the complete file its name.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.file.sync_data()?;
        std::fs::rename(&self.part_path, &self.path)?;
        remove(&self.notes_path)
    }

    /// Removes the file: what was made from it is kept instead.
    pub(super) fn discard(&self) -> io::Result<()> {
        remove(&self.part_path)?;
        remove(&self.notes_path)
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

    fn read_notes(&self) -> Notes {
        let notes: Notes = std::fs::read(&self.notes_path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        let fits =
            notes.size_bytes == self.size_bytes && notes.etag == self.etag && notes.part_bytes == self.part_bytes;
        if fits { notes } else { Notes::default() }
    }

    fn write_notes(&self) -> io::Result<()> {
        let parts = self.lock();
        let crc64 = parts.iter().map(|part| if let Part::Known(crc64) = part { Some(*crc64) } else { None }).collect();
        let notes = Notes { size_bytes: self.size_bytes, etag: self.etag.clone(), part_bytes: self.part_bytes, crc64 };
        let fresh = with_ending(&self.notes_path, ".new");
        std::fs::write(&fresh, serde_json::to_vec(&notes).map_err(io::Error::other)?)?;
        // The lock is held until the rename, so that an older note never replaces a newer one.
        std::fs::rename(&fresh, &self.notes_path)
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

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
