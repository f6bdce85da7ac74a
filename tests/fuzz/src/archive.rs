//! What a download reads: archives that a cloud has packed, and its own notes beside a file.

use crc_fast::{CrcAlgorithm, Digest};
use sampan::fuzzing::{counted, unpack};

use crate::scene::{self, must};

/// Unpacks; what is no archive of one file leaves nothing behind.
pub(crate) fn archive(data: &[u8]) -> bool {
    let folder = must(tempfile::tempdir());
    let path = folder.path().join("disk.raw");
    let unpacked = scene::runtime().block_on(unpack(data, &path));
    let is_there = |name: &str| folder.path().join(name).exists();
    match unpacked {
        Ok(()) => true,
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
    let (bytes, crc64) = must(counted(&path, CONTENT.len() as u64));
    assert!(bytes == 0 || crc64 == Some(crc(CONTENT)), "bytes counted that are not those that were noted");
    bytes > 0
}

const CONTENT: &[u8] = b"the only part of a small disk";

fn crc(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(CrcAlgorithm::Crc64Xz);
    digest.update(bytes);
    digest.finalize()
}
