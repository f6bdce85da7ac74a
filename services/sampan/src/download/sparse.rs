//! Writes without the zeros: a block of nothing but zeros stays a hole in the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Size and alignment of a block that may become a hole: that of common file systems.
const BLOCK: usize = 4096;

/// Writes `bytes` at `at` into a file whose unwritten bytes are zero, leaving out whole blocks of zeros.
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut run_start = 0;
    let mut position = 0;
    while position < bytes.len() {
        let to_boundary = BLOCK - usize::try_from((at + position as u64) % BLOCK as u64).unwrap_or(0);
        let end = (position + to_boundary).min(bytes.len());
        let block = bytes.get(position..end).unwrap_or_default();
        if is_zero(block) {
            flush(file, bytes, run_start, position, at)?;
            run_start = end;
        }
        position = end;
    }
    flush(file, bytes, run_start, position, at)
}

fn flush(file: &File, bytes: &[u8], start: usize, end: usize, at: u64) -> io::Result<()> {
    match bytes.get(start..end) {
        Some(run) if !run.is_empty() => file.write_all_at(run, at + start as u64),
        _ => Ok(()),
    }
}

/// Compares with a block of zeros, which is as fast as memory in every build.
fn is_zero(block: &[u8]) -> bool {
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    ZEROS.get(..block.len()).is_some_and(|zeros| zeros == block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn zeros_become_holes_and_everything_else_is_written() {
        let file = tempfile::tempfile().expect("a file");
        let mut bytes = vec![0_u8; 1024 * 1024];
        bytes[5] = 1;
        bytes[700_001] = 2;
        file.set_len(bytes.len() as u64 + 3).expect("sized");
        write_at(&file, &bytes, 3).expect("written");
        let mut read = vec![9_u8; bytes.len()];
        file.read_exact_at(&mut read, 3).expect("readable");
        assert!(read == bytes);
        assert!(file.metadata().expect("metadata").blocks() * 512 <= 64 * 1024, "the zeros take no room");
    }
}
