//! Writes without the zeros: blocks of nothing but zeros stay a hole in the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Size and alignment of a block that may become a hole: that of common file systems.
pub(super) const BLOCK: usize = 4096;

/// Writes `bytes` at `at` into a file whose unwritten bytes are zero, leaving out runs of whole blocks of zeros that
/// are `hole` bytes or longer.
pub(super) fn write_at(file: &File, bytes: &[u8], at: u64, hole: usize) -> io::Result<()> {
    let mut run_start = 0;
    let mut zeros_start = None;
    let mut position = 0;
    while position < bytes.len() {
        let to_boundary = BLOCK - usize::try_from((at + position as u64) % BLOCK as u64).unwrap_or(0);
        let end = (position + to_boundary).min(bytes.len());
        if is_zero(bytes.get(position..end).unwrap_or_default()) {
            zeros_start.get_or_insert(position);
        } else if let Some(zeros) = zeros_start.take().filter(|zeros| position - zeros >= hole) {
            write_run(file, bytes, run_start, zeros, at)?;
            run_start = position;
        }
        position = end;
    }
    let end = zeros_start.filter(|zeros| bytes.len() - zeros >= hole).unwrap_or(bytes.len());
    write_run(file, bytes, run_start, end, at)
}

fn write_run(file: &File, bytes: &[u8], start: usize, end: usize, at: u64) -> io::Result<()> {
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
        write_at(&file, &bytes, 3, BLOCK).expect("written");
        let mut read = vec![9_u8; bytes.len()];
        file.read_exact_at(&mut read, 3).expect("readable");
        assert!(read == bytes);
        assert!(file.metadata().expect("metadata").blocks() * 512 <= 64 * 1024, "the zeros take no room");
    }

    #[test]
    fn a_hole_that_is_too_small_is_written() {
        let file = tempfile::tempfile().expect("a file");
        let mut bytes = vec![1_u8; 64 * BLOCK];
        bytes[BLOCK..2 * BLOCK].fill(0);
        bytes[8 * BLOCK..24 * BLOCK].fill(0);
        bytes[60 * BLOCK..].fill(0);
        file.set_len(bytes.len() as u64).expect("sized");
        write_at(&file, &bytes, 0, 16 * BLOCK).expect("written");
        let mut read = vec![9_u8; bytes.len()];
        file.read_exact_at(&mut read, 0).expect("readable");
        assert!(read == bytes);
        assert_eq!(file.metadata().expect("metadata").blocks() * 512, 48 * BLOCK as u64);
    }
}
