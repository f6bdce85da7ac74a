//! What a download reads: archives that a cloud has packed, and its own notes beside a file.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

use crate::scene::{self, must};

#[path = "../../../services/sampan/src/download/block.rs"]
#[allow(dead_code, reason = "a module of the binary, which uses more of it")]
mod block;
#[path = "../../../services/sampan/src/download/notes.rs"]
mod notes;
#[path = "../../../services/sampan/src/download/parts.rs"]
#[allow(dead_code, reason = "a module of the binary, which uses more of it")]
mod parts;
#[path = "../../../services/sampan/src/download/sparse.rs"]
mod sparse;
#[path = "../../../services/sampan/src/download/unpack.rs"]
#[allow(dead_code, reason = "a module of the binary, which uses more of it")]
mod unpack;

/// Unpacks; what is no archive of one file leaves nothing behind.
pub(crate) fn archive(data: &[u8]) -> bool {
    let folder = must(tempfile::tempdir());
    let path = folder.path().join("disk.raw");
    let size = data.len() as u64;
    let layout = Arc::new(must(parts::Layout::open(&path, (size, "etag"), None, true)));
    let mut block = block::Block::new(data.len());
    block.gather(&mut Bytes::copy_from_slice(data), size);
    must(layout.write(&block, 0));
    for part in 0..layout.count() {
        must(layout.complete(part, 0));
    }
    let watermark = unpack::Watermark::new();
    watermark.restart(&layout);
    watermark.close(true);
    let room = unpack::Room::of(1, &path);
    let unpacked = scene::runtime().block_on(unpack::follow(layout, watermark, &path, room));
    let is_there = |name: &str| folder.path().join(name).exists();
    match unpacked {
        Ok(unpacked) => {
            must(unpacked.keep(&path));
            true
        }
        Err(_) => {
            assert!(!is_there("disk.raw.unpacking"), "a broken archive leaves a file behind");
            false
        }
    }
}

/// Notes never make a part count whose bytes are others.
pub(crate) fn download_notes(data: &[u8]) -> bool {
    let folder = must(tempfile::tempdir());
    let path = folder.path().join("disk.raw");
    let write = |name: &str, bytes: &[u8]| must(std::fs::write(folder.path().join(name), bytes));
    write("disk.raw.part", CONTENT);
    write("disk.raw.part.json", data);
    let layout = must(open(&path));
    let counted = layout.present_bytes();
    assert!(counted == 0 || layout.crc64() == Some(crc(CONTENT)), "bytes counted that are not those that were noted");
    counted > 0
}

const CONTENT: &[u8] = b"the only part of a small disk";

fn open(path: &Path) -> std::io::Result<parts::Layout> {
    parts::Layout::open(path, (CONTENT.len() as u64, "etag"), None, true)
}

fn crc(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(CrcAlgorithm::Crc64Xz);
    digest.update(bytes);
    digest.finalize()
}
