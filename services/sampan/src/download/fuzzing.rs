//! Doors for fuzzing: what reads archives that a cloud has packed, and a download's own notes.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::block::Block;
use super::parts::Layout;
use super::unpack::{self, Room, Watermark};

const ETAG: &str = "etag";

/// Unpacks `archive` to `path`, as a disk of 1 GiB.
///
/// # Errors
/// As the download of such an archive.
pub async fn unpack(archive: &[u8], path: &Path) -> io::Result<()> {
    let size = archive.len() as u64;
    let layout = Arc::new(Layout::open(path, (size, ETAG), None, true)?);
    let mut block = Block::new(archive.len());
    block.gather(&mut Bytes::copy_from_slice(archive), size);
    layout.write(&block, 0)?;
    for part in 0..layout.count() {
        layout.complete(part, 0)?;
    }
    let watermark = Watermark::new();
    watermark.restart(&layout);
    watermark.close(true);
    let unpacked = unpack::follow(layout, watermark, path, Room::of(1, path)).await?;
    unpacked.keep(path)
}

/// Takes up the download of `path` where its notes say; returns the bytes that count and, when all do, their CRC-64.
///
/// # Errors
/// When the files cannot be read.
pub fn counted(path: &Path, size_bytes: u64) -> io::Result<(u64, Option<u64>)> {
    let layout = Layout::open(path, (size_bytes, ETAG), None, true)?;
    Ok((layout.present_bytes(), layout.crc64()))
}
