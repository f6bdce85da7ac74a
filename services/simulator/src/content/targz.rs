//! Decides how a disk looks inside a `.tar.gz`: one member, holes as GNU sparse entries, so that they cost nothing.
//!
//! Format: "Basic Tar Format" and "Storing Sparse Files" (old GNU format) of the GNU tar manual.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Builder, Content, Extent, SECTOR, Source, to_usize};

/// Bytes read and packed at a time.
const CHUNK: u64 = 1 << 20;
/// Tar pads archives to a record.
const RECORD: u64 = 10_240;
/// Sparse entries in the member's header, and in each block that continues it.
const IN_HEADER: usize = 4;
const IN_BLOCK: usize = 21;

/// Packs `file` as the one member of a gzip-compressed tar.
///
/// - `member`: name of the member, such as `m-bp67acfmxazb4p0001_system.raw`; at most 100 bytes are kept.
/// - `folder`: where the packed bytes are kept, in a file without a name that lives as long as the content.
/// - `progress`: is told the whole percents that are done, now and then.
///
/// # Errors
/// When the content cannot be read or the packed bytes cannot be written. The call blocks.
pub fn tar_gz(file: &Content, member: &str, folder: &Path, progress: impl Fn(u8)) -> io::Result<Content> {
    let tar = tar(file, member);
    let mut encoder = GzEncoder::new(tempfile::tempfile_in(folder)?, Compression::fast());
    let mut buffer = vec![0; to_usize(tar.len().min(CHUNK))];
    let mut at = 0;
    while at < tar.len() {
        let count = to_usize(tar.len() - at).min(buffer.len());
        let part = buffer.get_mut(..count).unwrap_or_default();
        tar.read_at(at, part)?;
        encoder.write_all(part)?;
        at += count as u64;
        progress(u8::try_from(at * 100 / tar.len()).unwrap_or(100));
    }
    let mut packed: File = encoder.finish()?;
    let len = packed.stream_position()?;
    let mut builder = Builder::default();
    builder.push(len, Source::File { file: Arc::new(packed), offset: 0 });
    Ok(builder.finish())
}

/// Returns the archive, uncompressed.
fn tar(file: &Content, member: &str) -> Content {
    let regions = regions(file);
    let is_sparse = regions.iter().map(|region| region.len).sum::<u64>() < file.len();
    let mut builder = Builder::default();
    for block in headers(file.len(), member, is_sparse.then_some(&regions)) {
        builder.push_bytes(block);
    }
    if is_sparse {
        for region in &regions {
            builder.push_range(file, region.start, region.len);
        }
    } else {
        builder.push_range(file, 0, file.len());
    }
    builder.pad_to(SECTOR);
    builder.push_zeros(2 * SECTOR);
    builder.pad_to(RECORD);
    builder.finish()
}

/// Returns the runs of data, widened to whole blocks: every region but the last must end at a block.
fn regions(file: &Content) -> Vec<Extent> {
    let mut regions: Vec<Extent> = Vec::new();
    for extent in file.extents() {
        let start = extent.start / SECTOR * SECTOR;
        let end = (extent.start + extent.len).next_multiple_of(SECTOR).min(file.len());
        match regions.last_mut() {
            Some(last) if last.start + last.len >= start => last.len = end - last.start,
            _ => regions.push(Extent { start, len: end - start }),
        }
    }
    regions
}

/// Returns the member's header and the blocks that continue its list of regions.
fn headers(len: u64, member: &str, sparse: Option<&Vec<Extent>>) -> Vec<Vec<u8>> {
    let mut header = vec![0; 512];
    let name: Vec<u8> = member.bytes().take(100).collect();
    put(&mut header, 0, &name);
    put(&mut header, 100, b"0000644\0");
    put(&mut header, 108, b"0000000\0");
    put(&mut header, 116, b"0000000\0");
    put(&mut header, 136, b"00000000000\0"); // time: the same disk gives the same archive
    put(&mut header, 257, b"ustar  \0");
    put(&mut header, 265, b"root");
    put(&mut header, 297, b"root");
    let mut blocks = Vec::new();
    match sparse {
        None => {
            put(&mut header, 124, &number(len));
            put(&mut header, 156, b"0");
        }
        Some(regions) => {
            put(&mut header, 124, &number(regions.iter().map(|region| region.len).sum()));
            put(&mut header, 156, b"S");
            put(&mut header, 483, &number(len));
            let mut entries = regions.clone();
            // A hole at the end is told by an empty region behind it.
            if entries.last().is_none_or(|last| last.start + last.len < len) {
                entries.push(Extent { start: len, len: 0 });
            }
            let (first, rest) = entries.split_at(entries.len().min(IN_HEADER));
            put_entries(&mut header, 386, first);
            put(&mut header, 482, &[u8::from(!rest.is_empty())]);
            let count = rest.chunks(IN_BLOCK).count();
            for (index, chunk) in rest.chunks(IN_BLOCK).enumerate() {
                let mut block = vec![0; 512];
                put_entries(&mut block, 0, chunk);
                put(&mut block, 504, &[u8::from(index + 1 < count)]);
                blocks.push(block);
            }
        }
    }
    put(&mut header, 148, b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut header, 148, format!("{sum:06o}\0 ").as_bytes());
    blocks.insert(0, header);
    blocks
}

fn put_entries(block: &mut [u8], at: usize, entries: &[Extent]) {
    for (index, entry) in entries.iter().enumerate() {
        put(block, at + index * 24, &number(entry.start));
        put(block, at + index * 24 + 12, &number(entry.len));
    }
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = block.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Writes a number in 12 bytes: octal digits, or GNU's base 256 from 8 GiB on.
fn number(value: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if value < 1 << 33 {
        field.copy_from_slice(format!("{value:011o}\0").as_bytes());
    } else {
        put(&mut field, 0, &[0x80]);
        put(&mut field, 4, &value.to_be_bytes());
    }
    field
}
