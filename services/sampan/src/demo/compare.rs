//! Compares two files byte by byte.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

const BUFFER: usize = 1024 * 1024;

/// Returns the first place at which the files differ; `None` when they are the same bytes. Blocks.
///
/// # Errors
/// When one of them cannot be read.
pub(super) fn first_difference(one: &Path, other: &Path) -> io::Result<Option<u64>> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let mut at = 0;
    let (mut left, mut right) = (Vec::with_capacity(BUFFER), Vec::with_capacity(BUFFER));
    loop {
        left.clear();
        right.clear();
        (&mut one).take(BUFFER as u64).read_to_end(&mut left)?;
        (&mut other).take(BUFFER as u64).read_to_end(&mut right)?;
        if left != right {
            let same = left.iter().zip(&right).take_while(|(one, other)| one == other).count();
            return Ok(Some(at + same as u64));
        }
        if left.is_empty() {
            return Ok(None);
        }
        at += left.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_and_a_missing_end_are_differences() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let mut bytes = vec![7_u8; BUFFER + 100];
        let whole = file("whole", &bytes);
        let same = file("same", &bytes);
        let short = file("short", &bytes[..BUFFER + 99]);
        bytes[BUFFER + 3] = 8;
        let changed = file("changed", &bytes);
        assert_eq!(first_difference(&whole, &same).expect("readable"), None);
        assert_eq!(first_difference(&whole, &changed).expect("readable"), Some(BUFFER as u64 + 3));
        assert_eq!(first_difference(&whole, &short).expect("readable"), Some(BUFFER as u64 + 99));
    }
}
