//! Makes the disks that the demo exports: real file systems with holes between the files.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::fat::{self, Entry};
use crate::client::Failure;
use crate::exit::Exit;

const MIB: u64 = 1024 * 1024;
/// Size of the built-in system disk.
const SYSTEM_BYTES: u64 = 256 * MIB;
/// Size of the data disk.
const DATA_BYTES: u64 = 64 * MIB;
/// Largest disk that both clouds export.
const LARGEST_BYTES: u64 = 500 * 1024 * MIB;

/// The disks of the exported image.
#[derive(Debug)]
pub(super) struct Disks {
    /// The system disk: the user's own or the built-in one.
    pub(super) system: PathBuf,
    /// The data disk.
    pub(super) data: PathBuf,
    /// Bytes of both together.
    pub(super) bytes: u64,
}

/// Makes the disks in `folder`; takes `own` as the system disk when there is one. Blocks.
///
/// # Errors
/// [`Failure`] when the user's file cannot be exported, or a disk cannot be written.
pub(super) fn make(folder: &Path, own: Option<&Path>) -> Result<Disks, Failure> {
    let cannot_write = |error: io::Error| {
        Failure::new(Exit::Failed, format!("the demo's disk cannot be written: {error}"))
            .advice("make room in the temporary folder, or choose another one with TMPDIR")
    };
    let data = folder.join("data.raw");
    write(&data, DATA_BYTES, *b"SAMPAN DATA", &data_files()).map_err(cannot_write)?;
    let (system, system_bytes) = match own {
        Some(path) => (path.to_owned(), check_own(path)?),
        None => {
            let path = folder.join("system.raw");
            write(&path, SYSTEM_BYTES, *b"SAMPAN SYS ", &system_files()).map_err(cannot_write)?;
            (path, SYSTEM_BYTES)
        }
    };
    Ok(Disks { system, data, bytes: system_bytes + DATA_BYTES })
}

fn check_own(path: &Path) -> Result<u64, Failure> {
    let refuse = |what: String| {
        Failure::new(Exit::Usage, format!("{}: {what}", path.display()))
            .advice("name a raw disk image: a regular file of 1 byte to 500 GiB")
    };
    let metadata = File::open(path).and_then(|file| file.metadata()).map_err(|error| refuse(error.to_string()))?;
    match metadata.len() {
        _ if !metadata.is_file() => Err(refuse("not a regular file".to_owned())),
        0 => Err(refuse("the file is empty".to_owned())),
        bytes if bytes > LARGEST_BYTES => Err(refuse("larger than what the clouds export".to_owned())),
        bytes => Ok(bytes),
    }
}

fn write(path: &Path, bytes: u64, label: [u8; 11], entries: &[Entry]) -> io::Result<()> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    file.set_len(bytes)?;
    fat::format(&file, bytes, label, entries)
}

fn system_files() -> Vec<Entry> {
    let fstab = "# <device>  <mount>  <type>  <options>  <dump> <pass>\n\
                 /dev/xvda1  /       vfat    defaults   0 1\n\
                 /dev/xvdb1  /data   vfat    defaults   0 2\n";
    let readme = "This disk was made by `sampan demo`. If you can read this after the download, the export worked.\n";
    vec![
        Entry { name: *b"README  TXT", place_permille: 0, bytes: readme.into() },
        Entry { name: *b"FSTAB      ", place_permille: 1, bytes: fstab.into() },
        Entry { name: *b"SERVICE LOG", place_permille: 120, bytes: log_lines(8 * MIB) },
        Entry { name: *b"RANDOM  BIN", place_permille: 500, bytes: noise(8 * MIB) },
        Entry { name: *b"LAST    TXT", place_permille: 998, bytes: readme.into() },
    ]
}

fn data_files() -> Vec<Entry> {
    vec![
        Entry { name: *b"ORDERS  CSV", place_permille: 10, bytes: log_lines(4 * MIB) },
        Entry { name: *b"BACKUP  BIN", place_permille: 700, bytes: noise(2 * MIB) },
    ]
}

/// Text as servers write it: compresses well.
fn log_lines(bytes: u64) -> Vec<u8> {
    const WORDS: [&str; 6] = ["accepted", "checked", "queued", "exported", "verified", "closed"];
    let mut text = Vec::new();
    let mut number = 0_usize;
    while (text.len() as u64) < bytes {
        let word = WORDS.get(number * 7 % WORDS.len()).copied().unwrap_or_default();
        text.extend(format!("{number:08} worker-{} request {:06x} {word}\n", number % 13, number * 2_654_435).bytes());
        number += 1;
    }
    text
}

/// Bytes that no packer makes smaller, the same in every run (xorshift).
fn noise(bytes: u64) -> Vec<u8> {
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    let words = (0..bytes / 8).flat_map(|_| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word.to_le_bytes()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    #[test]
    fn the_built_in_disk_has_a_partition_table_a_file_system_and_holes() {
        let folder = tempfile::tempdir().expect("a folder");
        let disks = make(folder.path(), None).expect("made");
        let file = File::open(&disks.system).expect("there");
        let mut head = [0_u8; 512];
        file.read_exact_at(&mut head, 0).expect("readable");
        assert_eq!(&head[510..], [0x55, 0xaa], "a partition table");
        file.read_exact_at(&mut head, MIB).expect("readable");
        assert_eq!(&head[54..62], b"FAT16   ", "a file system");
        let metadata = file.metadata().expect("metadata");
        assert_eq!(metadata.len(), SYSTEM_BYTES);
        assert!(metadata.blocks() * 512 < SYSTEM_BYTES / 4, "mostly holes: {} blocks", metadata.blocks());
    }

    #[test]
    fn a_file_that_cannot_be_exported_is_refused_before_anything_starts() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.raw");
        File::create(&empty).expect("made");
        for path in [empty.as_path(), folder.path(), Path::new("/nonexistent.raw")] {
            let refused = check_own(path).expect_err("refused");
            assert_eq!(refused.exit, Exit::Usage, "{}", path.display());
        }
    }
}
