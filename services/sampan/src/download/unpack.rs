//! Unpacks an archive while its parts arrive: a reader that waits at the end of what is there.
//!
//! What an archive says about its size is not believed: a few bytes can promise to become exabytes. [`Room`] says how
//! large the file may be.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::parts::Layout;
use super::sparse;

const BUFFER: usize = 256 * 1024;
const GIB: u64 = 1024 * 1024 * 1024;
/// What may come before and behind the member: names, and the map of the holes of a disk with millions of them.
const AROUND: u64 = 256 * 1024 * 1024;

/// How large the unpacked file may be.
#[derive(Debug, Clone)]
pub(super) struct Room {
    bytes: u64,
    whose: String,
}

impl Room {
    /// Gives a disk of `size_gib` its size and what its format adds; without a size, what is free where `path` will be.
    pub(super) fn of(size_gib: u64, path: &Path) -> Self {
        let disk = size_gib.saturating_mul(GIB);
        match (size_gib, path.parent().and_then(free_bytes)) {
            (0, free) => Self { bytes: free.unwrap_or(u64::MAX), whose: "that are free in the folder".to_owned() },
            // Tables of VMDK and QCOW2 take 8 to 16 bytes for 64 KiB; the footer of a VHD takes 512.
            (_, _) => {
                let bytes = disk.saturating_add(disk / 1024).saturating_add(1024 * 1024);
                Self { bytes, whose: format!("that a disk of {size_gib} GiB has with its format") }
            }
        }
    }

    fn exceeded(&self, by: &str) -> io::Error {
        malformed(&format!("{by} more than the {} bytes {}", self.bytes, self.whose))
    }
}

/// Returns what is free for users in a folder, where the system tells it.
#[cfg(target_os = "linux")]
fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let disk = rustix::fs::fstatvfs(File::open(folder).ok()?).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(target_os = "linux"))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// How far an archive is there without a gap.
#[derive(Debug)]
pub(super) struct Watermark {
    state: Mutex<Mark>,
    raised: Condvar,
}

#[derive(Debug, Default)]
struct Mark {
    contiguous_bytes: u64,
    /// Grows when bytes below the mark may have been replaced.
    round: u32,
    end: Option<bool>,
}

impl Watermark {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), raised: Condvar::new() })
    }

    /// Begins a round of fetching: readers of an earlier one begin anew.
    pub(super) fn restart(&self, layout: &Layout) {
        self.lock().round += 1;
        self.set(contiguous(layout));
    }

    /// Moves the mark to the end of what is there.
    pub(super) fn raise(&self, layout: &Layout) {
        self.set(contiguous(layout));
    }

    /// Says that nothing more comes, and whether the whole is there and checked; the first word counts.
    pub(super) fn close(&self, is_good: bool) {
        self.lock().end.get_or_insert(is_good);
        self.raised.notify_all();
    }

    fn set(&self, contiguous_bytes: u64) {
        self.lock().contiguous_bytes = contiguous_bytes;
        self.raised.notify_all();
    }

    /// Waits until bytes behind `position` are there; returns how many, 0 at the end.
    fn wait_beyond(&self, position: u64, size: u64, round: u32) -> io::Result<u64> {
        let mut mark = self.lock();
        loop {
            if mark.end == Some(false) || mark.round != round {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "the download began anew or broke off"));
            }
            if position >= size || mark.contiguous_bytes > position {
                return Ok(mark.contiguous_bytes.saturating_sub(position));
            }
            mark = self.raised.wait(mark).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the end; returns whether the whole is good and belongs to `round`.
    fn wait_end(&self, round: u32) -> bool {
        let mut mark = self.lock();
        while mark.end.is_none() && mark.round == round {
            mark = self.raised.wait(mark).unwrap_or_else(PoisonError::into_inner);
        }
        mark.end == Some(true) && mark.round == round
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Mark> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn contiguous(layout: &Layout) -> u64 {
    (0..layout.count()).take_while(|part| layout.has(*part)).map(|part| layout.range(part).1).sum()
}

/// An unpacked file that waits for its name.
#[derive(Debug)]
pub(super) struct Unpacked {
    temporary: PathBuf,
}

impl Unpacked {
    /// Gives the file its name.
    pub(super) fn keep(self, path: &Path) -> io::Result<()> {
        std::fs::rename(&self.temporary, path)
    }
}

/// Unpacks the one member of the archive behind the streams that bring it; ends when the download has ended.
///
/// # Errors
/// When the archive is malformed or larger than `room`, or the disk refuses; nothing is left behind then.
///
/// # Cancellation
/// The blocking part ends by itself as soon as the watermark is closed.
pub(super) async fn follow(
    layout: Arc<Layout>,
    watermark: Arc<Watermark>,
    path: &Path,
    room: Room,
) -> io::Result<Unpacked> {
    let mut name = path.as_os_str().to_owned();
    name.push(".unpacking");
    let temporary = PathBuf::from(name);
    let work = tokio::task::spawn_blocking(move || {
        let outcome = rounds(&layout, &watermark, &temporary, &room);
        if outcome.is_err() {
            // Best effort: what matters is the first error.
            let _ = std::fs::remove_file(&temporary);
        }
        outcome.map(|()| Unpacked { temporary })
    });
    work.await.map_err(io::Error::other)?
}

fn rounds(layout: &Arc<Layout>, watermark: &Arc<Watermark>, temporary: &Path, room: &Room) -> io::Result<()> {
    loop {
        let round = watermark.lock().round;
        let (layout, watermark) = (Arc::clone(layout), Arc::clone(watermark));
        let reader = ArchiveReader { layout, watermark: Arc::clone(&watermark), round, position: 0 };
        let once = unpack(reader, temporary, room);
        let is_good = watermark.wait_end(round);
        match once {
            Ok(()) if is_good => return Ok(()),
            // Bytes were replaced meanwhile: what was unpacked from them does not count.
            _ if watermark.lock().round != round => {}
            Ok(()) => return Err(io::Error::new(io::ErrorKind::Interrupted, "the download broke off")),
            Err(error) => return Err(error),
        }
    }
}

fn unpack(packed: impl Read, temporary: &Path, room: &Room) -> io::Result<()> {
    let inner = flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(BUFFER, packed));
    let left = Rc::new(Cell::new(AROUND));
    let mut archive = tar::Archive::new(Bounded { inner, left: Rc::clone(&left), room });
    let mut entries = archive.entries()?;
    let mut member = entries.next().ok_or_else(|| malformed("the archive is empty"))??;
    let kind = member.header().entry_type();
    if !(kind.is_file() || kind.is_gnu_sparse()) {
        return Err(malformed("the archive's member is no file"));
    }
    // Of a sparse file that is the size with its holes, which need not be in the archive.
    if member.size() > room.bytes {
        return Err(room.exceeded(&format!("its member has {} bytes,", member.size())));
    }
    left.set(room.bytes.saturating_add(AROUND));
    let file = File::create(temporary)?;
    let mut buffer = vec![0; BUFFER];
    let mut written = 0;
    loop {
        let count = member.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        sparse::write_at(&file, bytes, written, sparse::BLOCK)?;
        written += bytes.len() as u64;
    }
    file.set_len(written)?;
    file.sync_data()?;
    if entries.next().is_some() {
        return Err(malformed("the archive has more than one member"));
    }
    Ok(())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Reads no more than there is to be: neither headers nor what stands behind the member have another end.
struct Bounded<'a, R> {
    inner: R,
    left: Rc<Cell<u64>>,
    room: &'a Room,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if want == 0 && !buffer.is_empty() {
            return Err(self.room.exceeded("the archive holds"));
        }
        let count = self.inner.read(buffer.get_mut(..want).unwrap_or_default())?;
        self.left.set(left - count as u64);
        Ok(count)
    }
}

/// Reads an archive in order while it arrives out of order.
struct ArchiveReader {
    layout: Arc<Layout>,
    watermark: Arc<Watermark>,
    round: u32,
    position: u64,
}

impl Read for ArchiveReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.watermark.wait_beyond(self.position, self.layout.size_bytes, self.round)?;
        let want = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.layout.read(buffer.get_mut(..want).unwrap_or_default(), self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const SMALL: u64 = 64 * 1024;

    fn room() -> Room {
        Room { bytes: SMALL, whose: "of a test".to_owned() }
    }

    /// Packs a header, and `content` behind it.
    fn packed(header: &tar::Header, content: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(header.as_bytes()).unwrap();
        gzip.write_all(content).unwrap();
        gzip.write_all(&[0; 1024]).unwrap();
        gzip.finish().unwrap()
    }

    fn header(kind: tar::EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_path("disk.raw").unwrap();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        header
    }

    /// A sparse file of `size` bytes, of which the archive holds none.
    fn all_hole(size: u64) -> tar::Header {
        let mut header = header(tar::EntryType::GNUSparse, 0);
        let octal = |field: &mut [u8; 12], value: u64| {
            let text = format!("{value:011o}");
            // Numbers above 8 GiB are binary, with a mark in the first byte.
            if text.len() == 11 {
                field[..11].copy_from_slice(text.as_bytes());
                field[11] = 0;
            } else {
                *field = [0; 12];
                field[0] = 0x80;
                field[4..].copy_from_slice(&value.to_be_bytes());
            }
        };
        let gnu = header.as_gnu_mut().unwrap();
        octal(&mut gnu.realsize, size);
        octal(&mut gnu.sparse[0].offset, size);
        octal(&mut gnu.sparse[0].numbytes, 0);
        header.set_cksum();
        header
    }

    fn unpacked(archive: &[u8]) -> Result<u64, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        unpack(archive, &path, &room()).map_err(|error| error.to_string())?;
        Ok(std::fs::metadata(path).unwrap().len())
    }

    #[test]
    fn a_file_as_large_as_its_room_is_unpacked_and_a_larger_one_is_refused_with_both_sizes() {
        let content = |size: u64| vec![7; usize::try_from(size).unwrap()];
        let regular = |size| packed(&header(tar::EntryType::Regular, size), &content(size));
        assert_eq!(unpacked(&regular(SMALL)), Ok(SMALL));
        let refused = unpacked(&regular(SMALL + 512)).unwrap_err();
        assert!(refused.contains("66048 bytes") && refused.contains("65536 bytes of a test"), "{refused}");
    }

    #[test]
    fn a_sparse_file_that_promises_exabytes_is_refused_before_anything_is_written() {
        assert_eq!(unpacked(&packed(&all_hole(SMALL), &[])), Ok(SMALL));
        for huge in [SMALL + 1, 1 << 40, 1 << 62] {
            let refused = unpacked(&packed(&all_hole(huge), &[])).unwrap_err();
            assert!(refused.contains(&format!("its member has {huge} bytes")), "{refused}");
        }
    }

    #[test]
    fn a_name_that_never_ends_is_refused() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(header(tar::EntryType::GNULongName, 1 << 40).as_bytes()).unwrap();
        for _ in 0..=AROUND / SMALL {
            gzip.write_all(&[b'x'; SMALL as usize]).unwrap();
        }
        let refused = unpacked(&gzip.finish().unwrap()).unwrap_err();
        assert!(refused.contains("the archive holds more than"), "{refused}");
    }

    #[test]
    fn a_disk_has_its_size_and_what_a_format_adds_and_without_one_what_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let disk = Room::of(50, &path).bytes;
        assert!((50 * GIB + 512..51 * GIB).contains(&disk), "{disk}");
        assert_eq!(Room::of(u64::MAX, &path).bytes, u64::MAX);
        let free = Room::of(0, &path).bytes;
        assert!(free > 0 && free < u64::MAX, "{free}");
    }
}
