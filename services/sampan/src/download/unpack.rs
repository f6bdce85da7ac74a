//! Unpacks an archive while its parts arrive: a reader that waits at the end of what is there.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::parts::Layout;
use super::sparse;

const BUFFER: usize = 256 * 1024;

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
/// When the archive is malformed or the disk refuses; nothing is left behind then.
///
/// # Cancellation
/// The blocking part ends by itself as soon as the watermark is closed.
pub(super) async fn follow(layout: Arc<Layout>, watermark: Arc<Watermark>, path: &Path) -> io::Result<Unpacked> {
    let mut name = path.as_os_str().to_owned();
    name.push(".unpacking");
    let temporary = PathBuf::from(name);
    let work = tokio::task::spawn_blocking(move || {
        let outcome = rounds(&layout, &watermark, &temporary);
        if outcome.is_err() {
            // Best effort: what matters is the first error.
            let _ = std::fs::remove_file(&temporary);
        }
        outcome.map(|()| Unpacked { temporary })
    });
    work.await.map_err(io::Error::other)?
}

fn rounds(layout: &Arc<Layout>, watermark: &Arc<Watermark>, temporary: &Path) -> io::Result<()> {
    loop {
        let round = watermark.lock().round;
        let once = unpack(layout, watermark, round, temporary);
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

fn unpack(layout: &Arc<Layout>, watermark: &Arc<Watermark>, round: u32, temporary: &Path) -> io::Result<()> {
    let reader = ArchiveReader { layout: Arc::clone(layout), watermark: Arc::clone(watermark), round, position: 0 };
    let mut archive =
        tar::Archive::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(BUFFER, reader)));
    let mut entries = archive.entries()?;
    let mut member = entries.next().ok_or_else(|| malformed("the archive is empty"))??;
    let kind = member.header().entry_type();
    if !(kind.is_file() || kind.is_gnu_sparse()) {
        return Err(malformed("the archive's member is no file"));
    }
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
