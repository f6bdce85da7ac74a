//! Keeps the CRC-64 of every complete part beside the file, so that a broken download goes on.
//!
//! The first line says which object the parts are of; each further line is one part. Noting a part appends a line:
//! what a crash leaves behind are whole lines, and perhaps a torn one at the end, which does not count.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// The object and the cut that the parts belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) size_bytes: u64,
    pub(super) etag: String,
    pub(super) part_bytes: u64,
}

/// A complete part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) part: usize,
    pub(super) crc64: u64,
}

/// The file of notes.
#[derive(Debug)]
pub(super) struct Notes {
    path: PathBuf,
    header: Header,
    /// Open once something was noted.
    file: Mutex<Option<File>>,
}

impl Notes {
    pub(super) fn new(path: PathBuf, header: Header) -> Self {
        Self { path, header, file: Mutex::new(None) }
    }

    /// Reads what an earlier download noted; nothing when that was another object or cut.
    pub(super) fn read(&self) -> Vec<Note> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let mut lines = text.lines();
        let header = lines.next().and_then(|line| serde_json::from_str::<Header>(line).ok());
        if header.as_ref() != Some(&self.header) {
            return Vec::new();
        }
        lines.map_while(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Notes a part; the first note of a download begins the file anew with all that is `known`.
    pub(super) fn add(&self, note: Note, known: impl FnOnce() -> Vec<Note>) -> io::Result<()> {
        let mut place = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match place.as_mut() {
            Some(file) => file.write_all(&line(&note)?),
            None => {
                *place = Some(self.begin(&known())?);
                Ok(())
            }
        }
    }

    /// Writes the file under another name first, so that the notes of an earlier download are never lost.
    fn begin(&self, known: &[Note]) -> io::Result<File> {
        let mut text = line(&self.header)?;
        for note in known {
            text.extend(line(note)?);
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let mut file = File::create(&name)?;
        file.write_all(&text)?;
        std::fs::rename(&name, &self.path)?;
        Ok(file)
    }

    /// Forgets everything.
    pub(super) fn remove(&self) -> io::Result<()> {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        remove(&self.path)
    }
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Removes a file; one that is not there is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(folder: &Path, etag: &str) -> Notes {
        let header = Header { size_bytes: 10, etag: etag.to_owned(), part_bytes: 4 };
        Notes::new(folder.join("notes"), header)
    }

    fn note(part: usize) -> Note {
        Note { part, crc64: u64::MAX - part as u64 }
    }

    #[test]
    fn what_was_noted_is_read_back_and_a_torn_line_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = notes(folder.path(), "a");
        assert_eq!(first.read(), []);
        first.add(note(2), || vec![note(1), note(2)]).expect("noted");
        first.add(note(0), Vec::new).expect("noted");
        let all = [note(1), note(2), note(0)];
        assert_eq!(notes(folder.path(), "a").read(), all);
        let text = std::fs::read(folder.path().join("notes")).expect("readable");
        for end in 0..text.len() {
            std::fs::write(folder.path().join("notes"), text.get(..end).expect("a part")).expect("written");
            let read = notes(folder.path(), "a").read();
            assert!(all.starts_with(&read), "{read:?} after {end} bytes");
        }
    }

    #[test]
    fn notes_of_another_object_do_not_count_and_are_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        notes(folder.path(), "a").add(note(1), || vec![note(1)]).expect("noted");
        let other = notes(folder.path(), "b");
        assert_eq!(other.read(), []);
        other.add(note(0), || vec![note(0)]).expect("noted");
        assert_eq!(other.read(), [note(0)]);
    }
}
