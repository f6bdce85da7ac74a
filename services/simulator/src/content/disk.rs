//! Decides what bytes a disk of an image has: a file's, or made-up ones.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::{Builder, Content, Source, to_usize};

const MIB: u64 = 1 << 20;

/// Granule in which a file is searched for holes.
const GRANULE: u64 = 64 << 10;

/// Makes a disk of made-up bytes: 4 MiB at the front, a few islands, the last 64 KiB, and holes between.
///
/// - `seed`: the same seed gives the same bytes.
/// - `len`: bytes; anything from 0 on.
pub fn generated_disk(seed: u64, len: u64) -> Content {
    let mut extents = vec![(0, 4 * MIB)];
    extents.extend([len / 8, len / 3, len / 2].map(|place| (place / GRANULE * GRANULE, 3 * GRANULE)));
    extents.push((len.saturating_sub(GRANULE), GRANULE));
    let mut builder = Builder::default();
    for (start, count) in extents {
        let start = start.max(builder.len);
        let end = (start + count).min(len);
        if start < end {
            builder.push_zeros(start - builder.len);
            builder.push(end - start, Source::Generated { seed, offset: start });
        }
    }
    builder.push_zeros(len - builder.len.min(len));
    builder.finish()
}

/// Makes a disk of exactly a file's bytes; holes of the file and runs of zeros become holes. Reads the data of the
/// file once and keeps it open.
///
/// # Errors
/// When the file cannot be read, or is no regular file. The read blocks.
pub fn from_file(path: &Path) -> io::Result<Content> {
    let file = Arc::new(File::open(path)?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let len = metadata.len();
    let mut builder = Builder::default();
    while builder.len < len {
        let data = next_data(&file, builder.len, len);
        builder.push_zeros(data.start - builder.len);
        push_data(&mut builder, &file, data)?;
    }
    Ok(builder.finish())
}

/// Returns the next run of the file that may hold data, from `at` on; empty at the end when there is none.
///
/// Where the file system does not tell holes, all is data.
fn next_data(file: &File, at: u64, len: u64) -> Range<u64> {
    match seek(file, SeekFrom::Data(at)) {
        Ok(start) => {
            let end = seek(file, SeekFrom::Hole(start)).unwrap_or(len);
            start.min(len)..end.min(len)
        }
        Err(Errno::NXIO) => len..len,
        Err(_) => at..len,
    }
}

/// Adds a run of the file; granules of zeros become holes.
fn push_data(builder: &mut Builder, file: &Arc<File>, run: Range<u64>) -> io::Result<()> {
    let mut buffer = vec![0; to_usize(16 * GRANULE)];
    let mut data_from = None;
    let mut at = run.start;
    while at < run.end {
        let count = (run.end - at).min(buffer.len() as u64);
        let read = buffer.get_mut(..to_usize(count)).unwrap_or_default();
        file.read_exact_at(read, at)?;
        for granule in read.chunks(to_usize(GRANULE)) {
            match (is_zero(granule), data_from) {
                (true, from) => {
                    push_file(builder, file, from, at);
                    data_from = None;
                    builder.push_zeros(granule.len() as u64);
                }
                (false, None) => data_from = Some(at),
                (false, Some(_)) => {}
            }
            at += granule.len() as u64;
        }
    }
    push_file(builder, file, data_from, run.end);
    Ok(())
}

fn push_file(builder: &mut Builder, file: &Arc<File>, from: Option<u64>, to: u64) {
    if let Some(from) = from {
        builder.push(to - from, Source::File { file: Arc::clone(file), offset: from });
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // One comparison of memory with itself, a byte apart: a loop over bytes takes minutes in a debug build.
    bytes.first().is_none_or(|first| *first == 0) && bytes.get(1..).is_none_or(|tail| tail == &bytes[..tail.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_back_its_bytes_and_its_zeros_become_holes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let mut bytes = vec![0_u8; to_usize(5 * GRANULE) + 100];
        bytes[to_usize(GRANULE) + 7] = 1;
        bytes[to_usize(5 * GRANULE) + 99] = 2;
        std::fs::write(&path, &bytes).unwrap();
        let content = from_file(&path).unwrap();
        assert_eq!(content.len(), bytes.len() as u64);
        assert_eq!(content.data_len(), GRANULE + 100);
        assert_eq!(content.read(0, bytes.len()).unwrap(), bytes);
    }

    #[test]
    fn a_made_up_disk_has_its_length_and_mostly_holes() {
        for len in [0, 1, 4 * MIB, 10 * MIB + 3, 50 << 30] {
            let disk = generated_disk(1, len);
            assert_eq!(disk.len(), len);
            assert!(disk.data_len() <= 5 * MIB, "{len}");
        }
        let disk = generated_disk(1, 50 << 30);
        assert_ne!(disk.read((50 << 30) - 10, 10).unwrap(), vec![0; 10]);
        assert_eq!(disk.read(40 << 30, 10).unwrap(), vec![0; 10]);
    }
}
