//! Bytes of disks and objects that are never materialised: pieces of memory, files, generated data and holes.
//!
//! Decides how content is put together, read at any place, and summed. How a disk looks in each format is in the
//! modules of the formats.

mod body;
mod crc;
mod disk;
mod generated;
mod qcow2;
mod targz;
mod vdi;
mod vhd;
mod vmdk;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use sampan_core::ImageFormat;

pub use disk::{from_file, generated_disk};
pub use targz::tar_gz;

use crate::world::mix;

/// Some bytes that can be read at any place; cloning is cheap.
#[derive(Clone, Default)]
pub struct Content {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    pieces: Vec<Piece>,
    len: u64,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("len", &self.inner.len).field("pieces", &self.inner.pieces.len()).finish()
    }
}

/// A run of bytes from one source.
#[derive(Clone)]
struct Piece {
    start: u64,
    len: u64,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Zero,
    Memory(Bytes),
    File { file: Arc<File>, offset: u64 },
    Generated { seed: u64, offset: u64 },
}

impl Source {
    /// Returns the same source from `by` bytes further on.
    fn advanced(&self, by: u64) -> Self {
        match self {
            Self::Zero => Self::Zero,
            Self::Memory(bytes) => Self::Memory(bytes.slice(to_usize(by).min(bytes.len())..)),
            Self::File { file, offset } => Self::File { file: Arc::clone(file), offset: offset + by },
            Self::Generated { seed, offset } => Self::Generated { seed: *seed, offset: offset + by },
        }
    }
}

impl Content {
    /// Returns the number of bytes.
    pub fn len(&self) -> u64 {
        self.inner.len
    }

    /// Returns whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.inner.len == 0
    }

    /// Returns the number of bytes that are not in holes.
    pub fn data_len(&self) -> u64 {
        self.extents().iter().map(|extent| extent.len).sum()
    }

    /// Makes content of bytes in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let mut builder = Builder::default();
        builder.push_bytes(bytes.into());
        builder.finish()
    }

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` past the end, and whatever reading a backing file gives. The read may block.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut at = offset;
        let mut rest = buffer;
        let mut index = self.index_of(offset);
        while !rest.is_empty() {
            let piece = self.inner.pieces.get(index).ok_or(io::ErrorKind::UnexpectedEof)?;
            let skip = at - piece.start;
            let count = to_usize(piece.len - skip).min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            match &piece.source {
                Source::Zero => now.fill(0),
                Source::Memory(bytes) => {
                    let from = to_usize(skip);
                    now.copy_from_slice(bytes.get(from..from + count).ok_or(io::ErrorKind::UnexpectedEof)?);
                }
                Source::File { file, offset } => file.read_exact_at(now, offset + skip)?,
                Source::Generated { seed, offset } => generated::fill(*seed, offset + skip, now),
            }
            rest = later;
            at += count as u64;
            index += 1;
        }
        Ok(())
    }

    /// Reads `len` bytes from `offset` on.
    ///
    /// # Errors
    /// As [`Content::read_at`].
    pub fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; len];
        self.read_at(offset, &mut buffer)?;
        Ok(buffer)
    }

    /// Returns the runs that are not holes, neighbours joined, in order.
    pub fn extents(&self) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::new();
        for piece in self.inner.pieces.iter().filter(|piece| !matches!(piece.source, Source::Zero)) {
            match extents.last_mut() {
                Some(last) if last.start + last.len == piece.start => last.len += piece.len,
                _ => extents.push(Extent { start: piece.start, len: piece.len }),
            }
        }
        extents
    }

    /// Returns whether reading the range touches a file, and so may block.
    fn touches_file(&self, offset: u64, len: u64) -> bool {
        let first = self.index_of(offset);
        self.inner
            .pieces
            .iter()
            .skip(first)
            .take_while(|piece| piece.start < offset + len)
            .any(|piece| matches!(piece.source, Source::File { .. }))
    }

    fn index_of(&self, offset: u64) -> usize {
        self.inner.pieces.partition_point(|piece| piece.start + piece.len <= offset)
    }
}

/// A run of bytes that is not a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Puts content together from front to back.
#[derive(Default)]
struct Builder {
    pieces: Vec<Piece>,
    len: u64,
}

impl Builder {
    fn push(&mut self, len: u64, source: Source) {
        if len == 0 {
            return;
        }
        if let (Source::Zero, Some(Piece { len: last, source: Source::Zero, .. })) = (&source, self.pieces.last_mut()) {
            *last += len;
        } else {
            self.pieces.push(Piece { start: self.len, len, source });
        }
        self.len += len;
    }

    fn push_bytes(&mut self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.push(bytes.len() as u64, Source::Memory(bytes));
    }

    fn push_zeros(&mut self, len: u64) {
        self.push(len, Source::Zero);
    }

    /// Adds a range of other content; what lies past its end is zeros.
    fn push_range(&mut self, content: &Content, start: u64, len: u64) {
        let end = start + len;
        let mut at = start;
        for piece in content.inner.pieces.iter().skip(content.index_of(start)) {
            if piece.start >= end {
                break;
            }
            let skip = at - piece.start;
            let count = (piece.len - skip).min(end - at);
            self.push(count, piece.source.advanced(skip));
            at += count;
        }
        self.push_zeros(end - at);
    }

    /// Adds zeros up to the next multiple of `unit`.
    fn pad_to(&mut self, unit: u64) {
        self.push_zeros(self.len.next_multiple_of(unit) - self.len);
    }

    fn finish(self) -> Content {
        Content { inner: Arc::new(Inner { pieces: self.pieces, len: self.len }) }
    }
}

/// Returns the file of a disk in a format; holes stay holes where the format can.
pub fn disk_file(disk: &Content, format: ImageFormat) -> Content {
    match format {
        ImageFormat::Raw => disk.clone(),
        ImageFormat::Vhd => vhd::build(disk),
        ImageFormat::Qcow2 => qcow2::build(disk),
        ImageFormat::Vmdk => vmdk::build(disk),
        ImageFormat::Vdi => vdi::build(disk),
    }
}

/// Bytes of a disk's sector, and of a tar block.
const SECTOR: u64 = 512;

/// Writes the given blocks of a disk one behind the other; past the disk's end they are zeros.
fn push_blocks(builder: &mut Builder, disk: &Content, blocks: &[u64], unit: u64) {
    // Neighbours go as one run, which keeps the pieces few.
    for run in blocks.chunk_by(|one, next| one + 1 == *next) {
        if let Some(first) = run.first() {
            builder.push_range(disk, first * unit, run.len() as u64 * unit);
        }
    }
}

/// Returns a GUID (version 4 in shape) that depends on the number alone, so that the same disk gives the same file.
fn guid(number: u64) -> [u8; 16] {
    let bits = (u128::from(mix(number)) << 64) | u128::from(mix(!number));
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().into_bytes()
}

/// Returns the blocks of `unit` bytes that hold data, in order, each once.
fn used_blocks(disk: &Content, unit: u64) -> Vec<u64> {
    let mut blocks: Vec<u64> = Vec::new();
    for extent in disk.extents() {
        let first = extent.start / unit;
        let last = (extent.start + extent.len - 1) / unit;
        let from = blocks.last().map_or(first, |known| first.max(known + 1));
        blocks.extend(from..=last);
    }
    blocks
}

/// Narrows a length that fits in memory; 64-bit machines lose nothing.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
